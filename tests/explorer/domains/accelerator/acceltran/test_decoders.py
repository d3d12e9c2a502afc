"""Decoders on accelerators: both engines in mode corrected, and what is refused elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer import registry
from explorer.domains.accelerator.acceltran.building.decoder import BEYOND
from explorer.domains.accelerator.acceltran.settings.run import run_settings
from explorer.domains.transformer.hugging_face import from_configuration
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from tests.explorer.cli.test_bad_input import refused
from tests.explorer.conftest import Run
from tests.explorer.domains.transformer.decoder.toys import toys


def roles(name: str = "llama") -> dict[str, Architecture]:
    model = registry.space("transformer_free").build(from_configuration(toys(False)[name].to_dict()))
    return {"model": model, "accelerator": registry.preset("edge")}


def run(engine: str, phase: str, name: str = "llama", **settings: Any) -> Measurement:
    given = {"engine": engine, "phase": phase, "sequence_length": 16, **settings}
    return registry.simulator("acceltran").run(roles(name), given)


@pytest.mark.parametrize("phase", ["prompt", "token"])
@pytest.mark.parametrize("name", ["llama", "gemma", "gpt2"])
def test_both_engines_agree_where_nothing_is_spilt(name: str, phase: str) -> None:
    fast, detailed = run("fast", phase, name).measures, run("detailed", phase, name).measures
    assert fast["cycles"] == pytest.approx(detailed["cycles"], rel=0.25)
    assert fast["energy_j"] == pytest.approx(detailed["energy_j"], rel=0.25)
    for measure in ("main_memory_traffic_bytes", "footprint_weights_bytes", "energy_mac_dynamic_j"):
        assert fast[measure] == pytest.approx(detailed[measure], rel=1e-9), measure


@pytest.mark.parametrize("engine", ["fast", "detailed"])
def test_a_longer_cache_moves_more_data(engine: str) -> None:
    short, long = (
        run(engine, "token", sequence_length=length).measures["main_memory_traffic_bytes"] for length in (16, 64)
    )
    batch = registry.preset("edge").choices["batch_size"]
    elements = batch * 48 * 2 * 2 * 2 * 8  # tokens, layers, keys and values, key-value heads of width 8
    position = 0  # one row of angles in both cases
    # Half of the keys are zero; values as well: data of 20 bits and a bit of mask for each.
    assert long - short == pytest.approx(elements * (0.5 * 20 + 1) / 8 + position)


def test_remarks_on_decoders_alone() -> None:
    simulator = registry.simulator("acceltran")
    assert simulator.remarks(roles()) == (BEYOND,)
    assert not simulator.remarks({"model": registry.preset("bert-tiny")})
    assert not simulator.remarks({"accelerator": registry.preset("edge")})


@pytest.mark.parametrize("engine", ["fast", "detailed"])
def test_mode_reference_refuses_decoders(engine: str) -> None:
    with pytest.raises(InputError, match="The model is a decoder, which the published simulator does not know"):
        run(engine, "prompt", mode="reference")


@pytest.mark.parametrize("settings", [{"engine": "fast"}, {"engine": "detailed"}])
def test_encoders_refuse_the_phase_of_a_token(settings: dict[str, Any]) -> None:
    pair = roles() | {"model": registry.preset("bert-tiny")}
    with pytest.raises(InputError, match="phase of acceltran has no effect on an encoder"):
        registry.simulator("acceltran").run(pair, {"phase": "token", **settings})


def test_a_phase_that_would_be_ignored_is_refused() -> None:
    with pytest.raises(InputError, match="phase of acceltran has no effect without a decoder"):
        run_settings({"phase": "token", "mode": "reference"})
    with pytest.raises(InputError, match="phase of acceltran has no effect without inference"):
        run_settings({"phase": "token", "task": "training"})


def test_the_default_phase_is_not_stored_so_that_old_measurements_keep_their_keys() -> None:
    assert "phase" not in run("fast", "prompt").settings
    assert run("fast", "token").settings["phase"] == "token"
    assert run_settings(run("fast", "token").settings).model_dump(mode="json")["phase"] == "token"


def test_what_is_printed_says_that_it_is_beyond_the_published_simulator(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(toys(True)["llama"].to_dict()))
    command = ("simulate", "acceltran", "--model", file, "--accelerator", "edge", "--phase", "token")
    assert "Decoders are beyond the published simulator" in " ".join(run(*command).out.split())
    document = run(*command, "--json").json
    assert document["notes"] == [BEYOND]
    assert document["settings"]["phase"] == "token"
    encoder = run("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", "edge", "--json").json
    assert "notes" not in encoder and "phase" not in encoder["settings"]
    sample = run("explore", "elector", "--model", file, "--samples", 2, "--json")
    assert sample.json["notes"] == [BEYOND] and BEYOND in " ".join(sample.err.split())


def test_an_ablation_says_which_corrections_a_decoder_needs(run: Run) -> None:
    command = (
        "simulate",
        "acceltran",
        "--model",
        "llama-tiny",
        "--accelerator",
        "edge",
        "--set",
        "first_layer_only=true",
    )
    rows = {(row["case"], row["correction"]): row for row in run(*command, "--ablate", "--json").json["ablation"]}
    assert "is off for a decoder" in rows["without", "residual"]["refusal"]
    assert rows["without", "bandwidth"]["cycles_ratio"] < 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("cross", "gpt2", "bert-tiny", "--level", "2"),
        ("pretrain", "flexibert", "gpt2", "--corpus", "corpus.txt", "--out", "folder"),
    ],
)
def test_what_knows_encoders_alone_refuses_decoders(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("corpus.txt").write_text("Once upon a time there was a fox. " * 50)
    refused(run(*arguments), "The model is a decoder; allowed: an encoder")
    assert not Path("folder").exists()
