"""The values of all measures of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping

from explorer.domains.accelerator.acceltran.chip.area import areas
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components, Module
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ, DATA_BITS
from explorer.domains.accelerator.acceltran.columns import Figure, total
from explorer.domains.accelerator.acceltran.costs import Costs
from explorer.domains.accelerator.acceltran.findings.charges import charges
from explorer.domains.accelerator.acceltran.findings.energy import summed
from explorer.domains.accelerator.acceltran.findings.profile import power_profile
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.domains.accelerator.acceltran.program import Program
from explorer.domains.accelerator.acceltran.schedule.trace import COMPUTE_STALLS, MEMORY_STALLS, Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.sparsity import expected_score


def measures(program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings) -> dict[str, float]:
    """The values of all `MEASURES` of one run.

    Args:
        program: program that ran.
        costs: costs of its operations and transfers.
        trace: record of when they ran.
        chip: accelerator on which they ran.
        settings: settings of the run.
    """
    spent = charges(program, costs, trace, chip, settings)
    moved = [costs.transfer(run.transfer) for run in trace.transfers if run.transfer.action != "store"]
    memory_bits = math.fsum(cost.bits + cost.mask_bits for cost in moved)
    values = measured(summed(spent), dict(program.footprint_elements), memory_bits, trace, chip, settings)
    values["peak_power_w"] = power_profile(spent).peak_w
    return {name: values[name] for name in MEASURES if name in values}


def measured(
    energy: Mapping[str, Figure],
    footprint_elements: Mapping[str, Figure],
    memory_bits: Figure,
    trace: Trace,
    chip: Components,
    settings: RunSettings,
) -> dict[str, Figure]:
    """`MEASURES` of one run, or of a column of runs, except the peak power, which needs the charges over time.

    Args:
        energy: measures of energy.
        footprint_elements: numbers of elements of the model's weights, activations and embeddings.
        memory_bits: number of bits moved into and out of main memory.
        trace: record of the run; its operations and transfers are not read.
        chip: accelerator on which it ran.
        settings: settings of the run.
    """
    latency_s = trace.cycles / CLOCK_HZ
    area = areas(chip, settings.switches)
    values = {
        "cycles": trace.cycles * 1.0,
        "latency_s": latency_s,
        "area_mm2": total(area.values()),
        **energy,
        "energy_per_sequence_j": energy["energy_j"] / chip.batch_size,
        "average_power_w": energy["energy_j"] / latency_s,
        "sequences_per_s": chip.batch_size / latency_s,
        **{f"area_{name}_mm2": value for name, value in area.items()},
        **_use(trace, chip),
        **{f"stall_{cause}_cycles": float(trace.stalls[cause]) for cause in (*MEMORY_STALLS, *COMPUTE_STALLS)},
        **{
            f"footprint_{name}_bytes": footprint_elements.get(name, 0) * DATA_BITS / 8
            for name in ("weights", "activations", "embeddings")
        },
        **{f"peak_{name}_buffer_bytes": trace.peak_bits.get(name, 0.0) / 8 for name in BUFFERS},
        "main_memory_traffic_bytes": memory_bits / 8,
    }
    score = expected_score(settings)
    if score is not None:
        values["dynatran_score"] = score
    return values


def _use(trace: Trace, chip: Components) -> dict[str, Figure]:
    busy: dict[str, Figure] = {
        kind.value: trace.module_cycles.get(kind, 0) / chip.module(kind).count for kind in Module
    }
    busy |= {f"{name}_buffer": trace.buffer_cycles.get(name, 0) for name in BUFFERS}
    return {
        **{f"utilisation_{name}": cycles / trace.cycles for name, cycles in busy.items()},
        "overlap": trace.overlap_cycles / trace.cycles,
    }
