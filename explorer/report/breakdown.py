"""The breakdown of a total, as PNG and SVG: horizontal bars by part, stacked by kind, the largest on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from explorer.contracts.units import in_units, prefix
from explorer.report.figure import coloured, save, subplots

SQUARED = "²"
"""Mark of units without SI prefixes, which would be squared too."""


@dataclass(frozen=True)
class Breakdown:
    """A total in parts, each of one or more kinds.

    Attributes:
        parts: part -> kind -> amount, none below 0.
        quantity: the quantity that is broken down, such as `energy per batch`.
        unit: the unit of the amounts, an SI unit such as `J`, or `mm²`.
    """

    parts: Mapping[str, Mapping[str, float]]
    quantity: str
    unit: str

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return sum(sum(kinds.values()) for kinds in self.parts.values())


def plot(breakdown: Breakdown, title: str, path: Path) -> list[Path]:
    """Draws one bar for each non-zero part, with its amount and its share.

    Args:
        breakdown: the parts.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.
    """
    parts = ordered(breakdown)
    kinds = list(dict.fromkeys(kind for amounts in breakdown.parts.values() for kind in amounts if amounts[kind]))
    colours = coloured(kinds)
    figure, axis = subplots(1, 1, (9, 1.6 + 0.38 * max(1, len(parts))))
    longest = max((amount for _, amount in parts), default=1.0)
    scale, unit = (1.0, breakdown.unit) if SQUARED in breakdown.unit else prefix(longest, breakdown.unit)
    left = [0.0] * len(parts)
    for kind in kinds:
        widths = [breakdown.parts[part].get(kind, 0.0) / scale for part, _ in parts]
        if any(widths):
            axis.barh([part for part, _ in parts], widths, left=left, color=colours[kind], label=kind, height=0.7)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for row, (_, amount) in enumerate(parts):
        share = 100 * amount / breakdown.total
        told = f" ({share:.1f} %)" if share >= 0.05 else ""
        axis.text(amount / scale, row, f" {_amount(amount, breakdown.unit)}{told}", va="center", fontsize="small")
    axis.invert_yaxis()
    axis.set_xlim(0, 1.28 * longest / scale)
    axis.set_xlabel(f"{breakdown.quantity} ({unit})")
    axis.grid(visible=True, axis="x", alpha=0.25)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    if len(kinds) > 1:
        axis.legend(loc="lower right", fontsize="small", frameon=False)
    axis.set_title(f"{title}: {_amount(breakdown.total, breakdown.unit)}")
    return save(figure, path)


def ordered(breakdown: Breakdown) -> list[tuple[str, float]]:
    """Part and amount of each non-zero part, the largest first."""
    totals = ((part, sum(kinds.values())) for part, kinds in breakdown.parts.items())
    return sorted(((part, amount) for part, amount in totals if amount > 0), key=lambda item: -item[1])


def _amount(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if SQUARED in unit else in_units(value, unit)
