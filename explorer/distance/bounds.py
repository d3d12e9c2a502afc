"""Lower and upper bounds of the edit distance, each in a fraction of a millisecond per pair.

Places on a line make the blocks' part easy: the cheapest way to turn one multiset of places into another pairs them in
order, so that the lower bound needs no assignment problem. The upper bound is the cost of one real edit path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from explorer.distance.graph import EDGE_COST, Floats, Indices, PlacedGraph

_ROUNDS = 10
_SAME_DEPTH = 0.5
"""Weight of the difference in depth in the first assignment: enough to decide between equal labels; edges cost 0.1."""


class LowerBounds:
    """Lower bounds of the distances between graphs, for all pairs at once.

    The bound is the Wasserstein distance of the places, with blocks at 0 added to the smaller graph, plus the cost of
    the difference in the number of edges. No edit path can be cheaper: each block is replaced, deleted or inserted, and
    only inserting or deleting changes the number of edges. The bound is a metric on multisets, for which the order of
    the blocks does not matter.

    Args:
        graphs: the graphs.
    """

    def __init__(self, graphs: Sequence[PlacedGraph]) -> None:
        everything = np.concatenate([np.zeros(1), *(graph.places for graph in graphs)])
        places, index = np.unique(everything, return_inverse=True)
        counts = np.zeros((len(graphs), len(places)))
        owner = np.repeat(np.arange(len(graphs)), [len(graph) for graph in graphs])
        np.add.at(counts, (owner, index[1:]), 1.0)
        # Blocks at or above each place; pairing in order moves their difference over the gap below that place.
        above = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
        self._above = above[:, 1:] * np.diff(places)
        self._edges = np.array([len(graph.sources) for graph in graphs], dtype=np.float64)

    def between(self, first: Indices, second: Indices) -> Floats:
        """The bounds between the graphs at the positions `first[i]` and `second[i]`; any shapes that broadcast."""
        apart: Floats = np.abs(self._above[first] - self._above[second]).sum(axis=-1)
        return apart + EDGE_COST * np.abs(self._edges[first] - self._edges[second])

    def among(self, group: Indices) -> Floats:
        """The bounds between all pairs of the graphs at n positions, shape `(n, n)`."""
        bounds = np.empty((len(group), len(group)))
        for row, one in zip(bounds, group, strict=True):  # all at once would take n times the memory
            row[:] = self.between(one, group)
        return bounds


def upper_bound(first: PlacedGraph, second: PlacedGraph) -> float:
    """An upper bound of the distance: the cost of one edit path.

    Blocks are assigned to blocks at the least cost of the blocks alone, with a preference for the same depth; then the
    edges that an assignment keeps are taken as given and the blocks are assigned again, as long as the cost falls
    (Frank-Wolfe steps on the quadratic problem, as Bougleux et al. 2017, "Graph edit distance as a quadratic assignment
    problem"). Deterministic and symmetric.
    """
    if _order(first) > _order(second):
        first, second = second, first
    size = len(second)
    places, forward = np.zeros(size), np.zeros((size, size))
    places[: len(first)] = first.places
    forward[: len(first), : len(first)] = first.adjacency
    backward, adjacency = np.ascontiguousarray(forward.T), second.adjacency
    blocks = np.abs(places[:, None] - second.places)
    costs = blocks.copy()
    costs[: len(first)] += _SAME_DEPTH * np.abs(first.depths[:, None] - second.depths)
    rows, best = np.arange(size), np.inf
    edges = len(first.sources) + len(second.sources)
    for _ in range(_ROUNDS):
        image = linear_sum_assignment(costs)[1]
        kept = adjacency[image[first.sources], image[first.targets]].sum()
        cost = float(blocks[rows, image].sum() + EDGE_COST * (edges - 2.0 * kept))
        if cost >= best - 1e-9:
            break
        best = cost
        costs = blocks - 2.0 * EDGE_COST * (forward @ adjacency[:, image].T + backward @ adjacency[image])
    return best if size else 0.0


def upper_bounds(graphs: Sequence[PlacedGraph], pairs: Iterable[tuple[int, int]]) -> Floats:
    """`upper_bound` of many pairs, given by the positions of their graphs."""
    return np.array([upper_bound(graphs[first], graphs[second]) for first, second in pairs], dtype=np.float64)


def _order(graph: PlacedGraph) -> tuple[int, int, bytes, bytes, bytes]:
    """A fixed order of graphs, the smaller first, so that a bound does not depend on the order of the pair."""
    return (
        len(graph),
        len(graph.sources),
        graph.places.tobytes(),
        graph.sources.tobytes(),
        graph.targets.tobytes(),
    )
