"""Sums that must hold in the measures of any run."""

from __future__ import annotations

import math
from collections.abc import Mapping

from explorer.domains.accelerator.acceltran.chip.area import AREAS
from explorer.domains.accelerator.acceltran.findings.charges import DYNAMIC, LEAKAGE
from explorer.domains.accelerator.acceltran.findings.energy import TOTALS, part_measure


def unclosed(measures: Mapping[str, float], tolerance: float = 1e-9) -> list[str]:
    """Sums that do not hold in the measures of a run, a sentence each; none in a sound run.

    Args:
        measures: all of `MEASURES`.
        tolerance: relative difference that rounding may leave.
    """
    sums: dict[str, list[str]] = {measure: [part_measure(part) for part in parts] for measure, parts in TOTALS.items()}
    sums["energy_j"] = [part_measure(part) for part in (*DYNAMIC, *LEAKAGE)]
    sums["area_mm2"] = [f"area_{name}_mm2" for name in AREAS]
    wrong = []
    for name, parts in sums.items():
        total = math.fsum(measures[part] for part in parts)
        if not math.isclose(total, measures[name], rel_tol=tolerance, abs_tol=1e-30):
            wrong.append(f"The measure {name} is {measures[name]!r}; the sum of its parts is {total!r}.")
    return wrong
