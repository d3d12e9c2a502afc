"""Every command as a user meets it, with its JSON for machines."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from explorer import registry
from explorer.domains.transformer.graph import reference_hashes
from gnn.inductive import EncoderSettings
from gnn.network import SurrogateSettings
from graphdb.settings import Settings
from graphdb.store import Store
from tests.explorer.conftest import Run
from tests.fault import toy
from tests.places import DATA

GOLDEN = DATA / "acceltran/golden.csv"
TINY = {"l": 2, "h": [128, 128], "o": [["sa_sdp_64", "sa_sdp_64"]] * 2, "f": [[512], [512]]}
COMMANDS = (
    *(("db", name) for name in ("start", "stop", "status", "wipe")),
    *((name,) for name in ("load", "import", "export", "show", "list", "similar", "space")),
    *((name,) for name in ("cross", "map", "onnx", "search", "serve")),
    ("simulate", "acceltran"),
    *(("explore", name) for name in ("elector", "dataflow")),
    *(("study", name) for name in ("list", "show", "pareto")),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, command: tuple[str, ...]) -> None:
    found = run(*command, "--help")
    assert found.status == 0
    assert "Example: explorer " + " ".join(command) in " ".join(found.out.split())


HEAVY = frozenset(
    [
        *("torch", "torch_geometric", "numpy", "scipy", "moocore", "networkx", "matplotlib", "pandas", "yaml"),
        *("neo4j", "jgo", "jpype", "graphene", "ariadne", "starlette", "uvicorn", "distributed", "transformers"),
    ]
)


@pytest.mark.parametrize("command", [("--help",), ("db", "status"), ("simulate", "--help"), ("no-such-command",)])
def test_starting_is_light(command: tuple[str, ...], tmp_path: Path) -> None:
    program = (
        f"import sys; from explorer.cli import main; sys.argv = ['explorer', *{command}]\n"
        "try: main.main()\n"
        f"except SystemExit: print(sorted({set(HEAVY)} & set(sys.modules)), file=sys.stderr)"
    )
    environment = os.environ | {"EXPLORER_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.splitlines()[-1] == "[]"


def test_status_of_the_database(run: Run, server_settings: Settings) -> None:
    found = run("db", "status", "--json").json
    assert found["running"] is True
    assert found["uri"].startswith("bolt://127.0.0.1:")
    assert found["version"] == "2026.08.1"
    again = run("db", "start", "--json").json
    assert (again["pid"], again["uri"]) == (found["pid"], found["uri"])


def test_load_says_what_it_added_and_what_was_there(run: Run, store: Store) -> None:
    first, second = run("load", "--json").json, run("load", "--json").json
    assert first["architectures"]["added"] == second["architectures"]["present"] > 800
    assert first["measurements"]["added"] == second["measurements"]["present"] > 1000
    assert second["architectures"]["added"] == second["measurements"]["added"] == 0
    assert first["spaces"]["transformer/flexibert_early"] >= 818


@pytest.mark.parametrize("preset", ["bert-tiny", "bert-nano", "edge", "server"])
def test_an_exported_architecture_is_imported_again(run: Run, store: Store, tmp_path: Path, preset: str) -> None:
    architecture = registry.preset(preset)
    store.architectures.add([architecture])
    file = tmp_path / "exported.json"
    file.write_text(run("export", architecture.key[:12]).out)
    assert run("export", architecture.key, "--json").out == file.read_text()
    store.wipe()
    assert run("import", file, "--json").json == {"key": architecture.key, "added": True}
    assert run("import", file, "--json").json == {"key": architecture.key, "added": False}
    assert store.architectures.get(architecture.key) == architecture


def test_show_draws_the_graph(run: Run, tmp_path: Path) -> None:
    run("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", "edge", "--mode", "reference")
    model = run("show", registry.preset("bert-tiny").key)
    assert model.status == 0
    assert "2 x sa_sdp" in model.out
    assert "12 blocks" in model.out
    assert "acceltran" in model.out
    pictured = run("show", registry.preset("bert-tiny").key, "--plot", tmp_path / "figures", "--json").json
    assert [Path(file).suffix for file in pictured["plots"]] == [".png", ".svg"]
    assert "sa_sdp" in Path(pictured["plots"][1]).read_text()
    hashes = pictured["reference_hashes"]
    assert hashes == reference_hashes(registry.preset("bert-tiny").choices)
    assert all(name in model.out for name in hashes.values())
    machine = run("show", registry.preset("edge").key, "--json").json
    assert {"main_memory", "dma", "weight_buffer", "mac_lane"} <= {block["kind"] for block in machine["blocks"]}
    assert machine["measurements"][0]["measures"]["cycles"] == 79324
    assert machine["reference_hashes"] == {}


def test_show_says_where_predictions_have_no_skill(run: Run, store: Store) -> None:
    published = registry.published(["elector"])
    measurement = next(m for m in published.measurements if "glue" in m.predicted)
    model = next(a for a in published.architectures if a.key == measurement.roles["model"])
    store.architectures.add([a for a in published.architectures if a.key in measurement.roles.values()])
    store.measurements.add([measurement])
    assert model.space == "flexibert2"
    found = run("show", model.key)
    assert "~0." in found.out
    assert "Predictions of glue have no demonstrated skill" in " ".join(found.err.split())


@pytest.mark.parametrize("row", [row for row in csv.DictReader(GOLDEN.open()) if row["engine"] == "fast"])
def test_simulation_gives_the_golden_figures(run: Run, row: dict[str, str]) -> None:
    published = ("--engine", "fast", "--mode", "reference")
    pair = ("--model", row["model"], "--accelerator", row["preset"])
    found = run("simulate", "acceltran", *pair, *published, "--json").json
    assert set(found) == {"key", "model", "accelerator", "settings", "measures", "facts"}
    assert found["measures"]["cycles"] == int(row["cycles"])
    assert found["measures"]["area_mm2"] == pytest.approx(float(row["area_mm2"]), abs=5e-5)
    parts = found["measures"]["energy_parts_j"]
    assert {"buffer", "main_memory", "mac_dynamic", "mac_leakage", "softmax_dynamic", "layer_norm_leakage"} <= set(
        parts
    )
    assert sum(parts.values()) == pytest.approx(found["measures"]["energy_j"], rel=1e-12)
    assert f"buffer {parts['buffer'] * 1e6:.4f}" in row["note"]


def test_the_same_model_by_preset_key_and_file(run: Run, store: Store, tmp_path: Path) -> None:
    by_preset = run("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", "edge", "--json").json
    bare, exported = tmp_path / "bare.json", tmp_path / "exported.json"
    bare.write_text(json.dumps(TINY))
    exported.write_text(run("export", by_preset["model"]["key"]).out)
    for reference in (bare, exported, by_preset["model"]["key"][:10]):
        again = run("simulate", "acceltran", "--model", reference, "--accelerator", "edge", "--json").json
        assert again["key"] == by_preset["key"]
    stored = store.measurements.get(by_preset["key"])
    assert stored.measures["cycles"] == by_preset["measures"]["cycles"]


def test_a_model_outside_every_published_space(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps({"l": 1, "h": [96], "o": [["sa_sdp_32"] * 3], "f": [[100, 50]]}))
    found = run("simulate", "acceltran", "--model", file, "--accelerator", "edge", "--json").json
    assert found["model"]["space"] == "transformer_free"
    assert found["measures"]["cycles"] > 0


@pytest.mark.parametrize(
    ("setting", "place", "name", "value"),
    [
        ("pe=128", "accelerator", "pe", 128),
        ("tile_x=8", "accelerator", "tile_y", 8),
        ("lanes_per_pe=32", "accelerator", "lanes_per_pe", 32),
        ("mac_per_lane=1", "accelerator", "mac_per_lane", 1),
        ("softmax_per_pe=8", "accelerator", "softmax_per_pe", 8),
        ("batch_size=16", "accelerator", "batch_size", 16),
        ("activation_buffer_mb=8", "accelerator", "activation_buffer_mb", 8),
        ("weight_buffer_mb=16", "accelerator", "weight_buffer_mb", 16),
        ("mask_buffer_mb=2", "accelerator", "mask_buffer_mb", 2),
        ("memory=hbm_32_1_4", "accelerator", "memory", "hbm_32_1_4"),
        ("memory_index=10", "accelerator", "memory", "hbm_32_1_4"),
        ("memory_type=rram", "accelerator", "memory", "rram_32_2_1"),
        ("issue_width=64", "accelerator", "issue_width", 64),
        ("loop_order=k_i_j_b", "accelerator", "loop_order", "k_i_j_b"),
        ("non_linearity=relu", "accelerator", "non_linearity", "relu"),
        ("activation_sparsity=0.25", "settings", "activation_sparsity", 0.25),
        ("weight_sparsity=0.75", "settings", "weight_sparsity", 0.75),
        ("gradient_sparsity=0.5", "settings", "gradient_sparsity", 0.5),
        ("sequence_length=64", "settings", "sequence_length", 64),
        ("vocabulary=1000", "settings", "vocabulary", 1000),
    ],
)
def test_settings_are_overridden_one_by_one(run: Run, setting: str, place: str, name: str, value: object) -> None:
    base = ("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", "edge", "--task", "training", "--json")
    base += ("--engine", "fast", "--mode", "reference")
    plain, changed = run(*base).json, run(*base, "--set", setting).json
    before, after = (found[place]["choices"] if place == "accelerator" else found[place] for found in (plain, changed))
    assert after[name] == value != before[name]
    assert changed["key"] != plain["key"]
    idle = {"issue_width", "loop_order", "mask_buffer_mb"}  # no part in the fast engine's time and energy
    figures = ("cycles", "energy_j", "area_mm2")
    same = all(changed["measures"][figure] == plain["measures"][figure] for figure in figures)
    assert same == (name in idle - {"mask_buffer_mb"})


def test_similar_trains_embeds_and_finds_neighbours(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SurrogateSettings(members=1, steps=20, trees=0)  # how well it learns is tested where learning is
    monkeypatch.setattr("explorer.learning.surrogates.settings_of", lambda task: small)
    run("load")
    model = registry.preset("bert-tiny")
    base = ("similar", model.key[:12], "-k", "5", "--by", "behaviour", "--json")
    found = run(*base)
    assert found.status == 0, found.err
    assert [set(row) for row in found.json] == [{"key", "score", "space", "choices"}] * 5
    scores = [row["score"] for row in found.json]
    assert scores == sorted(scores, reverse=True)
    assert model.key not in {row["key"] for row in found.json}
    near = store.architectures.get_many([row["key"] for row in found.json])
    assert {architecture.domain for architecture in near.values()} == {"transformer"}
    assert run(*base).json == found.json
    assert "Nearest to" in run("similar", model.key, "-k", "2", "--by", "behaviour").out
    refused = run(*base, "--rank-again")
    assert refused.status == 2
    assert "--rank-again is about the edit distance" in " ".join(refused.err.split())


def test_similar_by_edit_distance(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.learning.similarity.SETTINGS", EncoderSettings(width=64, steps=100))
    monkeypatch.setattr("explorer.learning.similarity.DESIGNS_PER_SPACE", 60)
    run("load")
    model = registry.preset("bert-tiny")
    ranked = run("similar", model.key, "-k", "5", "--json").json
    assert ranked == run("similar", model.key, "-k", "5", "--rank-again", "--json").json
    assert all(row["at_least"] <= row["distance"] and row["estimated"] is False for row in ranked)
    distances = [row["distance"] for row in ranked]
    assert distances == sorted(distances)  # the first can be 0: the same graph in another space
    assert distances[-1] > 0
    table = run("similar", model.key, "-k", "2").out
    assert "by distance" in table and "estimated" not in table and ranked[0]["key"][:12] in table
    estimated = run("similar", model.key, "-k", "5", "--estimate", "--json")
    assert estimated.status == 0, estimated.err
    assert [row["estimated"] for row in estimated.json] == [True] * 5
    assert "estimated" in run("similar", model.key, "-k", "2", "--estimate").out
    refused = run("similar", model.key, "--estimate", "--by", "behaviour")
    assert "needs --by distance" in " ".join(refused.err.split())
    accelerator = registry.preset("edge")
    refused = run("similar", accelerator.key, "--by", "distance")
    assert refused.status == 2
    assert "The domain accelerator has no edit distance; these have: transformer." in " ".join(refused.err.split())


def test_a_search_reports_and_goes_on(run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.register()
    # Threads, as processes would not know the toy; the pool of processes has tests of its own.
    monkeypatch.setattr(
        "explorer.running.executor.open_executor", lambda workers, scheduler: ThreadPoolExecutor(workers)
    )
    base = ("search", "--workers", "1", "--plots", tmp_path, "--json")
    first = run(*base, "toy", "--budget", "12", "--seed", "4", "--name", "mine")
    assert first.status == 0, first.err
    assert set(first.json) >= {"study", "trials", "best", "pareto"}
    assert (first.json["study"], first.json["trials"]) == ("mine", 12)
    assert first.json["best"]["roles"].keys() == {"model", "accelerator"}
    assert first.json["best"]["measures"]["loss"] == min(t["measures"]["loss"] for t in first.json["pareto"])
    more = run(*base, "--resume", "mine", "--budget", "16").json
    assert more["trials"] == 16
    assert more["best"]["objective"] >= first.json["best"]["objective"]
    shown = run("study", "show", "mine", "--json").json
    assert [trial["index"] for trial in shown["trials"]] == list(range(16))
    assert [study["study"] for study in run("study", "list", "--json").json] == ["mine"]
    table = run("study", "show", "mine")
    assert "Trials" in table.out
    assert "infeasible" not in table.out
    assert "mine" in run("study", "list").out


def test_pictures_and_ablation_of_a_detailed_run(run: Run, tmp_path: Path) -> None:
    pair = ("simulate", "acceltran", "--model", "bert-nano", "--accelerator", "edge")
    found = run(*pair, "--plot", tmp_path / "figures", "--ablate", "--json")
    assert found.status == 0, found.err
    names = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert len(names) == 4 and {file.suffix for file in (tmp_path / "figures").iterdir()} == {".png", ".svg"}
    assert found.json["measures"]["peak_power_w"] >= found.json["measures"]["average_power_w"]
    shown = run(*pair, "--ablate")
    assert "bandwidth" in shown.out and "Corrections" in shown.out
