"""Agreement of the scheduler with runs of the published detailed simulator, to the digit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading
from tests.explorer.domains.accelerator.acceltran.scheduling import energies_j, reference, schedule

ROWS = reading.table("detailed_peer.csv")
ENDED = [row for row in ROWS if not row["failure"]]
FAILED = [row for row in ROWS if row["failure"]]
EDGE = {**reading.EDGE, "issue_width": 8}


def arguments(row: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any], Any]:
    return json.loads(row["model"]), json.loads(row["choices"]), reference(**json.loads(row["settings"]))


@pytest.mark.parametrize("row", ENDED, ids=lambda row: row["case"])
def test_runs_of_the_published_code(row: dict[str, str]) -> None:
    model, choices, settings = arguments(row)
    trace = schedule(model, choices, settings)
    assert trace.cycles == int(row["cycles"])
    assert trace.stalls["data_missing"] == int(row["data_missing"])
    energies = energies_j(model, choices, settings, trace)
    wanted = {name: float(value) * 1e-9 for name, value in row.items() if name.endswith("_nj")}
    modules = ("mac", "softmax", "layer_norm")
    written = ("weight_buffer_write", "mask_buffer_write", "main_memory_access")
    pairs = {
        "pe_dynamic_nj": [f"energy_{module}_dynamic_j" for module in modules],
        "pe_leakage_nj": [f"energy_{module}_leakage_j" for module in modules],
        "activation_dynamic_nj": ["energy_activation_buffer_write_j"],
        **{f"{name}_leakage_nj": [f"energy_{name}_buffer_leakage_j"] for name in ("activation", "weight", "mask")},
    }
    for column, parts in pairs.items():
        assert sum(energies[part] for part in parts) == pytest.approx(wanted[column], rel=1e-6), column
    moved = wanted["weight_dynamic_nj"] + wanted["mask_dynamic_nj"]
    assert sum(energies[f"energy_{part}_j"] for part in written) == pytest.approx(moved, rel=1e-6)


def test_enough_settings_are_compared() -> None:
    assert len(ENDED) >= 30
    choices = [json.loads(row["choices"]) for row in ENDED]
    for name in set(choices[0]) - {"tile_y"}:
        assert len({entry[name] for entry in choices}) > 1, name
    heads = {head.rsplit("_", 1)[0] for row in ENDED for layer in json.loads(row["model"])["o"] for head in layer}
    assert heads >= {"sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9", "c_13"}


@pytest.mark.parametrize("row", FAILED, ids=lambda row: row["case"])
def test_what_the_published_code_cannot_run(row: dict[str, str]) -> None:
    expected = {
        "error": "buffer has .* needs",
        "assertion": "softmax tiles is issued|required when",
        "never ends": "never ends|never fits",
    }
    with pytest.raises(InputError, match=expected[row["failure"]]) as failure:
        schedule(*arguments(row))
    assert "allowed: " in str(failure.value)


@pytest.mark.parametrize("row", [row for row in reading.table("golden.csv") if row["engine"] == "detailed"], ids=str)
def test_presets(row: dict[str, str]) -> None:
    model = {"bert-nano": reading.BERT_NANO, "bert-tiny": reading.BERT_TINY}[row["model"]]
    choices = {**EDGE, "tile_x": 8, "tile_y": 8} if row["override"] else EDGE
    trace = schedule(model, choices, reference())
    assert trace.cycles == int(row["cycles"])
    total = energies_j(model, choices, reference(), trace)["energy_j"]
    assert total * 1e6 == pytest.approx(float(row["total_uj"]), abs=5.1e-4)
