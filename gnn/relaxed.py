"""Relaxed graphs: kinds of blocks as probabilities and edges with a presence between 0 and 1, to follow gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gnn.data import Vocabulary
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_KEPT = 50_000  # graphs whose rows are remembered


@dataclass(frozen=True)
class RelaxedGraphs:
    """A batch of g relaxed graphs with n blocks and e possible edges together.

    A discrete graph is the special case in which every probability and every presence is 0 or 1.

    Attributes:
        kinds: the probability of each of k kinds and, last, of no block, shape `(n, k + 1)`.
        features: the attributes of the blocks, shape `(n, f)`.
        edges: source and target of each possible edge, shape `(2, e)`.
        presence: how much of each edge there is, in [0, 1], shape `(e,)`.
        attributes: the attributes of the edges, shape `(e, f')`.
        graph: the graph of each block, ascending, shape `(n,)`.
        count: the number g of graphs.
    """

    kinds: Tensor
    features: Tensor
    edges: Tensor
    presence: Tensor
    attributes: Tensor
    graph: Tensor
    count: int

    @property
    def existence(self) -> Tensor:
        """The probability that there is a block, shape `(n,)`."""
        return 1.0 - self.kinds[:, -1]

    @property
    def weights(self) -> Tensor:
        """How much of each edge there is between blocks that may be absent, shape `(e,)`."""
        existence = self.existence
        return self.presence * existence[self.edges[0]] * existence[self.edges[1]]


@dataclass(frozen=True)
class Rows:
    """One discrete graph.

    Attributes:
        kinds: the number of each block's kind, shape `(n,)`.
        features: shape `(n, f)`.
        edges: shape `(e, 2)`.
        attributes: shape `(e, f')`.
    """

    kinds: Indices
    features: NDArray[np.float32]
    edges: Indices
    attributes: NDArray[np.float32]


class Form:
    """How the graphs of one domain are written: their kinds, their attributes, and which edges are possible.

    Example:
        >>> form = Form(sample)
        >>> form.batch(sample).count
        64
    """

    def __init__(self, sample: Sequence[Architecture]) -> None:
        """
        Args:
            sample: graphs that show what occurs; a kind that they lack counts as one kind "other".

        Raises:
            InputError: there is no graph, or one has no blocks.
        """
        self.vocabulary = Vocabulary.of(sample)
        self._number = {kind: place for place, kind in enumerate(self.vocabulary.kinds)}
        self._known: dict[str, Rows] = {}
        rows = [self.rows(graph) for graph in sample]
        self.forward = all((one.edges[:, 0] < one.edges[:, 1]).all() for one in rows)
        """Whether all edges lead to later blocks, so that no others are possible."""
        self.typical_size = float(np.mean([len(one.kinds) for one in rows]))
        features = np.concatenate([one.features for one in rows])
        attributes = np.concatenate([one.attributes for one in rows])
        self.feature_range = _range(features)
        self.attribute_range = _range(attributes)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds by number; the last stands for all others."""
        return (*self.vocabulary.kinds, "other")

    @property
    def feature_width(self) -> int:
        """The number f of attributes of a block."""
        return self.vocabulary.blocks.width

    @property
    def attribute_width(self) -> int:
        """The number f' of attributes of an edge."""
        return self.vocabulary.edges.width

    def rows(self, graph: Architecture) -> Rows:
        """The graph in numbers; remembered, as searches look at the same graphs again and again.

        Raises:
            InputError: the graph has no blocks.
        """
        known = self._known.get(graph.key)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[graph.key] = self._read(graph)
        return known

    def _read(self, graph: Architecture) -> Rows:
        if not graph.blocks:
            raise InputError(f"A {graph.space} architecture has no blocks; a graph needs at least one.")
        other = len(self._number)
        blocks, edges = self.vocabulary.blocks, self.vocabulary.edges
        features = [blocks.row(block.attributes) for block in graph.blocks] if blocks.width else []
        attributes = [edges.row(edge.attributes) for edge in graph.edges] if edges.width else []
        return Rows(
            np.array([self._number.get(block.kind, other) for block in graph.blocks], dtype=np.int64),
            np.array(features, dtype=np.float32).reshape(len(graph.blocks), blocks.width),
            np.array([(edge.source, edge.target) for edge in graph.edges], dtype=np.int64).reshape(-1, 2),
            np.array(attributes, dtype=np.float32).reshape(len(graph.edges), edges.width),
        )

    def batch(self, graphs: Sequence[Architecture]) -> RelaxedGraphs:
        """Discrete graphs as a batch; absent edges are left out, which is the same as a presence of 0."""
        return joined([self.rows(graph) for graph in graphs], len(self.kinds))


