"""Pictures of a run: the plain arrays that `explorer.report` draws, computed from a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.chip.area import areas
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components, Module, components
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ, published_bits_per_cycle
from explorer.domains.accelerator.acceltran.costs import Costs
from explorer.domains.accelerator.acceltran.findings.charges import charges
from explorer.domains.accelerator.acceltran.findings.profile import energy_breakdown, power_profile
from explorer.domains.accelerator.acceltran.measures import in_words
from explorer.domains.accelerator.acceltran.program import Kind, Operation, Program, TensorRole, Transfer, flat
from explorer.domains.accelerator.acceltran.schedule.trace import OperationRun, Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.elector.hardware import BUFFER_BANDWIDTH_BYTES_PER_S, main_memory
from explorer.report import breakdown, roofline, timeline
from explorer.report.breakdown import Breakdown
from explorer.report.roofline import Roofline
from explorer.report.timeline import Timeline

Numbers = npt.NDArray[np.float64]
INTERVALS = 400
_PART = re.compile(r"energy_(\w+)_(dynamic|leakage)_j")


def write_pictures(
    program: Program,
    costs: Costs,
    trace: Trace,
    measures: Mapping[str, float],
    accelerator: Mapping[str, Any],
    settings: RunSettings,
    title: str,
    folder: Path,
    name: str,
) -> list[Path]:
    """Draw timeline, energy, area and roofline of a run of the detailed engine, as PNG and SVG.

    Args:
        program, costs, trace, measures: program, costs, trace and measures of the run.
        accelerator: choices of the accelerator.
        settings: settings of the run.
        title: model and accelerator in words.
        folder: output folder; created if it does not exist.
        name: what the file names end with, different for every run.

    Raises:
        InputError: the folder cannot be written to.
    """
    chip = components(accelerator, settings.training, settings.overlay)
    return [
        *timeline.plot(run_timeline(program, costs, trace, chip, settings), title, folder / f"timeline-{name}"),
        *breakdown.plot(run_energy(measures), f"Energy of {title}", folder / f"energy-{name}"),
        *breakdown.plot(chip_area(chip, settings), "Area of the chip", folder / f"area-{name}"),
        *roofline.plot(
            run_roofline(program, costs, trace, accelerator, settings),
            f"Operations of {title}",
            folder / f"roofline-{name}",
        ),
    ]


def write_sums(
    measures: Mapping[str, float],
    accelerator: Mapping[str, Any],
    settings: RunSettings,
    title: str,
    folder: Path,
    name: str,
) -> list[Path]:
    """Draw energy and area of a run of the fast engine, which does not know the times of single operations.

    Args:
        measures: measures of the run.
        accelerator: choices of the accelerator.
        settings: settings of the run.
        title: model and accelerator in words.
        folder: output folder; created if it does not exist.
        name: what the file names end with, different for every run.

    Raises:
        InputError: the folder cannot be written to.
    """
    chip = components(accelerator, settings.training, settings.overlay)
    return [
        *breakdown.plot(sums_energy(measures), f"Energy of {title}", folder / f"energy-{name}"),
        *breakdown.plot(chip_area(chip, settings), "Area of the chip", folder / f"area-{name}"),
    ]


def run_timeline(
    program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings, intervals: int = INTERVALS
) -> Timeline:
    """Use of the modules and buffers, and power, over intervals of equal length.

    Args:
        program, costs, trace: program, costs and trace of the run.
        chip: accelerator on which it ran.
        settings: settings of the run.
        intervals: largest number of intervals; never more than there are cycles.
    """
    profile = power_profile(charges(program, costs, trace, chip, settings))
    edges = np.linspace(0.0, max(trace.cycles, 1), min(intervals, max(trace.cycles, 1)) + 1)
    use = {name: mean_rate(spans, edges) for name, spans in _use(costs, trace, chip).items()}
    power = {in_words(group): watts for group, watts in profile.means_w(edges).items()} if profile.power_w else {}
    return Timeline(edges / CLOCK_HZ, use, power)


def run_energy(measures: Mapping[str, float]) -> Breakdown:
    """Dynamic and leakage energy by module, from the measures of a detailed run."""
    parts = {in_words(group): kinds for group, kinds in energy_breakdown(measures).items()}
    return Breakdown(parts, "energy per batch", "J")


def sums_energy(measures: Mapping[str, float]) -> Breakdown:
    """Dynamic and leakage energy by module, from the measures of the fast engine."""
    parts = {
        "buffers": {"dynamic": measures["energy_buffer_j"]},
        "main memory": {"dynamic": measures["energy_main_memory_j"]},
    }
    for name, value in measures.items():
        part = _PART.fullmatch(name)
        if part:
            module, kind = part.groups()
            parts.setdefault(in_words(module), {})[kind] = value
    return Breakdown(parts, "energy per batch", "J")


def chip_area(chip: Components, settings: RunSettings) -> Breakdown:
    """Area by module."""
    parts = {in_words(name): {"area": area} for name, area in areas(chip, settings.switches).items()}
    return Breakdown(parts, "area", "mm²")


def run_roofline(
    program: Program, costs: Costs, trace: Trace, accelerator: Mapping[str, Any], settings: RunSettings
) -> Roofline:
    """The multiplying operations, under the roofs of multipliers, main memory and buffers.

    Multiplications are those that are carried out: for a tile, at most the multipliers of its lane times its cycles.
    Bytes are those of the operands, brought for this operation alone: from main memory if one comes from there,
    otherwise through the port of a buffer. The time is the operation's own, or the time to bring its operands if that
    is longer. Each operation is therefore below the roof of the multipliers and that of the source of its operands.

    Args:
        program, costs, trace: program, costs and trace of the run.
        accelerator: choices of the accelerator.
        settings: settings of the run.
    """
    multipliers = accelerator["mac_per_lane"]
    sources = _sources(program)
    points: list[tuple[float, float, str, float]] = []
    for run in trace.operations:
        cost = costs.operation(run.operation)
        done = run.tiles * min(cost.multiplications, cost.cycles * multipliers)
        bits, cycles = _brought(run.operation, sources, costs)
        seconds = max(run.end - run.start, cycles) / CLOCK_HZ
        if cost.module is Module.MAC_LANE and done and bits and seconds:
            points.append((done / (bits / 8), done / seconds, _kind(run.operation), seconds))
    memory = main_memory(accelerator["memory"]).bandwidth_bytes_per_s
    return Roofline(
        peak_macs_per_s=accelerator["pe"] * accelerator["lanes_per_pe"] * multipliers * CLOCK_HZ,
        bandwidths={
            "main memory": _as_modelled(memory, settings),
            "port of a buffer": _as_modelled(BUFFER_BANDWIDTH_BYTES_PER_S, settings),
        },
        macs_per_byte=[point[0] for point in points],
        macs_per_s=[point[1] for point in points],
        kind=[point[2] for point in points],
        seconds=[point[3] for point in points],
    )


def mean_rate(spans: Iterable[tuple[float, float, float]], edges: Numbers) -> Numbers:
    """Mean of the sum of rates in each interval.

    Args:
        spans: (start, end, rate) each; rates add up where spans overlap.
        edges: edges of the n intervals, shape (n + 1,), ascending.

    Returns:
        Means of shape (n,).
    """
    table = np.array([span for span in spans if span[1] > span[0]], dtype=np.float64).reshape(-1, 3)
    times = np.concatenate([table[:, 0], table[:, 1]])
    order = np.argsort(times, kind="stable")
    steps = np.cumsum(np.concatenate([table[:, 2], -table[:, 2]])[order])
    times = times[order]
    if not len(times):
        return np.zeros(len(edges) - 1)
    reached = np.concatenate([[0.0], np.cumsum(steps[:-1] * np.diff(times))])
    means: Numbers = np.diff(np.interp(edges, times, reached)) / np.diff(edges)
    return np.maximum(means, 0.0)


def _use(costs: Costs, trace: Trace, chip: Components) -> dict[str, list[tuple[float, float, float]]]:
    """Strip of the timeline -> spans of time, each with the share of modules that are busy."""
    busy: dict[str, list[tuple[float, float, float]]] = {in_words(kind): [] for kind in Module}
    busy |= {f"{name} buffer": [] for name in BUFFERS}
    for run in trace.operations:
        module = costs.operation(run.operation).module
        busy[in_words(module)].append(_busy(run, chip.module(module).count))
    for transfer in trace.transfers:
        busy[f"{transfer.transfer.buffer} buffer"].append((transfer.start, transfer.end, 1.0))
        busy["mask buffer"].append((transfer.start, transfer.mask_end, 1.0))
    return busy


def _busy(run: OperationRun, modules: int) -> tuple[float, float, float]:
    length = max(run.end - run.start, 1)
    return run.start, run.start + length, run.module_cycles / length / modules


def _kind(operation: Operation) -> str:
    if operation.kind is not Kind.PRODUCT:
        name = operation.kind.value
    else:
        name = "product with weights" if operation.right is TensorRole.WEIGHT else "product of activations"
    return f"backward {name}" if operation.backward else name


def _sources(program: Program) -> Mapping[str, Transfer]:
    """Tensor -> the transfer that first brings it into a buffer."""
    sources: dict[str, Transfer] = {}
    for transfer in flat(program.memory):
        if transfer.action != "write_back":
            sources.setdefault(transfer.tensor, transfer)
    return sources


def _brought(operation: Operation, sources: Mapping[str, Transfer], costs: Costs) -> tuple[float, int]:
    """Number of bits of an operation's operands, and cycles to bring them; masks are brought at the same time."""
    operands = [sources[tensor] for tensor in operation.needs if tensor in sources]
    loads = [transfer for transfer in operands if transfer.action == "load"]
    moved = [costs.transfer(transfer) for transfer in loads or operands]
    return sum(cost.bits for cost in moved), sum(cost.cycles for cost in moved)


def _as_modelled(bytes_per_s: float, settings: RunSettings) -> float:
    """A bandwidth, or the value that the published code uses for it."""
    if "bandwidth" in settings.switches:
        return bytes_per_s
    return published_bits_per_cycle(bytes_per_s) * CLOCK_HZ / 8
