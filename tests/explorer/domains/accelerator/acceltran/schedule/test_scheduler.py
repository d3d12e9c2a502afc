"""The scheduler: its corrections, its refusals, and that passing over periods changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.chip.components import Module
from explorer.domains.accelerator.acceltran.program import Heads, Kind, Operation, Program, flat
from explorer.domains.accelerator.acceltran.schedule.periods import Periods
from explorer.domains.accelerator.acceltran.schedule.scheduler import Scheduler
from explorer.domains.accelerator.acceltran.schedule.trace import COMPUTE_STALLS, MEMORY_STALLS, Trace
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading
from tests.explorer.domains.accelerator.acceltran.scheduling import (
    corrected,
    costs_on,
    reference,
    schedule,
    schedule_program,
)

EDGE: dict[str, Any] = {**reading.EDGE, "issue_width": 8}
SMALL = {**EDGE, "pe": 16, "lanes_per_pe": 8, "softmax_per_pe": 2}
TINY = reading.BERT_TINY
MIXED = {
    "l": 2,
    "o": [["sa_wma_20", "c_13_16", "l_dft_16"], ["sa_sdp_24"]],
    "h": [48, 32],
    "f": [[100, 36], [40]],
}


def by_name(trace: Trace) -> dict[str, Any]:
    return {run.operation.name: run for run in trace.operations}


def test_a_module_is_taken_a_cycle_longer_than_it_works() -> None:
    program = Program(
        (
            Heads(
                (
                    (Operation("one", Kind.SOFTMAX, 1, 16, 32),),
                    (Operation("two", Kind.LAYER_NORM, 1, 16, 16),),
                )
            ),
        ),
        (),
    )
    choices = {**EDGE, "pe": 1, "softmax_per_pe": 1, "issue_width": 1}
    trace = schedule_program(
        program, choices, corrected(only=("softmax-units", "repeated-tiles", "dropped-tiles", "refetch"))
    )
    assert trace.cycles == 2 * (128 + 1)
    assert trace.module_cycles == {Module.MAC_LANE: 0, Module.SOFTMAX: 256, Module.LAYER_NORM: 16}


@pytest.mark.parametrize("choices", [EDGE, SMALL, {**SMALL, "issue_width": 3}, {**EDGE, "issue_width": 1}])
@pytest.mark.parametrize("schedule_name", ["staggered", "equal"])
@pytest.mark.parametrize("task", ["inference", "training"])
def test_periods_passed_over_change_nothing(
    monkeypatch: pytest.MonkeyPatch, choices: dict[str, Any], schedule_name: str, task: str
) -> None:
    settings = corrected(schedule=schedule_name, task=task, vocabulary=500)
    model = reading.bert(1, 2, 32, 64, 256)
    fast = schedule(model, choices, settings)
    monkeypatch.setattr(Periods, "pass_over", lambda self, now, windows: now)
    assert fast == schedule(model, choices, settings)


def test_periods_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cycles that are looked at do not grow with the number of tiles."""
    cycles, looked = [], []
    cycle = Scheduler._cycle
    monkeypatch.setattr(Scheduler, "_cycle", lambda self, now: (looked.append(now), cycle(self, now))[1])
    for batch in (64, 1024):
        looked.clear()
        schedule(TINY, {**EDGE, "batch_size": batch, "activation_buffer_mb": 4000, "mask_buffer_mb": 4000}, corrected())
        cycles.append(len(looked))
    assert cycles[1] < 1.3 * cycles[0]


def test_every_tile_runs_once() -> None:
    for choices in (EDGE, {**EDGE, "issue_width": 7}, {**SMALL, "issue_width": 1000}):
        settings = corrected(task="training", vocabulary=500)
        program = build_program(MIXED, choices["batch_size"], settings)
        costs = costs_on(choices, settings)
        runs = by_name(schedule(MIXED, choices, settings))
        assert {name: run.tiles for name, run in runs.items()} == {
            operation.name: costs.operation(operation).tiles for operation in flat(program.compute)
        }


def test_operations_wait_for_results() -> None:
    settings = corrected(task="training", vocabulary=500)
    for policy in ("staggered", "equal"):
        runs = by_name(schedule(MIXED, EDGE, settings.model_copy(update={"schedule": policy})))
        for run in runs.values():
            assert all(runs[name].end <= run.start for name in run.operation.after)


def test_equal_heads_keep_in_step() -> None:
    """Heads end closer together than where the first one runs ahead."""

    def spread(policy: Any) -> int:
        runs = by_name(schedule(reading.bert(1, 4, 64, 256, 256), SMALL, corrected(schedule=policy)))
        ends = [runs[f"sa_sdp_64_1_{head}_q"].end for head in (1, 2, 3, 4)]
        return max(ends) - min(ends)

    assert spread("equal") < spread("staggered")


