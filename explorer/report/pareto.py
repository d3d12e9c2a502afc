"""The Pareto plot of a study, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.contracts.measure import Direction, Measure
from explorer.report.figure import BLUE, COLOURS, GREY, plotted, save, scale_of, subplots

TRIAL = Measure("trial", "trial")
"""The quantity on the other axis if the front has only one measure."""


@dataclass(frozen=True)
class Point:
    """One trial in the plot.

    Attributes:
        trial: the index of the trial.
        values: measure -> value, for all measures of the front.
        on_front: whether no other trial is better in all of these.
        is_best: whether it is the best under the objective.
        predicted: the names of the measures that were predicted, not measured.
    """

    trial: int
    values: Mapping[str, float]
    on_front: bool
    is_best: bool
    predicted: frozenset[str] = frozenset()

    def value(self, measure: Measure) -> float:
        """The value of a measure, or the index of the trial."""
        return self.trial if measure is TRIAL else self.values[measure.name]


def plot(points: Sequence[Point], measures: Sequence[Measure], title: str, path: Path) -> list[Path]:
    """Plots the first measure to be maximised against each of the others; without one, the first against the others.

    Args:
        points: at least one point.
        measures: the measures of the front; at least one.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    upright, others = axes_of(measures)
    widths = {1: 7.0, 2: 13.0, 3: 13.0}
    figure, grid = subplots(
        1, len(others), (widths.get(len(others), 4.3 * len(others)), 4.2), sharey=True, squeeze=False
    )
    for axis, measure in zip(grid[0], others, strict=True):
        for style in _styles(points, upright):
            _scatter(axis, [point for point in points if style.matches(point)], measure, upright, style)
        axis.set_xscale(scale_of(measure, [point.value(measure) for point in points]))
        axis.set_xlabel(measure.heading)
        axis.grid(visible=True, alpha=0.25)
    first = grid[0][0]
    first.set_yscale(scale_of(upright, [point.value(upright) for point in points]))
    first.set_ylabel(upright.heading)
    figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    return save(figure, path)


def axes_of(measures: Sequence[Measure]) -> tuple[Measure, list[Measure]]:
    """The measure of the vertical axis, and those of the horizontal axes."""
    upright = next((one for one in measures if one.direction is Direction.MAXIMISE), measures[0])
    return upright, [one for one in measures if one is not upright] or [TRIAL]


@dataclass(frozen=True)
class _Style:
    label: str
    colour: str
    marker: str
    size: float
    filled: bool
    order: int
    on_front: bool
    is_best: bool
    measure: str
    predicted: bool

    def matches(self, point: Point) -> bool:
        if point.is_best or self.is_best:
            return point.is_best and self.is_best
        return point.on_front == self.on_front and (self.measure in point.predicted) == self.predicted


def _styles(points: Sequence[Point], upright: Measure) -> list[_Style]:
    name = upright.name
    best_predicted = any(point.is_best and name in point.predicted for point in points)
    orange, predicted = COLOURS[5], f"{upright.label} predicted"
    return [
        _Style("dominated", GREY, "o", 18, True, 1, False, False, name, False),
        _Style(f"dominated, {predicted}", GREY, "o", 18, False, 1, False, False, name, True),
        _Style("Pareto-optimal", BLUE, "o", 36, True, 2, True, False, name, False),
        _Style(f"Pareto-optimal, {predicted}", BLUE, "o", 36, False, 2, True, False, name, True),
        _Style("best under the objective", orange, "*", 160, not best_predicted, 3, True, True, name, best_predicted),
    ]


def _scatter(axis: Any, points: Sequence[Point], along: Measure, upright: Measure, style: _Style) -> None:
    axis.scatter(
        plotted(along, [point.value(along) for point in points]),
        plotted(upright, [point.value(upright) for point in points]),
        label=f"{style.label} ({len(points)})" if points else None,
        marker=style.marker,
        s=style.size,
        facecolors=style.colour if style.filled else "none",
        edgecolors=style.colour,
        zorder=style.order,
    )
