"""The designs of a sweep, as PNG and SVG: their measures in pairs, with the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from explorer.contracts.measure import Direction, Measure
from explorer.report.figure import BLUE, GREY, plotted, save, scale_of, subplots

_COLUMNS = 3
_MANY = {2: "both", 3: "all three"}


@dataclass(frozen=True)
class Cloud:
    """Measured designs.

    Attributes:
        values: measure -> its value for each design; at least two measures.
        on_front: for each design, whether no other one is better in all of these.
    """

    values: Mapping[Measure, Sequence[float]]
    on_front: Sequence[bool]


def plot(cloud: Cloud, title: str, path: Path) -> list[Path]:
    """Plots each pair of measures in a plane, with the front of that pair as a line.

    Args:
        cloud: the designs.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`; none for a single measure, which has no plane.

    Raises:
        InputError: the folder cannot be written to.
    """
    planes = list(combinations(cloud.values, 2))
    if not planes:
        return []
    columns, rows = min(_COLUMNS, len(planes)), -(-len(planes) // _COLUMNS)
    figure, grid = subplots(rows, columns, (max(7.0, 13 / _COLUMNS * columns), 4.4 * rows), squeeze=False)
    axes = list(grid.flat)
    label = f"Pareto-optimal in {_MANY.get(len(cloud.values), 'all')}"
    for axis, plane in zip(axes, planes, strict=False):
        _draw(axis, plane, cloud, label)
    for axis in axes[len(planes) :]:
        axis.axis("off")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    return save(figure, path)


def staircase(x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
    """The points that no other point is to the left of and below, from left to right."""
    xs: list[float] = []
    ys: list[float] = []
    for point_x, point_y in sorted(zip(x, y, strict=True)):
        if not ys or point_y < ys[-1]:
            xs.append(point_x)
            ys.append(point_y)
    return xs, ys


def _draw(axis: Any, plane: tuple[Measure, Measure], cloud: Cloud, label: str) -> None:
    x, y = (plotted(measure, cloud.values[measure]) for measure in plane)
    _scatter(axis, x, y, cloud.on_front, label)
    # Maximising a measure is minimising its negative.
    signs = [-1.0 if measure.direction is Direction.MAXIMISE else 1.0 for measure in plane]
    turned = [[sign * value for value in values] for sign, values in zip(signs, (x, y), strict=True)]
    front = [[sign * value for value in steps] for sign, steps in zip(signs, staircase(*turned), strict=True)]
    axis.step(*front, where="post", color=BLUE, linewidth=1, alpha=0.7, label="front of the two", zorder=2)
    axis.set(
        xscale=scale_of(plane[0], x), yscale=scale_of(plane[1], y), xlabel=plane[0].heading, ylabel=plane[1].heading
    )
    axis.grid(visible=True, alpha=0.25)


def _scatter(axis: Any, x: Sequence[float], y: Sequence[float], on_front: Sequence[bool], label: str) -> None:
    for chosen, name, colour, size, order in ((False, "dominated", GREY, 8, 1), (True, label, BLUE, 22, 3)):
        kept = [index for index, front in enumerate(on_front) if front == chosen]
        if kept:
            axis.scatter(
                [x[index] for index in kept],
                [y[index] for index in kept],
                label=f"{name} ({len(kept):,})",
                s=size,
                color=colour,
                alpha=0.45 if not chosen else 1.0,
                linewidths=0,
                rasterized=len(kept) > 2000,  # an SVG of many points would be larger than the PNG
                zorder=order,
            )
