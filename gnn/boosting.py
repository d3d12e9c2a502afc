"""Gradient boosting of regression trees on few columns: histograms, squared error, nothing but NumPy.

Friedman 2002, "Stochastic gradient boosting": every tree is fitted to the residuals on a random half of the rows; every
split looks at a random part of the columns, as in random forests (Breiman 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAXIMUM_BINS = 64
ROWS = 0.5
"""Share of the rows that a tree sees, up to `MAXIMUM_ROWS`."""
MAXIMUM_ROWS = 4096
COLUMNS = 0.3
"""Share of the columns that a split chooses from."""
HIGHEST = float(np.finfo(np.float64).max)
"""Threshold of a node that does not split."""


@dataclass(frozen=True)
class Trees:
    """Binary trees of equal depth d whose values are added.

    Node i has the children 2 i + 1 (value at most the threshold) and 2 i + 2; a node that does not split sends all to
    the left.

    Attributes:
        columns: that the nodes look at, shape `(trees, 2**d - 1)`.
        thresholds: same shape.
        leaves: values, shape `(trees, 2**d)`.
    """

    columns: NDArray[np.int32]
    thresholds: Array
    leaves: Array

    @property
    def depth(self) -> int:
        """Decisions from the root to a leaf."""
        return int(self.leaves.shape[1]).bit_length() - 1

    def predict(self, rows: Array) -> Array:
        """The sum over all trees, shape `(n,)`, from `(n, columns)`."""
        total = np.zeros(len(rows))
        place = np.arange(len(rows))
        for columns, thresholds, leaves in zip(self.columns, self.thresholds, self.leaves, strict=True):
            node = np.zeros(len(rows), dtype=np.int64)
            for _ in range(self.depth):
                node = 2 * node + 1 + (rows[place, columns[node]] > thresholds[node])
            total += leaves[node - len(columns)]
        return total


@dataclass(frozen=True)
class BinnedRows:
    """Rows whose values are numbered, so that splits can be found by counting.

    Attributes:
        bins: shape `(n, columns)`.
        edges: between neighbouring bins, shape `(columns, bins - 1)`; `HIGHEST` after the last bin of a column.
    """

    bins: Indices
    edges: Array

    @classmethod
    def of(cls, rows: Array) -> BinnedRows:
        """One bin per distinct value; where there are more than `MAXIMUM_BINS`, equally full ones."""
        by_column = [_edges(column) for column in rows.T]
        edges = np.full((len(by_column), max((len(e) for e in by_column), default=0) + 1), HIGHEST)
        for line, own in zip(edges, by_column, strict=True):
            line[: len(own)] = own
        bins = [np.searchsorted(own, column, side="left") for own, column in zip(by_column, rows.T, strict=True)]
        return cls(np.stack(bins, axis=1).astype(np.int64), edges)


def boosted(
    data: BinnedRows, values: Array, trees: int, depth: int, rate: float, generator: np.random.Generator
) -> Trees:
    """Trees whose sum approximates `values`, shape `(n,)`; the mean of the values is spread over their leaves.

    Args:
        data: n rows.
        values: to learn.
        trees: how many.
        depth: of every tree.
        rate: share of the residuals that a tree takes away.
        generator: of rows and columns.
    """
    inner = 2**depth - 1
    grown = Trees(
        np.zeros((trees, inner), dtype=np.int32), np.full((trees, inner), HIGHEST), np.zeros((trees, inner + 1))
    )
    share = float(values.mean()) / trees if len(values) else 0.0
    residual = values - values.mean()
    drawn = min(max(2, round(ROWS * len(values))), MAXIMUM_ROWS)
    for t in range(trees):
        chosen = generator.permutation(len(values))[:drawn]
        node = _grow(data, residual, chosen, grown.columns[t], grown.thresholds[t], depth, generator)
        leaf = node - inner
        sums = np.bincount(leaf[chosen], residual[chosen], inner + 1)
        counts = np.bincount(leaf[chosen], minlength=inner + 1)
        step = rate * sums / np.maximum(counts, 1)
        residual = residual - step[leaf]
        grown.leaves[t] = step + share
    return grown


def _edges(column: Array) -> Array:
    distinct = np.unique(column)
    if len(distinct) > MAXIMUM_BINS:
        distinct = np.unique(np.quantile(column, np.linspace(0, 1, MAXIMUM_BINS), method="nearest"))
    return np.asarray((distinct[1:] + distinct[:-1]) / 2)


def _grow(
    data: BinnedRows,
    residual: Array,
    chosen: Indices,
    columns: NDArray[np.int32],
    thresholds: Array,
    depth: int,
    generator: np.random.Generator,
) -> Indices:
    """Fills in the splits of one tree, level by level; returns the leaf of every row, as the number of a node."""
    node = np.zeros(len(residual), dtype=np.int64)
    cells = np.arange(data.bins.shape[1]) * data.edges.shape[1] + data.bins
    for level in range(depth):
        first, count = 2**level - 1, 2**level
        column, cut = _splits(data, cells[chosen], node[chosen] - first, residual[chosen], count, generator)
        columns[first : first + count] = column
        thresholds[first : first + count] = data.edges[column, cut]
        own = node - first
        node = 2 * node + 1 + (data.bins[np.arange(len(node)), column[own]] > cut[own])
    return node


def _splits(
    data: BinnedRows, cells: Indices, node: Indices, residual: Array, nodes: int, generator: np.random.Generator
) -> tuple[Indices, Indices]:
    """The column, and the bin after which to cut, that lessen the squared error most, for every node of a level."""
    width, bins = data.edges.shape
    size = width * bins
    flat = (node[:, None] * size + cells).ravel()
    sums = np.bincount(flat, np.repeat(residual, width), nodes * size).reshape(nodes, width, bins).cumsum(axis=2)
    counts = np.bincount(flat, minlength=nodes * size).reshape(nodes, width, bins).cumsum(axis=2)
    total, number = sums[:, :, -1:], counts[:, :, -1:]
    right = number - counts
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = sums**2 / counts + (total - sums) ** 2 / right
    gain[(counts == 0) | (right == 0)] = -np.inf
    # Every node looks at its own random columns.
    rank = generator.random((nodes, width)).argsort(axis=1).argsort(axis=1)
    gain[rank >= max(1, round(COLUMNS * width))] = -np.inf
    flattened = gain.reshape(nodes, size)
    best = flattened.argmax(axis=1)
    column, cut = best // bins, best % bins
    nothing = np.isinf(flattened[np.arange(nodes), best])
    return np.where(nothing, 0, column), np.where(nothing, bins - 1, cut)
