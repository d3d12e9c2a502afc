"""A map of a design space as PNG and SVG: embeddings in the plane, coloured by a measure, with the path of a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.measure import Measure
from explorer.report.figure import COLOURS, GREY, plotted, save, scale_of, subplots

Numbers = NDArray[np.float64]
_RED, _GOLD = COLOURS[5], COLOURS[1]
_FAR = 3.0
_MOST_WAYPOINTS = 12


@dataclass(frozen=True)
class SpaceMap:
    """A map of n designs.

    Attributes:
        points: their points in the plane, `(n, 2)`.
        explained: the share of the embeddings' variance along each axis, `(2,)`.
        values: their values of the measure, `(n,)`; NaN where unknown.
        path: the rows that a search evaluated, in order; empty without a search.
        best: the row of the design that was best under the objective of the search; None without one.
    """

    points: Numbers
    explained: Numbers
    values: Numbers
    path: Sequence[int] = ()
    best: int | None = None


def plane(embeddings: NDArray[np.floating]) -> tuple[Numbers, Numbers]:
    """The first two principal components of embeddings `(n, d)`: points `(n, 2)` and their shares of the variance.

    Signs are chosen so that the largest entry of each axis is positive, so that maps do not flip.
    """
    centred = np.asarray(embeddings, dtype=np.float64) - np.mean(embeddings, axis=0, dtype=np.float64)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.vstack([axes[:2], np.zeros((max(2 - len(axes), 0), centred.shape[1]))])
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.where(axes[np.arange(2), largest] < 0, -1.0, 1.0)[:, None]
    variance = np.zeros(2)
    variance[: len(scales[:2])] = scales[:2] ** 2
    total = float((scales**2).sum())
    return centred @ axes.T, variance / total if total else variance


def plot(space: SpaceMap, measure: Measure, title: str, path: Path) -> list[Path]:
    """Draws designs as dots, grey where the measure is unknown, and the path of a search in its order.

    A few designs that lie far from all others would leave those no room: they are drawn at the rim, and counted below.
    In the same way the colours are those of most values.

    Args:
        space: the designs.
        measure: the measure that the colours show.
        title: the title of the map.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    figure, axis = subplots(1, 1, (8, 7))
    frame = [usual_range(along) for along in space.points.T]
    lowest, highest = np.array(frame).T
    points = np.clip(space.points, lowest, highest)
    beyond = int((points != space.points).any(axis=1).sum())
    _draw_designs(figure, axis, SpaceMap(points, space.explained, space.values), measure)
    if space.path:
        _draw_path(axis, points, space)
    for limits, (low, high) in zip((axis.set_xlim, axis.set_ylim), frame, strict=True):
        margin = 0.04 * (high - low) or 1.0
        limits(low - margin, high + margin)
    first, second = (100 * share for share in space.explained)
    note = f"\n{beyond:,} far from all others, drawn at the rim" if beyond else ""
    axis.set(xlabel=f"first component ({first:.0f} % of variance){note}", ylabel=f"second component ({second:.0f} %)")
    if axis.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    figure.suptitle(title)
    return save(figure, path)


def usual_range(values: Numbers) -> tuple[float, float]:
    """The range of values without those that are far out: three interquartile ranges beyond the quartiles (Tukey)."""
    low, high = float(values.min()), float(values.max())
    first, third = np.quantile(values, [0.25, 0.75])
    reach = _FAR * float(third - first)
    if reach <= 0:  # at least half of them are equal, and a range of one value shows nothing
        return low, high
    return max(low, float(first) - reach), min(high, float(third) + reach)


def waypoints(steps: int) -> list[int]:
    """The steps of a path that are numbered and joined: the first, the last, and some at round distances between."""
    stride = next(stride for stride in _strides() if steps <= stride * _MOST_WAYPOINTS)
    chosen = list(range(0, steps, stride))
    if chosen[-1] != steps - 1:
        if steps - 1 - chosen[-1] < stride / 2 and len(chosen) > 1:
            chosen.pop()  # two numbers beside each other cannot be read
        chosen.append(steps - 1)
    return chosen


def _strides() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _draw_designs(figure: Any, axis: Any, space: SpaceMap, measure: Measure) -> None:
    known = ~np.isnan(space.values)
    large = len(space.points) > 2000  # an SVG of many points would be larger than the PNG
    if not known.all():
        label = f"{measure.label} not measured ({(~known).sum():,})"
        axis.scatter(*space.points[~known].T, s=8, color=GREY, alpha=0.5, linewidths=0, rasterized=large, label=label)
    if not known.any():
        return
    values = np.array(plotted(measure, space.values[known].tolist()))
    norm, extend = _colours(values, scale_of(measure, values.tolist()))
    dots = axis.scatter(
        *space.points[known].T,
        c=values,
        s=14,
        cmap="viridis",
        norm=norm,
        linewidths=0,
        rasterized=large,
        zorder=2,
    )
    figure.colorbar(dots, ax=axis, label=measure.heading, extend=extend)


def _colours(values: Numbers, scale: str) -> tuple[Any, str]:
    """The scale of colours for most of the values, and whether others lie below or above it."""
    from matplotlib.colors import LogNorm, Normalize

    if scale == "log":
        low, high = (float(np.exp(end)) for end in usual_range(np.log(values)))
        low, high = max(low, float(values.min())), min(high, float(values.max()))
    else:
        low, high = usual_range(values)
    below, above = bool((values < low).any()), bool((values > high).any())
    extend = "both" if below and above else "min" if below else "max" if above else "neither"
    return (LogNorm if scale == "log" else Normalize)(low, high), extend


def _draw_path(axis: Any, points: Numbers, space: SpaceMap) -> None:
    """Draws every design of a search as a ring, the later the darker, and joins some of them in order."""
    visited = points[list(space.path)]
    shades = np.linspace(0.25, 1.0, len(visited))
    rings = [(*_rgb(_RED), shade) for shade in shades]
    axis.scatter(*visited.T, facecolors="none", edgecolors=rings, s=34, linewidths=1.1, zorder=3)
    axis.scatter(
        [], [], facecolors="none", edgecolors=_RED, s=34, label=f"search ({len(visited)} designs, later ones darker)"
    )
    some = waypoints(len(visited))
    for start, end in pairwise(some):
        arrow = {"arrowstyle": "-|>", "color": _RED, "alpha": 0.35 + 0.5 * shades[end], "linewidth": 0.9, "shrinkB": 4}
        axis.annotate("", xy=visited[end], xytext=visited[start], zorder=4, arrowprops=arrow)
    outline = [_outline()]
    for step in some:
        place = {"xytext": (5, 5), "textcoords": "offset points", "fontsize": 7.5, "zorder": 7}
        axis.annotate(str(step + 1), visited[step], path_effects=outline, **place)
    ends = (("first", 0, "s"), ("last", -1, "D"))
    for name, at, marker in ends if len(visited) > 1 else ends[:1]:
        axis.scatter(
            *visited[at], marker=marker, color=_RED, edgecolors="white", s=46, zorder=5, label=f"{name} design"
        )
    if space.best is not None:
        label = "best under the objective"
        axis.scatter(*points[space.best], marker="*", color=_GOLD, edgecolors="black", s=230, zorder=6, label=label)


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def _outline() -> Any:
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=2, foreground="white")