def joined(rows: Sequence[Rows], kinds: int) -> RelaxedGraphs:
    """Discrete graphs as a batch.

    Args:
        rows: at least one graph.
        kinds: the number k of kinds.
    """
    sizes = np.array([len(one.kinds) for one in rows])
    links = np.array([len(one.edges) for one in rows])
    starts = np.repeat(np.cumsum(sizes) - sizes, links)
    edges = np.concatenate([one.edges for one in rows]) + starts[:, None]
    probabilities = torch.nn.functional.one_hot(torch.from_numpy(np.concatenate([r.kinds for r in rows])), kinds + 1)
    return RelaxedGraphs(
        probabilities.float(),
        torch.from_numpy(np.concatenate([one.features for one in rows])),
        torch.from_numpy(np.ascontiguousarray(edges.T)),
        torch.ones(len(edges)),
        torch.from_numpy(np.concatenate([one.attributes for one in rows])),
        torch.from_numpy(np.repeat(np.arange(len(rows)), sizes)),
        len(rows),
    )


class Collection:
    """Discrete graphs that are joined once, and batches that are cut from them."""

    def __init__(self, whole: RelaxedGraphs) -> None:
        """
        Args:
            whole: all graphs; their edges must be in the order of the graphs.
        """
        self._whole = whole
        self._blocks = _starts(whole.graph.numpy(), whole.count)
        self._edges = _starts(whole.graph[whole.edges[0]].numpy(), whole.count)

    def __len__(self) -> int:
        return self._whole.count

    def select(self, graphs: Indices) -> RelaxedGraphs:
        """The batch of the graphs with these indices, in this order."""
        blocks, counts = _taken(self._blocks, graphs)
        edges, links = _taken(self._edges, graphs)
        shift = torch.from_numpy(np.repeat(np.cumsum(counts) - counts - self._blocks[graphs], links))
        block, edge = torch.from_numpy(blocks), torch.from_numpy(edges)
        whole = self._whole
        return replace(
            whole,
            kinds=whole.kinds[block],
            features=whole.features[block],
            edges=whole.edges[:, edge] + shift,
            presence=whole.presence[edge],
            attributes=whole.attributes[edge],
            graph=torch.from_numpy(np.repeat(np.arange(len(graphs)), counts)),
            count=len(graphs),
        )


@dataclass(frozen=True)
class RelaxedGraph:
    """One relaxed graph as plain arrays, for a domain that makes a design of it.

    Attributes:
        kinds: the names of the kinds, without that of an absent block.
        probabilities: of each kind and, last, of no block, for each of n places, shape `(n, k + 1)`.
        features: the attributes of the blocks as columns of the form, shape `(n, f)`.
        edges: the possible edges, shape `(e, 2)`.
        presence: how much of each edge there is, shape `(e,)`.
        attributes: the attributes of the edges, shape `(e, f')`.
    """

    kinds: tuple[str, ...]
    probabilities: Array
    features: Array
    edges: Indices
    presence: Array
    attributes: Array

    @cached_property
    def discrete(self) -> tuple[list[str], list[tuple[int, int]]]:
        """The likeliest kind of each block that is likelier present than absent, and the edges of presence over 1/2."""
        winner = self.probabilities.argmax(axis=1)
        present = np.flatnonzero(winner < len(self.kinds))
        place = {int(old): new for new, old in enumerate(present)}
        kept = [
            (place[int(source)], place[int(target)])
            for (source, target), presence in zip(self.edges, self.presence, strict=True)
            if presence > 0.5 and int(source) in place and int(target) in place
        ]
        return [self.kinds[winner[old]] for old in present], kept


def _range(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The lowest value and the extent of each column; the extent is 0 for a column that never varies."""
    if not len(rows):
        nothing = np.zeros(rows.shape[1], dtype=np.float32)
        return nothing, nothing
    low = rows.min(axis=0)
    return low, rows.max(axis=0) - low


def _starts(graph: Indices, count: int) -> Indices:
    return np.concatenate([[0], np.cumsum(np.bincount(graph, minlength=count))]).astype(np.int64)


def _taken(starts: Indices, graphs: Indices) -> tuple[Indices, Indices]:
    counts = starts[graphs + 1] - starts[graphs]
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(starts[graphs] - before, counts), counts
