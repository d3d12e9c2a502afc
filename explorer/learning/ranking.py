"""Designs ordered by their edit distance to one: by bounds of it, which are equal for about half of all pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.contracts.metric import Metric
from explorer.distance.bounds import LowerBounds, upper_bound
from explorer.distance.graph import PlacedGraph
from graphdb.architecture import Architecture
from graphdb.store import Store

ROUNDING = 1e-9
"""Bounds of one distance that differ by no more than this are equal."""
_KEPT_GRAPHS = 4000
"""Graphs that stay in memory; reading one from the database takes ten times as long as comparing it."""
_BEYOND = 16
"""Candidates that are bounded together, in the order of their lower bounds."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """A design, with bounds of its edit distance to another.

    Attributes:
        key: the key of the design.
        at_least: a lower bound of the distance.
        at_most: an upper bound, the cost of one edit path.
    """

    key: str
    at_least: float
    at_most: float


class Graphs:
    """The graphs of stored designs as edit distances see them, of which the latest stay in memory.

    A key stands for one graph for ever, so what is in memory cannot be outdated.

    Args:
        metric: the edit distance.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._kept: dict[str, PlacedGraph] = {}

    def of(self, store: Store, keys: Sequence[str]) -> dict[str, PlacedGraph]:
        """The graphs of those of the designs that are stored.

        Args:
            store: the database.
            keys: the keys of designs.
        """
        graphs = {key: graph for key in keys if (graph := self._kept.get(key)) is not None}
        missing = [key for key in keys if key not in graphs]
        if missing:
            graphs |= {key: self.placed(one) for key, one in store.architectures.get_many(missing).items()}
            # Another thread may do the same: what it adds is equal.
            self._kept = dict(list((self._kept | graphs).items())[-_KEPT_GRAPHS:])
        return {key: graphs[key] for key in keys if key in graphs}

    def placed(self, architecture: Architecture) -> PlacedGraph:
        """The graph of one design."""
        return PlacedGraph.of(architecture, self._metric.place)


@lru_cache(maxsize=8)
def graphs_of(metric: Metric) -> Graphs:
    """The graphs in memory that belong to an edit distance."""
    return Graphs(metric)


def ranked(graph: PlacedGraph, others: Mapping[str, PlacedGraph], count: int) -> list[Bounded]:
    """The designs with the smallest upper bounds of their distance to one, the nearest first.

    Lower bounds of all take less than a millisecond. Upper bounds are computed in their order, until no other design
    can have a smaller one than the `count` that are known.

    Args:
        graph: the graph of the one.
        others: key -> graph of each candidate.
        count: the number of designs, at least 1.
    """
    names = list(others)
    if not names:
        return []
    lower = LowerBounds([graph, *others.values()]).between(np.array(0), np.arange(1, len(names) + 1))
    order = np.argsort(lower, kind="stable")
    bounded: list[Bounded] = []
    for start in range(0, len(order), _BEYOND):
        if len(bounded) >= count:
            last = sorted(one.at_most for one in bounded)[count - 1]
            if lower[order[start]] > last + ROUNDING:
                break
        for at in order[start : start + _BEYOND]:
            at_most = upper_bound(graph, others[names[at]])
            bounded.append(Bounded(names[at], min(float(lower[at]), at_most), at_most))
    return sorted(bounded, key=lambda one: (one.at_most, one.key))[:count]
