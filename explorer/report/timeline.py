"""The activity of a machine over time, as PNG and SVG: use of its modules, and power by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.contracts.units import in_units, prefix
from explorer.report.figure import OTHERS, coloured, save, subplots

Array = npt.NDArray[np.float64]
MOST_PARTS = 6


@dataclass(frozen=True)
class Timeline:
    """A run in n intervals of time.

    Attributes:
        edges_s: the beginning of each interval and the end of the last, shape (n + 1,), ascending.
        use: module -> its busy share of each interval, 0 to 1, shape (n,).
        power_w: part -> its mean power in each interval, shape (n,).
    """

    edges_s: Array
    use: Mapping[str, Array]
    power_w: Mapping[str, Array]


def plot(timeline: Timeline, title: str, path: Path) -> list[Path]:
    """Plots the use of each module in a separate strip above, and stacked power below.

    Args:
        timeline: the run.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.
    """
    strips = len(timeline.use)
    heights = [0.7] * strips + [2.6]
    figure, axes = subplots(
        strips + 1, 1, (12, 1.2 + sum(heights)), sharex=True, gridspec_kw={"height_ratios": heights}
    )
    scale, unit = prefix(float(timeline.edges_s[-1]), "s")
    edges = timeline.edges_s / scale
    power = largest(timeline)
    colours = coloured([*timeline.use, *power])
    for axis, (name, share) in zip(axes, timeline.use.items(), strict=False):
        axis.stairs(share, edges, fill=True, color=colours[name], linewidth=0)
        axis.set(ylim=(0, 1), yticks=[0, 1], yticklabels=["", "100 %"])
        mean = float(np.average(share, weights=np.diff(edges)))
        axis.set_ylabel(f"{name}\n{100 * mean:.0f} % used", rotation=0, ha="right", va="center", fontsize="small")
        axis.tick_params(labelsize="x-small")
        axis.grid(visible=True, axis="x", alpha=0.25)
    _power(axes[-1], power, edges, colours)
    axes[-1].set_xlabel(f"time ({unit})")
    axes[-1].set_xlim(edges[0], edges[-1])
    figure.suptitle(title)
    return save(figure, path)


def largest(timeline: Timeline) -> dict[str, Array]:
    """The parts that take the most energy, the largest first, and all others as one."""
    widths = np.diff(timeline.edges_s)
    parts = sorted(timeline.power_w.items(), key=lambda part: -float(part[1] @ widths))
    shown = dict(parts[:MOST_PARTS])
    if len(parts) > MOST_PARTS:
        shown[OTHERS] = np.sum([watts for _, watts in parts[MOST_PARTS:]], axis=0)
    return shown


def _power(axis: Any, power: Mapping[str, Array], edges: Array, colours: Mapping[str, str]) -> None:
    widths = np.diff(edges)
    below = np.zeros(len(widths))
    for name, watts in power.items():
        label = f"{name} ({in_units(float(np.average(watts, weights=widths)), 'W')})"
        axis.stairs(below + watts, edges, baseline=below, fill=True, color=colours[name], label=label, linewidth=0)
        below = below + watts
    mean = float(np.average(below, weights=widths))
    axis.axhline(mean, color="black", linewidth=0.8, linestyle="--", label=f"mean ({in_units(mean, 'W')})")
    axis.set_ylabel("power (W)")
    axis.set_ylim(bottom=0)
    axis.grid(visible=True, alpha=0.25)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small", frameon=False, title="mean power")
