"""A roofline, as PNG and SVG: which operations the arithmetic bounds, and which the memories.

Source: Williams, Waterman, Patterson, Roofline, Communications of the ACM 52 (4), 2009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.report.figure import coloured, in_units, save, subplots


@dataclass(frozen=True)
class Roofline:
    """A machine and the operations that ran on it, one entry each.

    Attributes:
        peak_macs_per_s: of all multipliers.
        bandwidths: memory -> bytes per second.
        macs_per_byte: multiplications by bytes moved, above 0.
        macs_per_s: multiplications by time.
        kind: what the operation is; kinds have colours.
        seconds: that it took, for the size of its mark.
    """

    peak_macs_per_s: float
    bandwidths: Mapping[str, float]
    macs_per_byte: Sequence[float]
    macs_per_s: Sequence[float]
    kind: Sequence[str]
    seconds: Sequence[float]


def plot(roofline: Roofline, title: str, path: Path) -> list[Path]:
    """Operations under the roofs of the machine, on log axes; the area of a mark is its share of the time.

    Args:
        roofline: machine and operations.
        title: above the picture.
        path: file name without suffix; its folder is made.

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
    """The height of the roof over an operational intensity, in MAC/s.

    Args:
        roofline: of the machine.
        memory: name of one of its memories.
        macs_per_byte: operational intensity.
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
