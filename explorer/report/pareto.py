"""The Pareto plot of a study, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.report.figure import BLUE, COLOURS, GREY, save, subplots


@dataclass(frozen=True)
class Point:
    """One trial in the plot.

    Attributes:
        accuracy: 0 to 1.
        costs: measure -> value, positive; the same measures for all trials of a plot.
        on_front: whether no other trial is better in all of these.
        is_best: whether it is best under the objective.
        predicted: whether its accuracy was predicted, not measured.
    """

    accuracy: float
    costs: Mapping[str, float]
    on_front: bool
    is_best: bool
    predicted: bool


LABELS = {
    "latency_s": "latency (s)",
    "energy_j": "energy per batch (J)",
    "area_mm2": "area (mm²)",
    "parameters": "parameters",
}


def plot(points: Sequence[Point], title: str, path: Path) -> list[Path]:
    """Accuracy over each cost, costs on log axes; colours that a colour-blind reader tells apart.

    Args:
        points: at least one.
        title: above the picture.
        path: file name without suffix; its folder is made.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    measures = list(points[0].costs)
    width = 13 if len(measures) > 1 else 7
    figure, grid = subplots(1, len(measures), (width, 4.2), sharey=True, squeeze=False)
    axes = grid[0]
    for axis, measure in zip(axes, measures, strict=True):
        for style in _styles(points):
            chosen = [point for point in points if style.matches(point)]
            axis.scatter(
                [point.costs[measure] for point in chosen],
                [100 * point.accuracy for point in chosen],
                label=f"{style.label} ({len(chosen)})" if chosen else None,
                marker=style.marker,
                s=style.size,
                facecolors=style.colour if style.filled else "none",
                edgecolors=style.colour,
                zorder=style.order,
            )
        axis.set_xscale("log")
        axis.set_xlabel(LABELS.get(measure, measure))
        axis.grid(visible=True, alpha=0.25)
    axes[0].set_ylabel("accuracy (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    return save(figure, path)


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
    predicted: bool

    def matches(self, point: Point) -> bool:
        if point.is_best or self.is_best:
            return point.is_best and self.is_best
        return point.on_front == self.on_front and point.predicted == self.predicted


def _styles(points: Sequence[Point]) -> list[_Style]:
    best_predicted = any(point.is_best and point.predicted for point in points)
    orange = COLOURS[5]
    return [
        _Style("dominated", GREY, "o", 18, True, 1, False, False, False),
        _Style("dominated, accuracy predicted", GREY, "o", 18, False, 1, False, False, True),
        _Style("Pareto-optimal", BLUE, "o", 36, True, 2, True, False, False),
        _Style("Pareto-optimal, accuracy predicted", BLUE, "o", 36, False, 2, True, False, True),
        _Style("best under the objective", orange, "*", 160, not best_predicted, 3, True, True, best_predicted),
    ]
