"""A map of a design space as PNG and SVG: embeddings in the plane, coloured by a measure, with the path of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.measure import Measure
from explorer.report.figure import COLOURS, GREY, plotted, save, scale_of, subplots

Numbers = NDArray[np.float64]
_RED = COLOURS[5]


@dataclass(frozen=True)
class SpaceMap:
    """A map of n designs.

    Attributes:
        points: their points in the plane, `(n, 2)`.
        explained: the share of the embeddings' variance along each axis, `(2,)`.
        values: their values of the measure, `(n,)`; NaN where unknown.
        path: the rows that a search evaluated, in order; empty without a search.
    """

    points: Numbers
    explained: Numbers
    values: Numbers
    path: Sequence[int] = ()


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
    """Draws designs as dots, grey where the measure is unknown, and connects those of the path in order.

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
    figure, axis = subplots(1, 1, (8, 6.5))
    known = ~np.isnan(space.values)
    large = len(space.points) > 2000  # an SVG of many points would be larger than the PNG
    axis.scatter(*space.points[~known].T, s=6, color=GREY, alpha=0.4, linewidths=0, rasterized=large)
    values = plotted(measure, space.values[known].tolist())
    style = {"s": 10, "cmap": "viridis", "norm": scale_of(measure, values), "linewidths": 0, "rasterized": large}
    colours = axis.scatter(*space.points[known].T, c=values, zorder=2, **style)
    if known.any():
        figure.colorbar(colours, ax=axis, label=measure.heading)
    if len(space.path):
        visited = space.points[list(space.path)]
        axis.plot(*visited.T, color=_RED, linewidth=0.8, alpha=0.7, zorder=3, label=f"search ({len(visited)} designs)")
        axis.scatter(*visited.T, facecolors="none", edgecolors=_RED, s=26, linewidths=0.9, zorder=4)
        axis.scatter(*visited[-1], marker="*", color=_RED, s=130, zorder=5, label="last design")
        axis.legend(loc="best", fontsize="small")
    first, second = (100 * share for share in space.explained)
    axis.set(xlabel=f"first component ({first:.0f} % of variance)", ylabel=f"second component ({second:.0f} %)")
    figure.suptitle(title)
    return save(figure, path)
