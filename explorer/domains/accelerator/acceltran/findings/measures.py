"""The values of all measures of a run of the detailed engine."""

from __future__ import annotations

import math

from explorer.domains.accelerator.acceltran.chip.area import areas
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components, Module
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ, DATA_BITS
from explorer.domains.accelerator.acceltran.costs import Costs
from explorer.domains.accelerator.acceltran.findings.charges import Charge, charges
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
    values = measured(spent, program, costs, trace, chip, settings) | {"peak_power_w": power_profile(spent).peak_w}
    return {name: values[name] for name in MEASURES if name in values}


def measured(
    spent: list[Charge], program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings
) -> dict[str, float]:
    """`MEASURES` of one run whose charges are known, except the peak power, which needs the charges over time.

    Args:
        spent: all charges of the run.
        program: program that ran.
        costs: costs of its operations and transfers.
        trace: record of when they ran.
        chip: accelerator on which they ran.
        settings: settings of the run.
    """
    energy, latency_s = summed(spent), trace.cycles / CLOCK_HZ
    area = areas(chip, settings.switches)
    values = {
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
        values["dynatran_score"] = score
    return values


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
