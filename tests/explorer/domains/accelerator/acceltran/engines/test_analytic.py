"""The fast engine with corrections, against the detailed engine that it estimates."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.engines import analytic, detailed
from explorer.domains.accelerator.acceltran.engines.outline import outline
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.domains.accelerator.acceltran.program import Operation, Transfer, flat
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran.closing import unclosed


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


def nameless(item: Operation | Transfer) -> Operation | Transfer:
    if isinstance(item, Operation):
        return replace(item, name="", needs=(), after=())
    return replace(item, tensor="", made_by=None)


@pytest.mark.parametrize("task", ["inference", "training"])
def test_an_outline_counts_all_of_the_program(task: str) -> None:
    program = build_program(choices("bert-tiny"), 4, RunSettings.model_validate({"task": task}))
    rows = outline(program)
    items: list[Operation | Transfer] = [*flat(program.compute), *flat(program.memory)]
    counts: Counter[Operation | Transfer] = Counter()
    for operation, times in rows.operations:
        counts[nameless(operation)] += times
    for moved in rows.transfers:
        counts[nameless(moved.transfer)] += moved.times
    assert counts == Counter(map(nameless, items))
    in_heads = sum(
        (len(work) + len(moves)) * count * group.times
        for group in rows.head_groups
        for work, moves, count in group.heads
    )
    alone = sum(times for _, times in (*rows.single_operations, *rows.single_transfers))
    assert in_heads + alone == len(items)
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
