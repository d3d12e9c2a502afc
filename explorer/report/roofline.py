"""A roofline plot, as PNG and SVG: which operations are limited by arithmetic, and which by memories.

Source: Williams, Waterman, Patterson, Roofline, Communications of the ACM 52 (4), 2009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.contracts.units import in_units
from explorer.report.figure import coloured, save, subplots


@dataclass(frozen=True)
class Roofline:
    """A machine and the operations that ran on it, with one entry per operation.

    Attributes:
        peak_macs_per_s: the peak rate of all multipliers.
        bandwidths: memory -> bytes per second.
        macs_per_byte: multiplications per byte moved, above 0.
        macs_per_s: multiplications per second.
        kind: the kind of operation, shown by colour.
        seconds: the time taken, shown by the size of the mark.
    """

    peak_macs_per_s: float
    bandwidths: Mapping[str, float]
    macs_per_byte: Sequence[float]
    macs_per_s: Sequence[float]
    kind: Sequence[str]
    seconds: Sequence[float]


def plot(roofline: Roofline, title: str, path: Path) -> list[Path]:
    """Plots operations under the roofs of the machine on log axes; the area of a mark is its share of the time.

    Args:
        roofline: the machine and the operations.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.
    """
    figure, axis = subplots(1, 1, (8.5, 5.2))
    low, high = _extent(roofline)
    _roofs(axis, roofline, low, high)
    longest = max(roofline.seconds, default=1.0) or 1.0
    colours = coloured(roofline.kind)
    for name in dict.fromkeys(roofline.kind):
        colour = colours[name]
        at = [index for index, kind in enumerate(roofline.kind) if kind == name]
        axis.scatter(
            [roofline.macs_per_byte[index] for index in at],
            [roofline.macs_per_s[index] for index in at],
            s=[12 + 200 * roofline.seconds[index] / longest for index in at],
            color=colour,
            alpha=0.6,
            linewidths=0,
            zorder=3,
        )
        axis.scatter([], [], s=30, color=colour, label=f"{name} ({len(at)})")
    axis.set(xscale="log", yscale="log", xlim=(low, high))
    axis.set_xlabel("operational intensity (MAC/byte)")
    axis.set_ylabel("attained (MAC/s)")
    axis.grid(visible=True, which="both", alpha=0.2)
    axis.legend(loc="lower right", fontsize="small")
    axis.set_title(title)
    return save(figure, path)


def attainable(roofline: Roofline, memory: str, macs_per_byte: float) -> float:
    """The height of the roof at an operational intensity, in MAC/s.

    Args:
        roofline: the machine.
        memory: the name of one of its memories.
        macs_per_byte: the operational intensity.
    """
    return min(roofline.peak_macs_per_s, roofline.bandwidths[memory] * macs_per_byte)


def _extent(roofline: Roofline) -> tuple[float, float]:
    ridges = [roofline.peak_macs_per_s / bandwidth for bandwidth in roofline.bandwidths.values()]
    places = [*ridges, *roofline.macs_per_byte]
    return min(places) / 4, max(places) * 4


def _roofs(axis: Any, roofline: Roofline, low: float, high: float) -> None:
    for (memory, bandwidth), style in zip(roofline.bandwidths.items(), ("-", "--", ":", "-."), strict=False):
        ridge = roofline.peak_macs_per_s / bandwidth
        xs = [low, ridge, high]
        label = f"{memory}, {in_units(bandwidth, 'B/s')}"
        axis.plot(xs, [attainable(roofline, memory, x) for x in xs], style, color="black", linewidth=1.2, label=label)
    peak = in_units(roofline.peak_macs_per_s, "MAC/s")
    axis.annotate(
        f"peak {peak}",
        (low, roofline.peak_macs_per_s),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize="small",
    )
