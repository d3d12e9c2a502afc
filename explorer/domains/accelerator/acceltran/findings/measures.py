"""Measures of the detailed engine: all that it says about a run, by name, with units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from explorer.domains.accelerator.acceltran.chip.area import AREAS, areas
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ, DATA_BITS
from explorer.domains.accelerator.acceltran.costs import Module
from explorer.domains.accelerator.acceltran.findings.charges import DYNAMIC, LEAKAGE, PARTS, Charge, Costs, charges
from explorer.domains.accelerator.acceltran.findings.energy import TOTALS, part_measure, summed
from explorer.domains.accelerator.acceltran.findings.profile import power_profile
from explorer.domains.accelerator.acceltran.program import Program
from explorer.domains.accelerator.acceltran.schedule.trace import COMPUTE_STALLS, MEMORY_STALLS, Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.sparsity import expected_score

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
    "main_memory_background": "energy that main memory takes while it waits",
    "main_memory_refresh": "energy of refreshing main memory",
    "wake_up": "energy of waking up modules that were switched off",
    "control": "energy of clock tree, control and interconnect",
}
_STALLS = {
    "buffer_busy": "whose data buffer is busy",
    "mask_buffer_busy": "while the mask buffer is busy",
    "no_space": "that finds no space in its data buffer",
    "no_mask_space": "that finds no space in the mask buffer",
    "waiting_for_compute": "whose tensor is not computed yet",
    "no_free_module": "that finds too few free modules",
    "data_missing": "whose operands are not in the buffers yet",
    "waiting_for_result": "whose operands are not computed yet",
}
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "cycles": "clock cycles of one batch",
        "latency_s": "time of one batch, in s",
        "area_mm2": "area of the chip, without main memory, in mm2: the sum of its modules",
        "energy_j": "energy of one batch, in J: the sum of all parts",
        "energy_dynamic_j": "energy of one batch that is spent on work, in J: the sum of all dynamic parts",
        "energy_leakage_j": "energy of one batch that is spent on time, in J: leakage, background and refresh",
        "energy_buffer_j": "energy of writing to and reading from the on-chip buffers, in J",
        "energy_main_memory_j": "energy of main memory, in J: accesses, background and refresh",
        "energy_others_dynamic_j": "dynamic energy of rounding, FIFO, dataflow and DMA modules, in J",
        "energy_others_leakage_j": "leakage energy of rounding, FIFO, dataflow and DMA modules, in J",
        **{part_measure(part): f"{_SPENT[part]}, in J" for part in PARTS},
        "energy_per_sequence_j": "energy of one batch by the sequences in it, in J",
        "average_power_w": "energy of one batch by its time, in W",
        "peak_power_w": "highest power, each operation and transfer spending its energy evenly over its time, in W",
        "sequences_per_s": "sequences of one batch by its time, in 1/s",
        **{f"area_{name}_mm2": f"area of {text}, in mm2" for name, text in AREAS.items()},
        **{f"utilisation_{kind}": f"share of the cycles in which {_MODULES[kind]} are busy" for kind in Module},
        **{
            f"utilisation_{name}_buffer": f"share of the cycles in which the {name} buffer moves data"
            for name in BUFFERS
        },
        "overlap": "share of the cycles in which MAC lanes and softmax modules are busy at the same time",
        **{
            f"stall_{cause}_cycles": f"cycles, summed over heads, of a transfer {_STALLS[cause]}"
            for cause in MEMORY_STALLS
        },
        **{
            f"stall_{cause}_cycles": f"cycles, summed over heads, of an operation {_STALLS[cause]}"
            for cause in COMPUTE_STALLS
        },
        **{
            f"footprint_{name}_bytes": f"size of all {name}, each number whole, in B"
            for name in ("weights", "activations", "embeddings")
        },
        **{f"peak_{name}_buffer_bytes": f"most that the {name} buffer holds at once, in B" for name in BUFFERS},
        "main_memory_traffic_bytes": "data and masks moved from and to main memory, in B",
        "dynatran_score": "what the model scores at the chosen point of its DynaTran curve, 0 to 1",
    }
)
"""Name -> what it is, with its unit."""


def measures(program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings) -> dict[str, float]:
    """All of `MEASURES` of one run."""
    spent = charges(program, costs, trace, chip, settings)
    found = measured(spent, program, costs, trace, chip, settings) | {"peak_power_w": power_profile(spent).peak_w}
    return {name: found[name] for name in MEASURES if name in found}


def measured(
    spent: list[Charge], program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings
) -> dict[str, float]:
    """`MEASURES` of one run whose charges are known, but for the peak of its power, which needs them over time."""
    energy, latency_s = summed(spent), trace.cycles / CLOCK_HZ
    area = areas(chip, settings.switches)
    found = {
        "cycles": float(trace.cycles),
        "latency_s": latency_s,
        "area_mm2": math.fsum(area.values()),
        **energy,
        "energy_per_sequence_j": energy["energy_j"] / chip.batch_size,
        "average_power_w": energy["energy_j"] / latency_s,
        "sequences_per_s": chip.batch_size / latency_s,
        **{f"area_{name}_mm2": value for name, value in area.items()},
        **_use(trace, chip),
        **{f"stall_{cause}_cycles": float(trace.stalls[cause]) for cause in (*MEMORY_STALLS, *COMPUTE_STALLS)},
        **_memory(program, costs, trace),
    }
    score = expected_score(settings)
    if score is not None:
        found["dynatran_score"] = score
    return found


def _use(trace: Trace, chip: Components) -> dict[str, float]:
    busy = {kind.value: trace.module_cycles.get(kind, 0) / chip.module(kind).count for kind in Module}
    busy |= {f"{name}_buffer": float(trace.buffer_cycles.get(name, 0)) for name in BUFFERS}
    return {
        **{f"utilisation_{name}": cycles / trace.cycles for name, cycles in busy.items()},
        "overlap": trace.overlap_cycles / trace.cycles,
    }


def _memory(program: Program, costs: Costs, trace: Trace) -> dict[str, float]:
    elements = dict(program.footprint_elements)
    moved = [(costs.transfer(run.transfer), run.times) for run in trace.transfers if run.transfer.action != "store"]
    return {
        **{
            f"footprint_{name}_bytes": elements.get(name, 0) * DATA_BITS / 8
            for name in ("weights", "activations", "embeddings")
        },
        **{f"peak_{name}_buffer_bytes": trace.peak_bits.get(name, 0.0) / 8 for name in BUFFERS},
        "main_memory_traffic_bytes": math.fsum((cost.bits + cost.mask_bits) * times for cost, times in moved) / 8,
    }


def unclosed(found: Mapping[str, float], tolerance: float = 1e-9) -> list[str]:
    """Sums that do not hold in the measures of a run, a sentence each; none in a sound run.

    Args:
        found: all of `MEASURES`.
        tolerance: relative difference that rounding may leave.
    """
    sums: dict[str, list[str]] = {measure: [part_measure(part) for part in parts] for measure, parts in TOTALS.items()}
    sums["energy_j"] = [part_measure(part) for part in (*DYNAMIC, *LEAKAGE)]
    sums["area_mm2"] = [f"area_{name}_mm2" for name in AREAS]
    wrong = []
    for measure, parts in sums.items():
        total = math.fsum(found[part] for part in parts)
        if not math.isclose(total, found[measure], rel_tol=tolerance, abs_tol=1e-30):
            wrong.append(f"The measure {measure} is {found[measure]!r}; the sum of its parts is {total!r}.")
    return wrong
