"""Agreement with the published simulator: its data set, runs of its code, and its presets."""

from __future__ import annotations

import json
import re

import pytest

from explorer.domains.accelerator.acceltran.engines.fast import evaluate
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading


def test_published_pairs() -> None:
    """All 242 runnable rows, and a refusal of the 14 whose model could not have been run."""
    accelerators = {row["acc_id"]: row for row in reading.table("accelerators.csv")}
    models, rows = reading.models(), reading.table("pairs.csv")
    pairs = []
    for row in rows:
        found = accelerators[row["acc_id"]]
        memory = "_".join(found[name] for name in ("memory_type", "banks", "ranks", "channels"))
        choices = {**reading.numbers(found), "memory": memory, "non_linearity": "gelu"}
        pairs.append((models[row["txf_id"]], choices))
    checked = 0
    for row, figures in zip(rows, evaluate(pairs, RunSettings()), strict=True):
        if row["mislabelled"] == "1":
            assert isinstance(figures, InputError)
            continue
        assert not isinstance(figures, InputError)
        assert figures["cycles"] == int(row["cycles"])
        assert figures["area_mm2"] == pytest.approx(float(row["area_mm2"]), abs=1e-6)
        columns = {name.replace("layer_norm", "layernorm"): value for name, value in row.items()}
        columns |= {f"e_layer_norm_{sort}_nj": row[f"e_layernorm_{sort}_nj"] for sort in ("dyn", "leak")}
        wanted = reading.energies_j(columns, "e_{}_dyn_nj", "e_{}_leak_nj")
        wanted["energy_buffer_j"] = float(row["e_buffer_nj"]) * 1e-9
        wanted["energy_main_memory_j"] = float(row["e_main_memory_nj"]) * 1e-9
        assert {name: figures[name] for name in wanted} == pytest.approx(wanted, rel=1e-9)
        checked += 1
    assert checked == 242


@pytest.mark.parametrize("task", ["inference", "training"])
def test_runs_of_the_published_code(task: str) -> None:
    rows = [row for row in reading.table("peer.csv") if row["task"] == task]
    assert len(rows) >= 12
    pairs = [
        (json.loads(row["model"]), reading.numbers(row) | {name: row[name] for name in ("memory", "non_linearity")})
        for row in rows
    ]
    for row, figures in zip(rows, evaluate(pairs, RunSettings(task=task)), strict=True):  # type: ignore[arg-type]
        assert not isinstance(figures, InputError)
        assert figures["cycles"] == int(row["cycles"])
        assert figures["area_mm2"] == pytest.approx(float(row["area_mm2"]), abs=1e-6)
        wanted = reading.energies_j(row, "{}_dynamic_nj", "{}_leakage_nj")
        wanted["energy_buffer_j"] = float(row["buffer_nj"]) * 1e-9
        wanted["energy_main_memory_j"] = float(row["main_memory_nj"]) * 1e-9
        assert {name: figures[name] for name in wanted} == pytest.approx(wanted, rel=1e-9)


MODELS = {"bert-nano": reading.BERT_NANO, "bert-tiny": reading.BERT_TINY, "bert-base": reading.BERT_BASE}
PRESETS = {"edge": reading.EDGE, "server": reading.SERVER}


@pytest.mark.parametrize("row", [row for row in reading.table("golden.csv") if row["engine"] == "fast"], ids=str)
def test_presets(row: dict[str, str]) -> None:
    (figures,) = evaluate([(MODELS[row["model"]], PRESETS[row["preset"]])], RunSettings())
    assert not isinstance(figures, InputError)
    assert figures["cycles"] == int(row["cycles"])
    assert figures["area_mm2"] == pytest.approx(float(row["area_mm2"]), abs=5e-5)
    # "buffer 1.0147, ... MAC 7.6611/0.4703 (dynamic/leakage) ..., in uJ", rounded to four places
    printed = [float(number) for number in re.findall(r"\d+\.\d+", row["note"])]
    names = ["energy_buffer_j", "energy_main_memory_j"]
    names += [f"energy_{part}_{sort}_j" for part in reading.PARTS for sort in ("dynamic", "leakage")]
    assert [figures[name] * 1e6 for name in names] == pytest.approx(printed, abs=5.1e-5)