@pytest.mark.parametrize("switch", ["softmax-units", "repeated-tiles"])
def test_faults_that_cost_time(switch: str) -> None:
    right, fault = schedule(TINY, EDGE, corrected()), schedule(TINY, EDGE, corrected(switch))
    assert fault.cycles > right.cycles
    assert sum(fault.module_cycles.values()) > sum(right.module_cycles.values())


def test_softmax_units_work_for_one_tile_each() -> None:
    right, fault = schedule(TINY, EDGE, corrected()), schedule(TINY, EDGE, corrected("softmax-units"))
    assert fault.module_cycles[Module.SOFTMAX] == 4 * right.module_cycles[Module.SOFTMAX]


def test_dropped_tiles_are_work() -> None:
    choices = {**EDGE, "issue_width": 12, "pe": 60}
    only = ("softmax-units",)
    lost = schedule(TINY, choices, corrected(only=only))
    kept = schedule(TINY, choices, corrected(only=(*only, "dropped-tiles")))
    assert kept.module_cycles[Module.SOFTMAX] > lost.module_cycles[Module.SOFTMAX]


def test_what_does_not_fit_is_streamed() -> None:
    """Smaller buffers cost transfers, never the run; nothing is held beyond the capacity."""
    settings, traffic = corrected(), []
    for activation, weight, mask in ((4, 8, 1), (0.1, 0.1, 0.05), (0.05, 0.02, 0.01), (1e-6, 1e-6, 1e-6)):
        choices = {
            **EDGE,
            "activation_buffer_mb": activation,
            "weight_buffer_mb": weight,
            "mask_buffer_mb": mask,
        }
        trace, costs = schedule(TINY, choices, settings), costs_on(choices, settings)
        for name, size in (("activation", activation), ("weight", weight), ("mask", mask)):
            assert trace.peak_bits[name] <= size * (8 << 20)
        traffic.append(sum(costs.transfer(run.transfer).memory_bytes for run in trace.transfers))
        assert any(run.unplanned for run in trace.transfers) is (activation < 4)
        assert all(run.end <= trace.cycles and run.mask_end <= trace.cycles for run in trace.transfers)
    assert traffic == sorted(traffic)
    assert traffic[-1] > 2 * traffic[0]


def test_transfers_that_share_a_port_do_not_overlap() -> None:
    trace = schedule(TINY, {**EDGE, "activation_buffer_mb": 0.3}, corrected(task="training"))
    for name in ("activation", "weight", "mask"):
        spans = [
            (run.start, run.mask_end if name == "mask" else run.end)
            for run in trace.transfers
            if name in ("mask", run.transfer.buffer)
        ]
        assert all(end <= start for (_, end), (start, _) in zip(sorted(spans), sorted(spans)[1:], strict=False))
        assert trace.buffer_cycles[name] == sum(end - start for start, end in spans)


def test_counts_are_consistent() -> None:
    for settings in (reference(), corrected()):
        trace = schedule(TINY, EDGE, settings)
        assert set(trace.stalls) == {*MEMORY_STALLS, *COMPUTE_STALLS}
        assert all(count >= 0 for count in trace.stalls.values())
        assert 0 <= trace.overlap_cycles <= trace.cycles
        assert sum(trace.module_cycles.values()) == sum(run.module_cycles for run in trace.operations)
        for name, bits in trace.held_bit_cycles.items():
            assert 0 < bits <= trace.peak_bits[name] * trace.cycles
        assert all(run.wake_ups > 0 for run in trace.operations if run.operation.name == "ln_0_1")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"weight_buffer_mb": 1}, r"The weight buffer has 1 MiB, but emb needs 4\.\d+ MiB there; allowed: a larger"),
        ({"pe": 20}, r"A window of 8 softmax tiles is issued when 4 processing elements have free softmax modules"),
        ({"issue_width": 64}, r"An issue window of 65 tiles of ln_0_1 never fits 64 layer_norm modules"),
        ({"activation_buffer_mb": 0.1}, r"activation buffer has|never ends"),
    ],
)
def test_what_the_published_code_fails_on(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        schedule(TINY, {**EDGE, **choices}, reference())
    assert schedule(TINY, {**EDGE, **choices}, corrected()).cycles > 0


def test_published_training_never_ends() -> None:
    with pytest.raises(InputError, match="never ends"):
        schedule(TINY, EDGE, reference(task="training"))
