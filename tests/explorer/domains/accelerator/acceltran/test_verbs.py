"""AccelTran's commands, simulate acceltran and explore dataflow: what they print, and refusals that leave nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphdb.store import Store
from tests.explorer.cli.test_bad_input import refused
from tests.explorer.conftest import Run
from tests.places import DATA

LIBRARY = DATA / "acceltran/library.yaml"
PAIR = ("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", "edge")
FAST = (*PAIR, "--engine", "fast", "--mode", "reference")


def test_a_library_brings_modules_and_memories(run: Run, store: Store) -> None:
    plain = run(*FAST, "--json").json
    own = run(*FAST, "--library", LIBRARY, "--set", "memory=my_lpddr5", "--json").json
    memory = own["accelerator"]["choices"]["memory"]
    assert (memory["name"], memory["bandwidth_bytes_per_s"]) == ("my_lpddr5", 51.2e9)
    assert own["accelerator"]["key"] != plain["accelerator"]["key"]
    assert own["settings"]["library"]["mac_lane_16_gelu"]["source"] == "made up for tests"
    assert own["measures"]["cycles"] < plain["measures"]["cycles"]
    assert own["measures"]["area_mm2"] < plain["measures"]["area_mm2"]
    stored = store.measurements.get(own["key"])
    assert dict(stored.settings) == own["settings"]
    assert store.architectures.get(own["accelerator"]["key"]).choices == own["accelerator"]["choices"]


def test_an_accelerator_with_an_own_memory_needs_no_library_later(run: Run) -> None:
    own = run(*FAST, "--library", LIBRARY, "--set", "memory=my_lpddr5", "--json").json
    key = own["accelerator"]["key"]
    again = run("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", key[:12], *FAST[6:], "--json").json
    assert again["accelerator"] == own["accelerator"]
    assert again["settings"]["library"] is None
    assert again["measures"]["cycles"] == own["measures"]["cycles"]


def test_a_published_memory_is_named_beside_a_library(run: Run) -> None:
    document = run(*FAST, "--library", LIBRARY, "--set", "memory=hbm_32_1_4", "--json").json
    assert document["accelerator"]["choices"]["memory"] == "hbm_32_1_4"


def test_pictures_of_the_fast_engine(run: Run, tmp_path: Path) -> None:
    document = run(*FAST, "--plot", tmp_path / "new/pictures", "--json").json
    names = [Path(file).name for file in document["plots"]]
    pair = "-".join(document[role]["key"][:12] for role in ("model", "accelerator"))
    name = f"{pair}-{document['key'][:12]}"
    assert names == [f"{part}-{name}.{suffix}" for part in ("energy", "area") for suffix in ("png", "svg")]
    texts = [Path(file).read_text() for file in document["plots"] if file.endswith(".svg")]
    assert "Energy of bert-tiny on edge" in texts[0]
    assert "MAC lanes" in texts[0]
    assert "Area of the chip: 54.1 mm²" in texts[1]


def test_pictures_of_other_pairs_and_settings_are_kept(run: Run, tmp_path: Path) -> None:
    first = run(*FAST, "--plot", tmp_path, "--json").json["plots"]
    before = {file: Path(file).read_bytes() for file in first}
    other = run(*FAST, "--set", "pe=16", "--plot", tmp_path, "--json").json["plots"]
    training = run(*FAST, "--set", "task=training", "--plot", tmp_path, "--json").json["plots"]
    assert len({*first, *other, *training}) == 12 == len(list(tmp_path.iterdir()))
    assert {file: Path(file).read_bytes() for file in first} == before


def test_tables_group_the_measures(run: Run) -> None:
    printed = run(*FAST).out
    for word in ("cycles", "167,596", "throughput", "MAC lanes", "main memory", "share", "stored as"):
        assert word in printed
    assert "%" in printed


def test_a_profile_of_dynatran_is_stored_by_value(run: Run, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    points = [{"threshold": threshold, "sparsity": 2 * threshold, "score": 0.9} for threshold in (0.0, 0.4)]
    file.write_text(json.dumps({"model": "mine", "task": "words", "score": "accuracy", "points": points}))
    arguments = ("--engine", "fast", "--dynatran-threshold")
    sparse = run(*PAIR, *arguments, 0.4, "--dynatran-curve", file, "--json").json
    dense = run(*PAIR, *arguments, 0, "--dynatran-curve", file, "--json").json
    assert sparse["settings"]["dynatran_curve"]["points"][1]["sparsity"] == 0.8
    stored = [store.measurements.get(document["key"]) for document in (sparse, dense)]
    assert dict(stored[0].settings) == sparse["settings"]
    assert stored[0].measures["energy_mac_dynamic_j"] < 0.7 * stored[1].measures["energy_mac_dynamic_j"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--library", LIBRARY, "--set", "memory=my_lpddr6"), ("my_lpddr6", "my_lpddr5", "hbm_32_1_4")),
        (("--set", "memory=my_lpddr5"), ("my_lpddr5", "hbm_32_1_4")),
        (("--library", "missing.yaml"), ("missing.yaml", "cannot be read")),
        (("--mode", "reference", "--correct", "bandwidth"), ("correct", "mode reference", "mode corrected")),
        (("--mode", "reference", "--correct", "all"), ("--correct", "mode reference", "--mode corrected")),
        (("--mode", "reference", "--correct", "magic"), ("magic", "bandwidth", "residual")),
        (("--mode", "reference", "--correct", "bandwidth,-residual"), ("bandwidth,-residual", "begin with '-'")),
        (("--engine", "fast", "--ablate"), ("--ablate", "fast", "detailed")),
        (("--schedule", "random"), ("schedule", "random", "staggered, equal")),
        (("--target-sparsity", "1.5"), ("target_sparsity", "1.5")),
        (("--target-accuracy", "-1"), ("target_accuracy", "-1")),
        (("--dynatran-threshold", "-1"), ("dynatran_threshold", "-1")),
        (("--dynatran-threshold", "0.2"), ("0.2", "0 to 0.095")),
        (("--dynatran-threshold", "0.04", "--mode", "reference"), ("dynatran_threshold", "operation-sparsity")),
        (("--dynatran-threshold", "0.04", "--dynatran-curve", "bert-huge"), ("bert-huge", "bert-base-sst2")),
        (("--dynatran-threshold", "0.04", "--dynatran-curve", "missing.json"), ("missing.json", "cannot be read")),
        (("--plot", LIBRARY), ("--plot", "is not a folder")),
        (("--plot", LIBRARY / "below"), ("--plot", "library.yaml is not a folder")),
        (("--set", "issue_width=0"), ("issue_width", "0", "from 1")),
        (("--set", "issue_width=2.5"), ("issue_width", "2.5", "integer")),
        (("--set", "sequence_length=0"), ("sequence_length", "0", "from 1")),
        (("--set", 'library={"laser": {}}'), ("laser", "mac_lane_16_gelu")),
    ],
)
def test_simulations_that_cannot_be(
    run: Run, store: Store, arguments: tuple[object, ...], words: tuple[str, ...]
) -> None:
    refused(run(*PAIR, *arguments, "--json"), *words)
    assert store.architectures.counts() == {}


def test_a_figure_without_a_unit(run: Run, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("modules: {softmax_16: {area: 80000, source: me}}")
    refused(run(*PAIR, "--library", file), "own.yaml", "modules.softmax_16.area", "80000", "um2, mm2")
    assert store.architectures.counts() == {}


def test_dataflows_are_compared(run: Run, store: Store) -> None:
    study = run("explore", "dataflow", "--sizes", "64,64,128", "--rule", "published", "--json").json
    assert len({row["order"] for row in study["orders"]}) == 24
    energies = [row["energy_nj"] for row in study["orders"]]
    assert energies == sorted(energies)
    right = run("explore", "dataflow", "--sizes", "64,64,128", "--json").json
    assert right["rule"] == "right"
    reuse = {row["order"]: row["reuse_instances"] for row in study["orders"]}
    assert all(row["reuse_instances"] <= reuse[row["order"]] for row in right["orders"])
    assert "bijk" in run("explore", "dataflow", "--sizes", "64,64,128").out
    assert store.architectures.counts() == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sizes", "64,64"), ("--sizes", "64,64", "three integers")),
        (("--sizes", "64,64,x"), ("--sizes", "three integers")),
        (("--sizes", "64,0,64"), ("0", "from 1")),
        (("--sizes", "64,64,64", "--rule", "wrong"), ("wrong", "published, right")),
        (("--sizes", "64,64,64", "--lanes", "0"), ("lanes", "0")),
    ],
)
def test_dataflows_that_cannot_be(run: Run, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    refused(run("explore", "dataflow", *arguments, "--json"), *words)
