"""Gradient boosting of regression trees on few columns: histograms and squared error, in pure NumPy.

Friedman 2002, "Stochastic gradient boosting": every tree is fitted to the residuals on a random half of the rows; every
split chooses from a random part of the columns, as in random forests (Breiman 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAXIMUM_BINS = 64
ROWS = 0.5
"""Share of the rows that a tree is fitted to, up to `MAXIMUM_ROWS`."""
MAXIMUM_ROWS = 4096
COLUMNS = 0.3
"""Share of the columns that a split chooses from."""
HIGHEST = float(np.finfo(np.float64).max)
"""The threshold of a node that does not split."""


@dataclass(frozen=True)
class Trees:
    """Binary trees of equal depth d whose values are summed.

    Node i has the children 2 i + 1 (value at most the threshold) and 2 i + 2; a node that does not split sends all to
    the left.

    Attributes:
        columns: the columns that the nodes compare, shape `(trees, 2**d - 1)`.
        thresholds: the thresholds of the nodes, same shape.
        leaves: the values of the leaves, shape `(trees, 2**d)`.
    """

    columns: NDArray[np.int32]
    thresholds: Array
    leaves: Array

    @property
    def depth(self) -> int:
        """The number of decisions from the root to a leaf."""
        return int(self.leaves.shape[1]).bit_length() - 1

    def predict(self, rows: Array) -> Array:
        """The sum over all trees, shape `(n,)`, for rows of shape `(n, columns)`."""
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
    """Rows with their values sorted into bins, so that splits can be found by counting.

    Attributes:
        bins: the bin of each value, shape `(n, columns)`.
        edges: the edges between neighbouring bins, shape `(columns, bins - 1)`; `HIGHEST` after a column's last bin.
    """

    bins: Indices
    edges: Array

    @classmethod
    def of(cls, rows: Array) -> BinnedRows:
        """One bin per distinct value, or equally full bins if there are more than `MAXIMUM_BINS` values."""
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
        data: the n rows.
        values: the values to learn.
        trees: the number of trees.
        depth: the depth of every tree.
        rate: the share of the residuals that each tree removes.
        generator: draws the rows and columns of each tree.
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
    """Fills in the splits of one tree, level by level; returns the leaf of every row as a node number."""
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
    """For every node of a level, the column and the last bin on its left that reduce the squared error most."""
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
    # Every node chooses from its own random columns.
    rank = generator.random((nodes, width)).argsort(axis=1).argsort(axis=1)
    gain[rank >= max(1, round(COLUMNS * width))] = -np.inf
    flattened = gain.reshape(nodes, size)
    best = flattened.argmax(axis=1)
    column, cut = best // bins, best % bins
    nothing = np.isinf(flattened[np.arange(nodes), best])
    return np.where(nothing, 0, column), np.where(nothing, bins - 1, cut)
