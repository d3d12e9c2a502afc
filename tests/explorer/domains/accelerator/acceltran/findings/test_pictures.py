"""Arrays of the pictures: means over time, breakdowns that sum to the total, points under the roof."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explorer import registry
from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.chip.components import Module, components
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ
from explorer.domains.accelerator.acceltran.chip.hardware import hardware
from explorer.domains.accelerator.acceltran.costs import (
    Costs,
    OperationCost,
    TransferCost,
    machine,
    operation_cost,
    transfer_cost,
)
from explorer.domains.accelerator.acceltran.findings.measures import measures
from explorer.domains.accelerator.acceltran.findings.pictures import (
    chip_area,
    mean_rate,
    run_energy,
    run_roofline,
    run_timeline,
    sums_energy,
)
from explorer.domains.accelerator.acceltran.program import Kind, Operation, Program, TensorRole, Transfer
from explorer.domains.accelerator.acceltran.schedule.scheduler import Resources, run
from explorer.domains.accelerator.acceltran.schedule.trace import (
    COMPUTE_STALLS,
    MEMORY_STALLS,
    OperationRun,
    Trace,
    TransferRun,
)
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.report.roofline import attainable

EDGE = registry.preset("edge").choices
LANES = 64 * 16
PRODUCT = Operation("p", Kind.PRODUCT, 4, 128, 128, 64, TensorRole.INPUT, TensorRole.WEIGHT, needs=("x", "w"))
SOFTMAX = Operation("s", Kind.SOFTMAX, 4, 128, 128, 0, TensorRole.SCORES, TensorRole.SCORES)
LOAD = Transfer("w", "load", "weight", 4 * 128 * 64, TensorRole.WEIGHT)
PROGRAM = Program((PRODUCT, SOFTMAX), (LOAD,))
COSTS = Costs(
    {
        PRODUCT: OperationCost(Module.MAC_LANE, 1024, 64, 4096, (256, 256)),
        SOFTMAX: OperationCost(Module.SOFTMAX, 256, 8, 0, (256, 0)),
    }.__getitem__,
    lambda transfer: TransferCost(
        10.0 * transfer.elements, 1.0 * transfer.elements, 50, 10, transfer.elements / 2, 0.0, transfer.elements / 2
    ),
)
TRACE = Trace(
    cycles=400,
    operations=(
        OperationRun(PRODUCT, 100, 228, 1024, LANES // 2 * 128),
        OperationRun(SOFTMAX, 200, 400, 256, 256 * 8),
    ),
    transfers=(TransferRun(LOAD, 0, 50, 10),),
    module_cycles={Module.MAC_LANE: LANES // 2 * 128, Module.SOFTMAX: 256 * 8, Module.LAYER_NORM: 0},
    buffer_cycles={"weight": 50, "mask": 10, "activation": 0},
    held_bit_cycles={},
    peak_bits={},
    stalls=dict.fromkeys((*MEMORY_STALLS, *COMPUTE_STALLS), 0),
    overlap_cycles=28,
)


def test_means_weigh_what_overlaps_an_interval() -> None:
    edges = np.array([0.0, 2.0, 4.0, 8.0])
    assert mean_rate([(1, 3, 1.0), (2, 6, 0.5)], edges).tolist() == [0.5, 1.0, 0.25]
    assert mean_rate([], edges).tolist() == [0.0, 0.0, 0.0]
    assert mean_rate([(3, 3, 1.0)], edges).tolist() == [0.0, 0.0, 0.0]


def test_means_keep_the_integral() -> None:
    generator = np.random.default_rng(0)
    starts, lengths, rates = generator.random((3, 500)) * [[90], [10], [1]]
    spans = list(zip(starts, starts + lengths, rates, strict=True))
    edges = np.linspace(0, 100, 37)
    assert mean_rate(spans, edges) @ np.diff(edges) == pytest.approx(math.fsum(lengths * rates), rel=1e-9)


def test_the_timeline_has_the_use_and_the_energy_of_the_run() -> None:
    settings = RunSettings(engine="detailed")
    chip = components(EDGE, False)
    drawn = run_timeline(PROGRAM, COSTS, TRACE, chip, settings)
    widths = np.diff(drawn.edges_s)
    assert len(widths) == 400
    assert drawn.edges_s[-1] == pytest.approx(400 / CLOCK_HZ)
    assert set(drawn.use) == {"MAC lanes", "softmax", "layer norm", "activation buffer", "weight buffer", "mask buffer"}
    assert drawn.use["MAC lanes"][[99, 100, 227, 228]].tolist() == pytest.approx([0, 0.5, 0.5, 0])
    assert np.average(drawn.use["softmax"]) == pytest.approx(256 * 8 / 256 / 400)
    assert drawn.use["weight buffer"].sum() == pytest.approx(50)
    lanes = chip.modules["mac"]
    joules = LANES // 2 * 128 * (lanes.dynamic_mw + lanes.leakage_mw) * 1e-3 / CLOCK_HZ
    assert drawn.power_w["MAC lanes"] @ widths == pytest.approx(joules, rel=1e-9)
    assert len(run_timeline(PROGRAM, COSTS, TRACE, chip, settings, intervals=7).edges_s) == 8


@pytest.mark.parametrize("task", ["inference", "training"])
def test_breakdowns_sum_to_the_totals(task: str) -> None:
    settings = RunSettings.model_validate({"task": task, "mode": "reference"})
    pair = {"model": registry.preset("bert-tiny"), "accelerator": registry.preset("edge")}
    measures = registry.simulator("acceltran").run(pair, {"task": task, "engine": "fast", "mode": "reference"}).measures
    assert sums_energy(measures).total == pytest.approx(measures["energy_j"], rel=1e-12)
    chip = components(EDGE, settings.training)
    assert chip_area(chip, settings).total == pytest.approx(hardware(EDGE, settings.training).area_mm2, rel=1e-12)


def test_points_stand_under_the_roofs() -> None:
    drawn = run_roofline(PROGRAM, COSTS, TRACE, EDGE, RunSettings(engine="detailed", mode="corrected"))
    assert drawn.kind == ["product with weights"]
    assert drawn.peak_macs_per_s == LANES * 16 * CLOCK_HZ
    assert drawn.bandwidths == {"main memory": 25.6e9, "port of a buffer": 370e9}
    done = 1024 * 64 * 16  # a quarter of the multiplications; the others are skipped
    assert drawn.macs_per_s == [pytest.approx(done / (128 / CLOCK_HZ))]
    assert drawn.macs_per_byte == [pytest.approx(done / (10 * LOAD.elements / 8))]


def test_operands_that_take_longer_than_the_operation_bound_it() -> None:
    slow = COSTS._replace(transfer=lambda t: TransferCost(10.0 * t.elements, 0.0, 1000, 10, 0.0, 0.0, 0.0))
    drawn = run_roofline(PROGRAM, slow, TRACE, EDGE, RunSettings(engine="detailed", mode="reference"))
    assert drawn.seconds == [pytest.approx(1000 / CLOCK_HZ)]
    published = (1 << 30) * 20 / 8 / 1e9
    assert drawn.bandwidths["main memory"] == pytest.approx(25.6e9 * published)


@pytest.fixture(scope="module", params=["reference", "corrected"])
def real(request: pytest.FixtureRequest) -> tuple[Program, Costs, Trace, RunSettings]:
    """BERT-Tiny on edge."""
    settings = RunSettings(engine="detailed", mode=request.param)
    on = machine(EDGE, False)
    costs = Costs(
        lambda operation: operation_cost(operation, on, settings, lambda role: 0.5),
        lambda transfer: transfer_cost(transfer, on, settings, lambda role: 0.5),
    )
    program = build_program(registry.preset("bert-tiny").choices, EDGE["batch_size"], settings)
    capacities = (EDGE[f"{name}_buffer_mb"] * (8 << 20) for name in ("activation", "weight", "mask"))
    resources = Resources(EDGE["pe"], EDGE["lanes_per_pe"], EDGE["softmax_per_pe"], EDGE["issue_width"], *capacities)
    return program, costs, run(program, costs, resources, settings), settings


Real = tuple[Program, Costs, Trace, RunSettings]


def test_power_of_a_real_run_integrates_to_its_energy(real: Real) -> None:
    program, costs, trace, settings = real
    chip = components(EDGE, False)
    drawn = run_timeline(program, costs, trace, chip, settings)
    measured = measures(program, costs, trace, chip, settings)
    shown = sum(drawn.power_w.values()) @ np.diff(drawn.edges_s)
    assert shown == pytest.approx(measured["energy_j"], rel=0.01)  # what ends after the last operation is not shown
    assert run_energy(measured).total == pytest.approx(measured["energy_j"], rel=1e-9)
    busy = np.average(drawn.use["MAC lanes"])
    assert busy == pytest.approx(measured["utilisation_mac"], rel=0.02)
    assert all(share.max() <= 1 + 1e-9 for name, share in drawn.use.items() if name.endswith("buffer"))


def test_every_operation_of_a_real_run_is_under_its_roofs(real: Real) -> None:
    program, costs, trace, settings = real
    drawn = run_roofline(program, costs, trace, EDGE, settings)
    assert {"product with weights", "product of activations"} <= set(drawn.kind)
    fastest = max(drawn.bandwidths, key=lambda name: drawn.bandwidths[name])
    for intensity, speed in zip(drawn.macs_per_byte, drawn.macs_per_s, strict=True):
        assert 0 < speed <= attainable(drawn, fastest, intensity) * (1 + 1e-9)
    weights = [at for at, kind in enumerate(drawn.kind) if kind == "product with weights"]
    for at in weights:
        assert drawn.macs_per_s[at] <= attainable(drawn, "main memory", drawn.macs_per_byte[at]) * (1 + 1e-9)
