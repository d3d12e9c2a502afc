"""The fast engine with corrections, against the detailed engine that it estimates."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.engines import analytic, detailed
from explorer.domains.accelerator.acceltran.engines.composing import model_outline
from explorer.domains.accelerator.acceltran.engines.outline import OPERATIONS, TRANSFERS, Outline, outline
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.domains.accelerator.acceltran.program import Operation, flat
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran.closing import unclosed

ESTIMATES = Path(__file__).parents[5] / "data" / "acceltran" / "estimates.json"


def choices(name: str) -> Any:
    return registry.preset(name).choices


@pytest.mark.parametrize(
    ("model", "accelerator"),
    [("bert-nano", "edge"), ("bert-tiny", "edge"), ("bert-mini", "edge"), ("bert-tiny", "server")],
)
def test_presets_take_what_the_detailed_engine_finds(model: str, accelerator: str) -> None:
    settings = RunSettings()
    fast = analytic.estimate(choices(model), choices(accelerator), settings)
    slow = detailed.simulate(choices(model), choices(accelerator), settings).measures
    assert fast["cycles"] == pytest.approx(slow["cycles"], rel=0.12)
    assert fast["energy_j"] == pytest.approx(slow["energy_j"], rel=0.03)
    for same in ("area_mm2", "energy_mac_dynamic_j", "energy_softmax_dynamic_j", "footprint_weights_bytes"):
        assert fast[same] == pytest.approx(slow[same], rel=1e-9), same
    assert set(fast) < set(slow) <= set(MEASURES)
    assert not unclosed(fast)


def test_random_pairs_are_ranked_as_by_the_detailed_engine() -> None:
    generator, settings = np.random.default_rng(2), RunSettings(sequence_length=64)
    models, accelerators = registry.space("flexibert_early"), registry.space("elector")
    rows = []
    for _ in range(16):
        model, accelerator = models.build(models.sample(generator)).choices, accelerators.sample(generator)
        fast = analytic.estimate(model, accelerator, settings)
        slow = detailed.simulate(model, accelerator, settings).measures
        assert not unclosed(fast)
        rows.append([fast["cycles"], slow["cycles"], fast["energy_j"], slow["energy_j"]])
    columns = np.array(rows).T
    ranks = columns.argsort(axis=1).argsort(axis=1)
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > 0.9
    assert np.corrcoef(ranks[2], ranks[3])[0, 1] > 0.85
    assert np.median(columns[0] / columns[1]) == pytest.approx(1, abs=0.1)
    assert np.median(columns[2] / columns[3]) == pytest.approx(1, abs=0.1)


def items_of(rows: Outline) -> tuple[Counter[Any], Counter[Any]]:
    """Operations with their sizes and numbers, and transfers with theirs."""
    operations: Counter[Any] = Counter()
    for pattern, *sizes, times, alone in rows.operations.tolist():
        operations[OPERATIONS[int(pattern)], *sizes, "times"] += times
        operations[OPERATIONS[int(pattern)], *sizes, "alone"] += alone
    transfers: Counter[Any] = Counter()
    for pattern, elements, *counts in rows.transfers.tolist():
        for name, count in zip(("times", "alone", "again"), counts[:3], strict=True):
            transfers[TRANSFERS[int(pattern)], elements, name] += count
        # Whether a tensor that is read was loaded or stored is another part's business.
        kind = TRANSFERS[int(pattern)]
        transfers[kind.buffer, kind.role, elements, "readers"] += counts[3]
    return +operations, +transfers


def heads_of(rows: Outline) -> Counter[Any]:
    """Groups of heads, each with its operations and transfers, and their number."""
    heads, groups = rows.heads, Counter[Any]()
    for number, times in enumerate(heads.times.tolist()):
        group: Counter[Any] = Counter()
        for head in np.flatnonzero(heads.group == number).tolist():
            work = rows.operations[heads.operation[heads.operation_head == head], :5].tolist()
            moves = rows.transfers[heads.transfer[heads.transfer_head == head], :2].tolist()
            group[str(work), str(moves)] += heads.count[head]
        groups[frozenset(group.items())] += times
    return groups


MIXED = {
    "l": 3,
    "o": [["sa_wma_64", "c_5_64", "l_dct_64", "l_dft_64"], ["sa_sdp_64", "sa_sdp_64"], ["c_9_64"]],
    "h": [128, 256, 256],
    "f": [[512, 256], [1024], [256]],
}


@pytest.mark.parametrize("model", [MIXED, "bert-mini"], ids=["mixed", "bert-mini"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"causal": True},
        {"first_layer_only": True},
        {"correct": "none"},
        {"correct": "-dependencies"},
        {"correct": "-residual,-elementwise,-head-merge,-dependencies"},
        {"correct": "-activation-shape,-weights-once,-embedding-rows"},
        {"task": "training"},
        {"task": "training", "recompute": True, "optimiser": "sgd"},
        {"task": "training", "correct": "-residual,-elementwise,-write-back,-weights-once"},
        {"task": "training", "correct": "-backward,-dependencies"},
    ],
    ids=str,
)
def test_an_outline_made_of_parts_is_that_of_the_program(model: Any, options: dict[str, Any]) -> None:
    settings = RunSettings.model_validate(options)
    model = choices(model) if isinstance(model, str) else model
    whole, composed = outline(build_program(model, 4, settings)), model_outline(model, 4, settings)
    assert items_of(composed) == items_of(whole)
    assert heads_of(composed) == heads_of(whole)
    assert composed.footprint_elements == whole.footprint_elements


def test_estimates_side_by_side_are_those_of_each_pair() -> None:
    generator, settings = np.random.default_rng(5), RunSettings()
    models, accelerators = registry.space("flexibert2"), registry.space("elector")
    pairs = [(models.build(models.sample(generator)).choices, accelerators.sample(generator)) for _ in range(6)]
    pairs.append((MIXED, {**choices("edge"), "weight_buffer_mb": 0.05, "loop_order": "k_i_j_b"}))
    for pair, figures in zip(pairs, analytic.evaluate(pairs, settings), strict=True):
        assert figures == analytic.estimate(*pair, settings)


@pytest.mark.parametrize("kept", json.loads(ESTIMATES.read_text(encoding="utf-8")), ids=lambda kept: kept["name"])
def test_estimates_are_those_of_operations_one_by_one(kept: dict[str, Any]) -> None:
    """The figures are those of an engine that went through every operation of a program in turn."""
    figures = analytic.estimate(kept["model"], kept["accelerator"], RunSettings.model_validate(kept["settings"]))
    for name, value in kept["measures"].items():
        assert figures[name] == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("task", ["inference", "training"])
def test_an_outline_counts_all_of_the_program(task: str) -> None:
    program = build_program(choices("bert-tiny"), 4, RunSettings.model_validate({"task": task}))
    rows = outline(program)
    operations, transfers = list(flat(program.compute)), list(flat(program.memory))
    assert rows.operations[:, 5].sum() == len(operations)
    assert rows.transfers[:, 2].sum() == len(transfers)
    sizes = Counter((item.batch, item.x, item.y, item.z) for item in operations)
    counted: Counter[Any] = Counter()
    for _, *size, times, _ in rows.operations.tolist():
        counted[tuple(size)] += times
    assert counted == sizes
    alone = sum(isinstance(item, Operation) for item in program.compute)
    assert rows.operations[:, 6].sum() == alone
    assert outline(program) is rows


@pytest.mark.parametrize(
    "switch", [name for name, switch in SWITCHES.items() if switch.part == "energy" and name != "wake-up"]
)
def test_corrections_of_energy_weigh_what_they_do_in_detail(switch: str) -> None:
    """Wake-ups need a schedule; the estimate says that it leaves them out."""
    settings, without = RunSettings(), RunSettings(correct=f"-{switch}")
    pair = choices("bert-tiny"), choices("edge")
    fast = analytic.estimate(*pair, settings)["energy_j"] - analytic.estimate(*pair, without)["energy_j"]
    slow = (
        detailed.simulate(*pair, settings).measures["energy_j"] - detailed.simulate(*pair, without).measures["energy_j"]
    )
    assert fast == pytest.approx(slow, rel=0.25)


def test_what_cannot_run_is_refused_in_its_place() -> None:
    large = {**choices("bert-tiny"), "h": [1024, 1024], "o": [["sa_sdp_64"]] * 2}
    small = {**choices("edge"), "weight_buffer_mb": 0.25}
    outcomes = analytic.evaluate(
        [(large, small), (choices("bert-tiny"), choices("edge"))], RunSettings(correct="-refetch")
    )
    assert isinstance(outcomes[0], InputError) and isinstance(outcomes[1], dict)
    assert "MiB of the weight buffer" in str(outcomes[0]) and "refetch" in str(outcomes[0])
    (streamed,) = analytic.evaluate([(large, small)], RunSettings())
    (roomy,) = analytic.evaluate([(large, choices("edge"))], RunSettings())
    assert isinstance(streamed, dict) and isinstance(roomy, dict)
    assert streamed["main_memory_traffic_bytes"] >= roomy["main_memory_traffic_bytes"]
