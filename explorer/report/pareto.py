"""The Pareto plot of a study, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Point:
    """One trial in the plot. `predicted`: its accuracy was predicted, not measured."""

    accuracy: float
    latency_s: float
    energy_j: float
    area_mm2: float
    on_front: bool
    is_best: bool
    predicted: bool


COSTS = (("latency_s", "latency (s)"), ("energy_j", "energy per batch (J)"), ("area_mm2", "area (mm²)"))


def plot(points: Sequence[Point], title: str, path: Path) -> list[Path]:
    """Accuracy over each cost, costs on log axes; colours that a colour-blind reader tells apart.

    Args:
        path: file name without suffix; its folder is made.

    Returns:
        The files written, `.png` and `.svg`.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "explorer"  # element names that do not change from one writing to the next
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(1, len(COSTS), figsize=(13, 4.2), sharey=True, layout="constrained")
    for axis, (measure, label) in zip(axes, COSTS, strict=True):
        for style in _styles(points):
            chosen = [point for point in points if style.matches(point)]
            axis.scatter(
                [getattr(point, measure) for point in chosen],
                [100 * point.accuracy for point in chosen],
                label=f"{style.label} ({len(chosen)})" if chosen else None,
                marker=style.marker,
                s=style.size,
                facecolors=style.colour if style.filled else "none",
                edgecolors=style.colour,
                zorder=style.order,
            )
        axis.set_xscale("log")
        axis.set_xlabel(label)
        axis.grid(visible=True, alpha=0.25)
    axes[0].set_ylabel("accuracy (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    files = [path.with_name(path.name + suffix) for suffix in (".png", ".svg")]
    for file in files:
        # No date in the file: the same study gives the same bytes.
        figure.savefig(file, dpi=150, metadata={"Date": None} if file.suffix == ".svg" else {"Software": None})
    pyplot.close(figure)
    return files


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
    grey, blue, orange = "#999999", "#0072B2", "#D55E00"
    return [
        _Style("dominated", grey, "o", 18, True, 1, False, False, False),
        _Style("dominated, accuracy predicted", grey, "o", 18, False, 1, False, False, True),
        _Style("Pareto-optimal", blue, "o", 36, True, 2, True, False, False),
        _Style("Pareto-optimal, accuracy predicted", blue, "o", 36, False, 2, True, False, True),
        _Style("best under the objective", orange, "*", 160, not best_predicted, 3, True, True, best_predicted),
    ]
