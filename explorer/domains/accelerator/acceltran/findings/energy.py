"""Energy of a run, part by part: the sums of its charges.

Energy is dynamic where it is spent on work (accesses, busy modules, wake-ups, control), and leakage where it is spent
on time (leakage of modules and buffers, background and refresh of the main memory).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from explorer.domains.accelerator.acceltran.chip.components import Components
from explorer.domains.accelerator.acceltran.columns import Figure, total
from explorer.domains.accelerator.acceltran.costs import Costs
from explorer.domains.accelerator.acceltran.findings.charges import (
    DYNAMIC,
    LEAKAGE,
    OFF_CHIP,
    PARTS,
    Charge,
    charges,
)
from explorer.domains.accelerator.acceltran.program import Program
from explorer.domains.accelerator.acceltran.schedule.trace import Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings

_OTHERS = ("rounding", "fifo", "dataflow", "dma")
TOTALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "energy_j": PARTS,
        "energy_dynamic_j": DYNAMIC,
        "energy_leakage_j": LEAKAGE,
        "energy_buffer_j": tuple(part for part in DYNAMIC if part.endswith(("_write", "_read"))),
        "energy_main_memory_j": OFF_CHIP,
        "energy_others_dynamic_j": tuple(f"{name}_dynamic" for name in _OTHERS),
        "energy_others_leakage_j": tuple(f"{name}_leakage" for name in _OTHERS),
    }
)
"""Measure -> the parts that it sums."""


def part_measure(part: str) -> str:
    """Name of the measure for a part of the energy."""
    return f"energy_{part}_j"


def energies(program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings) -> dict[str, float]:
    """Energy of a run in J: each part, and the sums in `TOTALS`.

    Args:
        program: program that ran.
        costs: costs of its operations and transfers.
        trace: record of when they ran.
        chip: accelerator on which they ran.
        settings: settings of the run.
    """
    return summed(charges(program, costs, trace, chip, settings))


def summed(spent: Iterable[Charge]) -> dict[str, float]:
    """Energy of all charges in J: each part, and the sums in `TOTALS`."""
    amounts: dict[str, list[float]] = {part: [] for part in PARTS}
    for charge in spent:
        for part, joules in charge.joules.items():
            amounts[part].append(joules)
    return energy_measures({part: math.fsum(joules) for part, joules in amounts.items()})


def energy_measures(parts: Mapping[str, Figure]) -> dict[str, Figure]:
    """The measures of energy in J, from that of each of `PARTS`."""
    totals = {measure: total(parts[part] for part in of) for measure, of in TOTALS.items()}
    return totals | {part_measure(part): joules for part, joules in parts.items()}
