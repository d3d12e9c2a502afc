"""Relaxed graphs around given ones as points of a unit box, for walks that follow gradients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations, product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gnn.relaxed import Array, Form, Indices, RelaxedGraph, RelaxedGraphs, Rows
from graphdb.architecture import Architecture

SPARE = 2
"""Places for blocks that a start does not have."""
DENSE = 64
"""Most places of which all pairs are possible edges; above that, only near ones and some random ones."""
ON, OFF = 0.9, 0.1
"""Entries of what a start has and has not: off the walls, where gradients vanish."""
_KIND_SCALE, _PRESENCE_SCALE = 6.0, 10.0


class Chart:
    """The neighbourhoods of k discrete graphs in relaxed form: each graph has its blocks, spare places, possible edges.

    A point has D entries in [0, 1]: for each place the weights of the kinds, of which a softmax makes probabilities;
    the attributes within the range of the sample; for each possible edge a presence, bent by a sigmoid; and the edge's
    attributes. Possible edges are all pairs of places, in one direction only if that holds for all graphs of the form.
    """

    def __init__(
        self, form: Form, starts: Sequence[Architecture], generator: np.random.Generator, spare: int = SPARE
    ) -> None:
        """
        Args:
            form: how graphs are written.
            starts: the k graphs.
            generator: draws the random pairs of large graphs.
            spare: the number of spare places.
        """
        self.form = form
        self._rows = [form.rows(start) for start in starts]
        self._spare = spare
        self._size = max(len(rows.kinds) for rows in self._rows) + spare
        self._pairs = [_pairs(rows, spare, form.forward, generator) for rows in self._rows]
        self._edges = max((len(pairs) for pairs in self._pairs), default=0)
        self._place = [{tuple(pair): place for place, pair in enumerate(pairs.tolist())} for pairs in self._pairs]
        self._width = len(form.kinds) + 1
        self._shapes = (
            (self._size, self._width),
            (self._size, form.feature_width),
            (self._edges,),
            (self._edges, form.attribute_width),
        )
        padded = np.zeros((len(starts), self._edges, 2), dtype=np.int64)
        self._possible = torch.zeros(len(starts), self._edges)
        for row, pairs in enumerate(self._pairs):
            padded[row, : len(pairs)] = pairs
            self._possible[row, : len(pairs)] = 1.0
        shifted = padded + self._size * np.arange(len(starts))[:, None, None]
        self._index = torch.from_numpy(np.ascontiguousarray(shifted.reshape(-1, 2).T))
        self._exists = torch.zeros(len(starts), self._size)
        for row, rows in enumerate(self._rows):
            self._exists[row, : len(rows.kinds) + spare] = 1.0

    def points(self) -> Tensor:
        """The starts, shape `(k, D)`."""
        return torch.from_numpy(np.stack([self._point(row) for row in range(len(self._rows))])).float()

    def _point(self, number: int) -> Array:
        rows = self._rows[number]
        kinds, features, presence, attributes = (np.full(shape, OFF) for shape in self._shapes)
        size = len(rows.kinds)
        kinds[np.arange(size), rows.kinds] = ON
        kinds[size:, -1] = ON
        features[:] = 0.5
        features[:size] = _scaled(rows.features, self.form.feature_range)
        attributes[:] = 0.5
        places = [self._place[number][(int(source), int(target))] for source, target in rows.edges]
        presence[places] = ON
        attributes[places] = _scaled(rows.attributes, self.form.attribute_range)
        return np.concatenate([part.ravel() for part in (kinds, features, presence, attributes)])

    def graphs(self, points: Tensor) -> RelaxedGraphs:
        """The relaxed graphs at points `(k, D)`, one of each start, in a twice differentiable way."""
        count = len(points)
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        kinds, features, presence, attributes = torch.split(points, sizes, dim=1)
        weights = kinds.reshape(count, self._size, self._width)
        probabilities = torch.softmax(_KIND_SCALE * weights, dim=2)
        nothing = torch.zeros(self._width)
        nothing[-1] = 1.0
        real = self._exists.unsqueeze(2)
        probabilities = probabilities * real + nothing * (1 - real)
        return RelaxedGraphs(
            probabilities.reshape(count * self._size, -1),
            _unscaled(features.reshape(count * self._size, -1), self.form.feature_range),
            self._index,
            (torch.sigmoid(_PRESENCE_SCALE * (presence - 0.5)) * self._possible).reshape(-1),
            _unscaled(attributes.reshape(count * self._edges, -1), self.form.attribute_range),
            torch.arange(count).repeat_interleave(self._size),
            count,
        )

    def relaxed(self, points: Tensor) -> list[RelaxedGraph]:
        """The relaxed graphs at points `(k, D)` as plain arrays."""
        with torch.no_grad():
            graphs = self.graphs(points)
        count = len(points)
        kinds, features = (
            part.double().numpy().reshape(count, self._size, -1) for part in (graphs.kinds, graphs.features)
        )
        presence = graphs.presence.double().numpy().reshape(count, self._edges)
        attributes = graphs.attributes.double().numpy().reshape(count, self._edges, -1)
        results = []
        for number, (rows, pairs) in enumerate(zip(self._rows, self._pairs, strict=True)):
            size, edges = len(rows.kinds) + self._spare, len(pairs)
            results.append(
                RelaxedGraph(
                    self.form.kinds,
                    kinds[number, :size],
                    features[number, :size],
                    pairs,
                    presence[number, :edges],
                    attributes[number, :edges],
                )
            )
        return results

    def distance(self, number: int, relaxed: RelaxedGraph, graph: Architecture) -> float:
        """L1 between a relaxed graph and a discrete one; inf if the latter has more new blocks than spare places.

        Args:
            number: which start the relaxed graph belongs to.
            relaxed: the relaxed graph.
            graph: the discrete graph. Blocks of a graph of another size are matched in order, by kind, attributes and
                degrees.
        """
        rows = self.form.rows(graph)
        start = len(self._rows[number].kinds)
        if len(rows.kinds) == start:
            slots = np.arange(start)
        else:
            matched = _matched(rows, relaxed, start, self._spare, self.form.feature_range)
            if matched is None:
                return float("inf")
            slots = matched
        return self._apart(number, relaxed, rows, slots)

    def _apart(self, number: int, relaxed: RelaxedGraph, rows: Rows, slots: Indices) -> float:
        wanted = np.zeros_like(relaxed.probabilities)
        wanted[:, -1] = 1.0
        wanted[slots] = 0.0
        wanted[slots, rows.kinds] = 1.0
        total = 0.5 * float(np.abs(wanted - relaxed.probabilities).sum())
        if rows.features.shape[1]:
            range_ = self.form.feature_range
            apart = np.abs(_scaled(rows.features, range_) - _scaled(relaxed.features[slots], range_))
            total += float(apart.sum())
        presence = relaxed.presence.copy()
        place = self._place[number]
        for row, (source, target) in enumerate(slots[rows.edges].tolist()):
            edge = place.get((source, target))
            if edge is None:  # an edge that the relaxed graph cannot have
                total += 1.0
                continue
            total += 1.0 - 2.0 * presence[edge]  # the sum below counts the presence itself
            if rows.attributes.shape[1]:
                range_ = self.form.attribute_range
                own, other = _scaled(rows.attributes[row], range_), _scaled(relaxed.attributes[edge], range_)
                total += float(np.abs(own - other).sum())
        return float(total + presence.sum())


def _pairs(rows: Rows, spare: int, forward: bool, generator: np.random.Generator) -> Indices:
    """The possible edges of a graph with spare places at the end, the edges that it has first."""
    size = len(rows.kinds)
    own = [(int(source), int(target)) for source, target in rows.edges]
    old, new = range(size), range(size, size + spare)
    if size + spare <= DENSE:
        inner = list(combinations(old, 2) if forward else permutations(old, 2))
        outer = [*product(old, new), *product(new, old), *combinations(new, 2)]
    else:
        inner = _near(own, size, forward, generator)
        linked = [int(place) for place in generator.choice(size, min(size, DENSE), replace=False)]
        outer = [*product(linked, new), *product(new, linked), *combinations(new, 2)]
    every = dict.fromkeys([*own, *inner, *outer])
    return np.array(list(every), dtype=np.int64).reshape(-1, 2)


def _near(
    own: Sequence[tuple[int, int]], size: int, forward: bool, generator: np.random.Generator
) -> list[tuple[int, int]]:
    """The pairs of blocks two edges apart, and as many random ones as there are blocks."""
    following: dict[int, list[int]] = {}
    for source, target in own:
        following.setdefault(source, []).append(target)
    hops = [(source, last) for source, target in own for last in following.get(target, ())]
    drawn = [(int(a), int(b)) for a, b in generator.integers(size, size=(size, 2))]
    pairs = [(a, b) for a, b in [*hops, *drawn] if a != b]
    return [(min(pair), max(pair)) for pair in pairs] if forward else pairs


def _matched(
    rows: Rows,
    relaxed: RelaxedGraph,
    start: int,
    spare: int,
    range_: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Indices | None:
    """The place of each block of a graph, in order except for those in spare places, at the least total mismatch."""
    size = len(rows.kinds)
    if size > start + spare:
        return None
    cost = _mismatch(rows, relaxed, start, range_)
    new = 1.0 - relaxed.probabilities[start:].max(axis=0, initial=0.0)[rows.kinds]
    gone = 1.0 - relaxed.probabilities[:start, -1]
    # best[i, j, s]: least cost of the first i places and j blocks with s of the blocks in spare places
    best = np.full((start + 1, size + 1, spare + 1), np.inf)
    step = np.zeros(best.shape, dtype=np.int64)
    best[0, 0, 0] = 0.0
    for i, j, s in product(range(start + 1), range(size + 1), range(spare + 1)):
        choices = (
            best[i - 1, j - 1, s] + cost[i - 1, j - 1] if i and j else np.inf,
            best[i - 1, j, s] + gone[i - 1] if i else np.inf,
            best[i, j - 1, s - 1] + new[j - 1] if j and s else np.inf,
        )
        if i or j:
            step[i, j, s] = int(np.argmin(choices))
            best[i, j, s] = min(choices)
    used = int(best[start, size].argmin())
    if not np.isfinite(best[start, size, used]):
        return None
    slots, i, j, s = np.zeros(size, dtype=np.int64), start, size, used
    while i or j:
        move = step[i, j, s]
        if move == 1:
            i -= 1
            continue
        j -= 1
        slots[j] = i - 1 if move == 0 else start + s - 1
        i, s = (i - 1, s) if move == 0 else (i, s - 1)
    return slots


def _mismatch(
    rows: Rows, relaxed: RelaxedGraph, start: int, range_: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> Array:
    """How unlike each place of a start and each block of a graph are, shape `(start, size)`."""
    cost = 1.0 - relaxed.probabilities[:start][:, rows.kinds]
    if rows.features.shape[1]:
        own, other = _scaled(rows.features, range_), _scaled(relaxed.features[:start], range_)
        cost = cost + np.abs(other[:, None] - own[None]).sum(axis=2)
    for end in (0, 1):
        soft = np.bincount(relaxed.edges[:, end], relaxed.presence, minlength=start)[:start]
        hard = np.bincount(rows.edges[:, end], minlength=len(rows.kinds))
        cost = cost + 0.25 * np.abs(soft[:, None] - hard[None])
    return np.asarray(cost)


def _scaled(values: NDArray[np.floating], range_: tuple[NDArray[np.float32], NDArray[np.float32]]) -> Array:
    low, extent = range_
    return np.clip((values - low) / np.where(extent > 0, extent, 1.0), 0.0, 1.0).astype(np.float64)


def _unscaled(values: Tensor, range_: tuple[NDArray[np.float32], NDArray[np.float32]]) -> Tensor:
    low, extent = (torch.from_numpy(part) for part in range_)
    return low + extent * values
