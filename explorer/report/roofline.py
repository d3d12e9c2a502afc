"""A roofline plot, as PNG and SVG: which operations are limited by arithmetic, and which by memories.

Source: Williams, Waterman, Patterson, Roofline, Communications of the ACM 52 (4), 2009.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.contracts.units import in_units
from explorer.report.figure import GREY, coloured, save, subplots


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
    """Plots operations under the roofs of the machine on log axes, with a legend of roofs, colours and sizes.

    Args:
        roofline: the machine and the operations.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.
    """
    figure, axis = subplots(1, 1, (10.5, 5.2))
    low, high = _extent(roofline)
    roofs = _roofs(axis, roofline, low, high)
    longest = max(roofline.seconds, default=0.0)
    colours = coloured(roofline.kind)
    marks: dict[str, Any] = {"color": GREY, "alpha": 0.6, "linewidths": 0}
    kinds = []
    for name, number in Counter(roofline.kind).items():
        at = [index for index, kind in enumerate(roofline.kind) if kind == name]
        marks["color"] = colours[name]
        axis.scatter(
            [roofline.macs_per_byte[index] for index in at],
            [roofline.macs_per_s[index] for index in at],
            s=[_area(roofline.seconds[index], longest) for index in at],
            zorder=3,
            **marks,
        )
        kinds.append(axis.scatter([], [], s=40, label=f"{name} ({number})", **marks))
    marks["color"] = GREY
    sizes = [
        axis.scatter([], [], s=_area(seconds, longest), label=in_units(seconds, "s"), **marks)
        for seconds in sample_seconds(longest)
    ]
    axis.set(xscale="log", yscale="log", xlim=(low, high))
    axis.set_xlabel("operational intensity (MAC/byte)")
    axis.set_ylabel("attained (MAC/s)")
    axis.grid(visible=True, which="both", alpha=0.2)
    parts = {"bandwidth of": roofs, "colour: kind of operation (number)": kinds, "size: time of one operation": sizes}
    _legend(figure, {heading: entries for heading, entries in parts.items() if entries})
    axis.set_title(title)
    return save(figure, path)


def sample_seconds(longest: float) -> list[float]:
    """Times whose sizes the legend shows: the longest, and about a third and a tenth of it."""
    return [longest * share for share in (1.0, 0.3, 0.1)] if longest > 0 else []


def _area(seconds: float, longest: float) -> float:
    """The area of a mark in square points: in proportion to the time, but never too small to be seen."""
    return max(8.0, 220 * seconds / longest) if longest > 0 else 8.0


def _legend(figure: Any, parts: Mapping[str, Sequence[Any]]) -> None:
    """One legend beside the plot, in parts with headings."""
    from matplotlib.lines import Line2D

    handles = []
    for heading, entries in parts.items():
        handles += [Line2D([], [], linestyle="none", label=heading), *entries]
    legend = figure.legend(
        handles=handles, loc="outside right upper", fontsize="small", frameon=False, labelspacing=0.7
    )
    for text in legend.get_texts():
        if text.get_text() in parts:
            text.set(fontweight="bold", x=-30)


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


def _roofs(axis: Any, roofline: Roofline, low: float, high: float) -> list[Any]:
    """Draws the roofs; returns their lines."""
    lines = []
    for (memory, bandwidth), style in zip(roofline.bandwidths.items(), ("-", "--", ":", "-."), strict=False):
        ridge = roofline.peak_macs_per_s / bandwidth
        xs = [low, ridge, high]
        label = f"{memory}, {in_units(bandwidth, 'B/s')}"
        heights = [attainable(roofline, memory, x) for x in xs]
        lines += axis.plot(xs, heights, style, color="black", linewidth=1.2, label=label)
    peak = in_units(roofline.peak_macs_per_s, "MAC/s")
    axis.annotate(
        f"peak {peak}",
        (low, roofline.peak_macs_per_s),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize="small",
    )
    return lines
