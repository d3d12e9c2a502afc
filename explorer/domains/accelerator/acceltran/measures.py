"""The measures of AccelTran's simulator, each with its label, unit and direction."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.domains.accelerator.acceltran.chip.area import AREAS
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Module
from explorer.domains.accelerator.acceltran.findings.charges import PARTS
from explorer.domains.accelerator.acceltran.findings.energy import TOTALS, part_measure
from explorer.domains.accelerator.acceltran.schedule.trace import COMPUTE_STALLS, MEMORY_STALLS

ENERGY_PARTS = "energy_parts_j"
AREA_PARTS = "area_parts_mm2"
USE = "utilisation"
STALLS = "stall_cycles"
FOOTPRINT = "footprint_bytes"
PEAKS = "peak_buffer_bytes"
"""Groups of measures."""

_MODULES = {
    "mac": "the MAC lanes",
    "softmax": "the softmax modules",
    "layer_norm": "the layer-norm modules",
    "sparsity": "the pre- and post-sparsity modules",
    "rounding": "the stochastic-rounding modules",
    "fifo": "the FIFOs of the MAC lanes",
    "dataflow": "the dataflow modules",
    "dma": "the DMA modules",
}
_SPENT = {
    **{
        f"{name}_{kind}": f"{kind} energy of {text}"
        for name, text in _MODULES.items()
        for kind in ("dynamic", "leakage")
    },
    **{f"{name}_buffer_write": f"energy of writing to the {name} buffer" for name in BUFFERS},
    **{f"{name}_buffer_read": f"energy of reading from the {name} buffer" for name in BUFFERS},
    **{f"{name}_buffer_leakage": f"leakage energy of the {name} buffer" for name in BUFFERS},
    "main_memory_access": "energy of reading from and writing to main memory",
    "main_memory_background": "energy of main memory while it waits",
    "main_memory_refresh": "energy of refreshing main memory",
    "wake_up": "energy of waking up modules that were switched off",
    "control": "energy of clock tree, control and interconnect",
}
_CAUSES = {
    "buffer_busy": "a transfer whose data buffer is busy",
    "mask_buffer_busy": "a transfer while the mask buffer is busy",
    "no_space": "a transfer that finds no space in its data buffer",
    "no_mask_space": "a transfer that finds no space in the mask buffer",
    "waiting_for_compute": "a transfer whose tensor is not computed yet",
    "no_free_module": "an operation that finds too few free modules",
    "data_missing": "an operation whose operands are not in the buffers yet",
    "waiting_for_result": "an operation whose operands are not computed yet",
}


_NAMES = {
    "mac": "MAC lanes",
    "fifo": "FIFOs",
    "dma": "DMA",
    "sparsity": "sparsity modules",
    "dataflow": "dataflow modules",
}


def in_words(name: str) -> str:
    """The readable name of a module, buffer or cause, for rows of tables and parts of pictures."""
    return _NAMES.get(name, name.replace("_", " "))


def _cost(name: str, label: str, unit: str, description: str, whole: bool = False) -> Measure:
    """A measure to be minimised, which differs by powers of ten between designs."""
    return Measure(name, label, unit, Direction.MINIMISE, logarithmic=True, whole=whole, description=description)


def energy_part(name: str, label: str, unit: str = "J") -> Measure:
    """The measure for one part of the energy of a batch.

    Args:
        name: name of the part, such as `mac_dynamic`.
        label: label of the measure.
        unit: unit of the measure.
    """
    return Measure(part_measure(name), label, unit, Direction.MINIMISE, ENERGY_PARTS, name, logarithmic=True)


def _subtotal(name: str, label: str, description: str) -> Measure:
    """A sum of parts, which the published simulators give instead of the parts."""
    parts = tuple(part_measure(part) for part in TOTALS[name])
    part = name.removeprefix("energy_").removesuffix("_j")
    return Measure(
        name, label, "J", Direction.MINIMISE, ENERGY_PARTS, part, parts, logarithmic=True, description=description
    )


def _whole_run() -> Iterator[Measure]:
    """Time, area and the sums of energy."""
    yield _cost("cycles", "cycles", "", "clock cycles of one batch", whole=True)
    yield _cost("latency_s", "latency", "s", "time of one batch")
    yield _cost("area_mm2", "area", "mm²", "area of the chip without main memory: the sum of its modules")
    yield _cost("energy_j", "energy", "J", "energy of one batch: the sum of all parts")
    yield _cost("energy_dynamic_j", "dynamic energy", "J", "energy of one batch that is spent on work")
    yield _cost(
        "energy_leakage_j",
        "leakage energy",
        "J",
        "energy of one batch that is spent on time: leakage, background and refresh",
    )
    yield _subtotal(
        "energy_buffer_j", "energy of the buffers", "energy of writing to and reading from the on-chip buffers"
    )
    yield _subtotal("energy_main_memory_j", "energy of main memory", "energy of accesses, background and refresh")
    for kind in ("dynamic", "leakage"):
        yield _subtotal(
            f"energy_others_{kind}_j",
            f"{kind} energy of other modules",
            f"{kind} energy of rounding, FIFO, dataflow and DMA modules",
        )


def _rates() -> Iterator[Measure]:
    """Measures derived from time and energy."""
    yield _cost(
        "energy_per_sequence_j", "energy per sequence", "J", "energy of one batch divided by the sequences in it"
    )
    yield _cost("average_power_w", "average power", "W", "energy of one batch divided by its time")
    yield _cost(
        "peak_power_w",
        "peak power",
        "W",
        "highest power, each operation and transfer spending its energy evenly over its time",
    )
    yield Measure(
        "sequences_per_s",
        "throughput",
        "1/s",
        Direction.MAXIMISE,
        logarithmic=True,
        description="sequences of one batch divided by its time",
    )


def _use() -> Iterator[Measure]:
    """Shares of the cycles in which modules and buffers are in use."""
    for kind in Module:
        yield Measure(
            f"utilisation_{kind}", f"cycles in which {_MODULES[kind]} are busy", "%", group=USE, part=kind.value
        )
    for name in BUFFERS:
        part = f"{name}_buffer"
        yield Measure(f"utilisation_{part}", f"cycles in which the {name} buffer moves data", "%", group=USE, part=part)
    yield Measure(
        "overlap",
        "lanes and softmax busy at once",
        "%",
        description="share of the cycles in which MAC lanes and softmax modules are busy at the same time",
    )


def _stalls() -> Iterator[Measure]:
    for cause in (*MEMORY_STALLS, *COMPUTE_STALLS):
        yield Measure(
            f"stall_{cause}_cycles",
            f"cycles of {_CAUSES[cause]}",
            direction=Direction.MINIMISE,
            group=STALLS,
            part=cause,
            whole=True,
            description="summed over the heads of a layer",
        )


def _memory() -> Iterator[Measure]:
    """Sizes of stored data, and amounts of moved data."""
    for name in ("weights", "activations", "embeddings"):
        yield Measure(
            f"footprint_{name}_bytes",
            f"all {name}",
            "B",
            group=FOOTPRINT,
            part=name,
            description="size, each number stored whole",
        )
    for name in BUFFERS:
        yield Measure(f"peak_{name}_buffer_bytes", f"most in the {name} buffer", "B", group=PEAKS, part=name)
    yield Measure(
        "main_memory_traffic_bytes",
        "main memory traffic",
        "B",
        Direction.MINIMISE,
        logarithmic=True,
        description="data and masks moved from and to main memory",
    )


MEASURES = catalogue(
    _whole_run(),
    (energy_part(part, _SPENT[part]) for part in PARTS),
    _rates(),
    (
        Measure(f"area_{name}_mm2", f"area of {text}", "mm²", Direction.MINIMISE, AREA_PARTS, name)
        for name, text in AREAS.items()
    ),
    _use(),
    _stalls(),
    _memory(),
    Measure(
        "dynatran_score",
        "score at the point of the DynaTran curve",
        "%",
        direction=Direction.MAXIMISE,
        description="score of the model at the chosen point of its DynaTran curve, from 0 to 1",
    ),
)
"""Name -> measure, in the order in which measurements list them."""
