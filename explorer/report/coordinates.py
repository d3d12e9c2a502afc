"""The decisions of a study's designs as parallel coordinates, as PNG and SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.report.figure import COLOURS, GREY, save, subplots

MOST = 12
"""The number of decisions that can be read side by side."""
_TICKS = 8
_NOTHING = -0.12
"""The height at which a line passes a decision that its design does not have."""


@dataclass(frozen=True)
class Axis:
    """One decision.

    Attributes:
        name: its name.
        values: its value in each design; NaN where it means nothing.
        labels: value -> what it stands for; plain numbers need none.
    """

    name: str
    values: Sequence[float]
    labels: Mapping[float, str] = field(default_factory=dict)


def plot(
    axes: Sequence[Axis], performances: Sequence[float], feasible: Sequence[bool], title: str, path: Path
) -> list[Path]:
    """Plots a line for each of n designs through its decisions, in the colour of its performance.

    Args:
        axes: the decisions, the most important first; those beyond `MOST` are left out.
        performances: the performance of each design; n of them, at least one.
        feasible: whether each design meets the constraints; others are grey.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    return save(picture(axes, performances, feasible, title), path)


def picture(axes: Sequence[Axis], performances: Sequence[float], feasible: Sequence[bool], title: str) -> Any:
    """The figure that `plot` writes.

    Args:
        axes: the decisions, the most important first.
        performances: the performance of each design.
        feasible: whether each design meets the constraints.
        title: the title.
    """
    shown = axes[:MOST]
    longest = max((len(one.name) for one in shown), default=0)
    figure, axis = subplots(1, 1, (max(7.0, 1.5 + 1.05 * len(shown)), 4.6 + 0.04 * longest))
    heights = [_heights(one) for one in shown]
    lines = [[(place, height[row]) for place, height in enumerate(heights)] for row in range(len(performances))]
    _draw_lines(figure, axis, lines, performances, feasible)
    for place, one in enumerate(shown):
        _draw_axis(axis, place, one)
    if any(math.isnan(value) for one in shown for value in one.values):
        axis.axhline(_NOTHING, color=GREY, linewidth=0.6, linestyle=":", zorder=0)
        axis.text(-0.25, _NOTHING, "absent", ha="right", va="center", fontsize="x-small", color="black")
    axis.set(xlim=(-0.3, len(shown) - 0.35), ylim=(_NOTHING - 0.06, 1.04), yticks=[])
    axis.set_xticks(range(len(shown)), [one.name for one in shown], rotation=30, ha="right", fontsize="small")
    axis.set_frame_on(False)
    if axis.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    left_out = len(axes) - len(shown)
    figure.suptitle(title + (f"\nthe {len(shown)} most important of {len(axes)} decisions" if left_out else ""))
    return figure


def _draw_lines(
    figure: Any, axis: Any, lines: Sequence[Any], performances: Sequence[float], feasible: Sequence[bool]
) -> None:
    from matplotlib.collections import LineCollection

    broken = [row for row, good in enumerate(feasible) if not good]
    if broken:
        label = f"breaks a constraint ({len(broken)})"
        axis.add_collection(LineCollection([lines[row] for row in broken], colors=GREY, linewidths=0.5, alpha=0.5))
        axis.plot([], [], color=GREY, linewidth=0.8, label=label)
    kept = sorted((row for row, good in enumerate(feasible) if good), key=performances.__getitem__)  # the best on top
    if not kept:
        return
    shades = LineCollection([lines[row] for row in kept], cmap="viridis", linewidths=1.0, alpha=0.75, zorder=2)
    shades.set_array([performances[row] for row in kept])
    axis.add_collection(shades)
    figure.colorbar(shades, ax=axis, label="performance", pad=0.02)
    places, heights = zip(*lines[kept[-1]], strict=True)
    axis.plot(places, heights, color=COLOURS[5], linewidth=2.2, marker="o", markersize=4, label="best", zorder=3)


def _heights(one: Axis) -> list[float]:
    """The height of each value on its axis, from 0 for the least to 1 for the greatest."""
    low, high = _range(one)
    width = high - low
    return [_NOTHING if math.isnan(value) else (value - low) / width if width else 0.5 for value in one.values]


def _range(one: Axis) -> tuple[float, float]:
    known = [value for value in one.values if not math.isnan(value)]
    return (min(known), max(known)) if known else (0.0, 0.0)


def _draw_axis(axis: Any, place: int, one: Axis) -> None:
    axis.plot([place, place], [0, 1], color="black", linewidth=0.8, zorder=1)
    low, high = _range(one)
    known = sorted({value for value in one.values if not math.isnan(value)})
    ticks = known if len(known) <= _TICKS else [low, (low + high) / 2, high]
    if one.labels and len(known) > _TICKS:
        ticks = known[:: -(-len(known) // _TICKS)]
    for value in ticks:
        text = one.labels.get(value, f"{value:.4g}")
        height = (value - low) / (high - low) if high > low else 0.5
        outline = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
        axis.text(place + 0.04, height, text, fontsize="x-small", va="center", bbox=outline, zorder=4)
