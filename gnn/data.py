"""Graphs of blocks as tensors: the vocabulary of a set of architectures, and their batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from gnn.features import FeatureTable
from gnn.positions import POSITION_WIDTH, positions
from graphdb.architecture import Architecture, Scalar
from graphdb.errors import InputError

VERSION = 1

_Row = tuple[tuple[str, type, Scalar], ...]  # with the type, because True equals 1
_Topology = tuple[int, tuple[tuple[int, int], ...]]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Vocabulary:
    """Everything needed to write an architecture of any domain as tensors.

    A block is written as one bit per kind and one for any other kind, its attributes (`FeatureTable`) and its position
    (see `positions`), because few rounds of message passing cannot tell the beginning of a long graph from its end.
    An edge is written as two edges, one in each direction, with a bit for the direction and its attributes.

    Example:
        >>> vocabulary = Vocabulary.of(architectures)
        >>> batch = vocabulary.collate(architectures)
    """

    kinds: tuple[str, ...]
    blocks: FeatureTable
    edges: FeatureTable

    @classmethod
    def of(cls, architectures: Sequence[Architecture]) -> Vocabulary:
        """The vocabulary of everything that occurs in `architectures`.

        Raises:
            InputError: `architectures` is empty.
        """
        if not architectures:
            raise InputError("A vocabulary needs at least one architecture; none was given.")
        blocks = [block for architecture in architectures for block in architecture.blocks]
        edges = [edge for architecture in architectures for edge in architecture.edges]
        return cls(
            tuple(sorted({block.kind for block in blocks})),
            FeatureTable.of(block.attributes for block in blocks),
            FeatureTable.of(edge.attributes for edge in edges),
        )

    @property
    def node_width(self) -> int:
        """The number of features of a block."""
        return self.block_width + POSITION_WIDTH

    @property
    def block_width(self) -> int:
        """The number of features of a block without its position."""
        return len(self.kinds) + 1 + self.blocks.width

    @property
    def edge_width(self) -> int:
        """The number of features of an edge."""
        return 2 + self.edges.width

    def collate(self, architectures: Sequence[Architecture]) -> Data:
        """All graphs as one disconnected graph.

        Equal blocks, edges and topologies are computed once and then copied, so that thousands of graphs take only a
        fraction of a second.

        Returns:
            `x` of shape `(blocks, node_width)`, `edge_index` `(2, 2 edges)` sorted by target, `edge_attr`
            `(2 edges, edge_width)`, `batch` `(blocks,)` with the graph index of every block, and `num_graphs`.

        Raises:
            InputError: an architecture has no blocks.
        """
        block_rows, edge_rows, topologies = _Rows[tuple[str, _Row]](), _Rows[_Row](), _Rows[_Topology]()
        for architecture in architectures:
            if not architecture.blocks:
                raise InputError(f"A {architecture.space} architecture has no blocks; a graph needs at least one.")
            block_rows.add((block.kind, _row(block.attributes)) for block in architecture.blocks)
            edge_rows.add(_row(edge.attributes) for edge in architecture.edges)
            topologies.add([(len(architecture.blocks), tuple((e.source, e.target) for e in architecture.edges))])
        features = block_rows.gather(
            [[*self.block_row(kind, _attributes(row)), *([0.0] * POSITION_WIDTH)] for kind, row in block_rows],
            self.node_width,
        )
        attributes = edge_rows.gather([self._edge_row(row) for row in edge_rows], self.edge_width)
        index, graph, position = _joined(topologies)
        features[:, -POSITION_WIDTH:] = position
        return _data(features, index, attributes, graph, len(architectures))

    def block_row(self, kind: str, attributes: Mapping[str, Scalar]) -> list[float]:
        """The `block_width` features of a block without its position."""
        bits = [0.0] * (len(self.kinds) + 1)
        bits[self.kinds.index(kind) if kind in self.kinds else -1] = 1.0
        return [*bits, *self.blocks.row(attributes)]

    def _edge_row(self, attributes: _Row) -> list[float]:
        return [0.0, 0.0, *self.edges.row(_attributes(attributes))]

    def to_json(self) -> dict[str, Any]:
        """The vocabulary as JSON."""
        return {
            "version": VERSION,
            "kinds": list(self.kinds),
            "blocks": self.blocks.to_json(),
            "edges": self.edges.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_json` wrote.

        Raises:
            InputError: the JSON is of another version, or malformed.
        """
        if value.get("version") != VERSION:
            raise InputError(f"The vocabulary is of version {value.get('version')!r}; this code reads {VERSION}.")
        try:
            return cls(
                tuple(map(str, value["kinds"])),
                FeatureTable.from_json(value["blocks"]),
                FeatureTable.from_json(value["edges"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The vocabulary is malformed: {error}.") from error


@dataclass(frozen=True, slots=True, eq=False)
class GraphBatch:
    """Graphs as one disconnected graph, in the form of `Vocabulary.collate`.

    A plain record: `Data` costs more to make than small graphs cost to gather.

    Attributes:
        x: the features of the blocks, shape `(blocks, node_width)`.
        edge_index: source and target of each edge, sorted by target, shape `(2, edges)`.
        edge_attr: the features of the edges, shape `(edges, edge_width)`.
        batch: the graph of each block, shape `(blocks,)`.
        sizes: the number of blocks of each graph, shape `(num_graphs, 1)`.
        num_graphs: the number of graphs.
    """

    x: Tensor
    edge_index: Tensor
    edge_attr: Tensor
    batch: Tensor
    sizes: Tensor
    num_graphs: int


class GraphSet:
    """Architectures that are collated once, and batches sliced from them.

    Args:
        vocabulary: the vocabulary in which to write the graphs.
        architectures: at least one architecture.
        device: the device of the batches.
    """

    def __init__(
        self, vocabulary: Vocabulary, architectures: Sequence[Architecture], device: torch.device | None = None
    ) -> None:
        data = vocabulary.collate(architectures)
        graph = data.batch.numpy()
        self._blocks = _starts(graph, len(architectures))
        self._edges = _starts(graph[data.edge_index[1].numpy()], len(architectures))
        self.data = data.to(device or torch.device("cpu"))

    def __len__(self) -> int:
        return len(self._blocks) - 1

    def select(self, graphs: NDArray[np.int64]) -> GraphBatch:
        """The batch of the graphs with these indices, in this order, as `Vocabulary.collate` would give it."""
        return self.batches([graphs])[0]

    def batches(self, parts: Sequence[NDArray[np.int64]]) -> list[GraphBatch]:
        """The batch of each part, all gathered at once: the batches are views of one copy.

        Args:
            parts: the indices of the graphs of each batch, in the order in which they are wanted.
        """
        graphs = np.concatenate(parts)
        blocks, sizes = _ranges(self._blocks, graphs)
        edges, links = _ranges(self._edges, graphs)
        widths = np.array([len(part) for part in parts])
        block_ends, edge_ends = (_totals(counts, widths) for counts in (sizes, links))
        before = np.cumsum(sizes) - sizes - np.repeat(block_ends[:-1], widths)
        number = np.arange(len(graphs)) - np.repeat(np.cumsum(widths) - widths, widths)
        device = self.data.x.device
        block, edge = torch.from_numpy(blocks).to(device), torch.from_numpy(edges).to(device)
        shift = torch.from_numpy(np.repeat(before - self._blocks[graphs], links)).to(device)
        x, edge_attr = self.data.x.index_select(0, block), self.data.edge_attr.index_select(0, edge)
        edge_index = self.data.edge_index.index_select(1, edge).add_(shift)
        owner = torch.from_numpy(np.repeat(number, sizes)).to(device)
        counts = torch.from_numpy(sizes).to(device).unsqueeze(1)
        pieces = zip(
            torch.split(x, np.diff(block_ends).tolist()),
            torch.split(edge_index, np.diff(edge_ends).tolist(), dim=1),
            torch.split(edge_attr, np.diff(edge_ends).tolist()),
            torch.split(owner, np.diff(block_ends).tolist()),
            torch.split(counts, widths.tolist()),
            widths.tolist(),
            strict=True,
        )
        return [GraphBatch(*piece) for piece in pieces]


def _totals(counts: NDArray[np.int64], widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the rows of each part end, with 0 in front, from the rows of each graph and the graphs of each part."""
    ends = np.concatenate([[0], np.cumsum(counts)])
    return np.asarray(ends[np.concatenate([[0], np.cumsum(widths)])])


def _starts(graph: NDArray[np.int64], graphs: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(graph, minlength=graphs))]).astype(np.int64)


def _ranges(starts: NDArray[np.int64], graphs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All rows of these graphs, one graph after the other, and the number of rows of each."""
    counts = starts[graphs + 1] - starts[graphs]
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.arange(counts.sum()) + np.repeat(starts[graphs] - before, counts), counts


class _Rows(dict[_Key, int]):
    """Numbers distinct keys in order of appearance, and keeps their sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.sequence: list[int] = []

    def add(self, keys: Iterable[_Key]) -> None:
        self.sequence.extend(self.setdefault(key, len(self)) for key in keys)

    def gather(self, rows: Sequence[Sequence[float]], width: int) -> NDArray[np.float32]:
        """The row of every added key, in order, shape `(added, width)`."""
        return np.array(rows, dtype=np.float32).reshape(-1, width)[np.array(self.sequence, dtype=np.int64)]


def _joined(topologies: _Rows[_Topology]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Edges `(edges, 2)`, graph of every block `(blocks,)` and positions `(blocks, POSITION_WIDTH)` of all graphs."""
    places = [positions(size, pairs) for size, pairs in topologies]
    links = [np.array(pairs, dtype=np.int64).reshape(-1, 2) for _, pairs in topologies]
    sequence = topologies.sequence
    sizes = np.array([len(places[i]) for i in sequence], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    index = [links[i] + start for i, start in zip(sequence, starts, strict=True)]
    return (
        np.concatenate([*index, np.zeros((0, 2), np.int64)]),
        np.repeat(np.arange(len(sizes)), sizes),
        np.concatenate([*(places[i] for i in sequence), np.zeros((0, POSITION_WIDTH), np.float32)]),
    )


def _data(
    features: NDArray[np.float32],
    index: NDArray[np.int64],
    attributes: NDArray[np.float32],
    graph: NDArray[np.int64],
    graphs: int,
) -> Data:
    """Both directions of every edge, sorted by target so that sums run over adjacent rows."""
    forward, backward = attributes.copy(), attributes.copy()
    forward[:, 0], backward[:, 1] = 1.0, 1.0
    both = np.concatenate([index, index[:, ::-1]])
    order = np.argsort(both[:, 1], kind="stable")
    return Data(
        x=torch.from_numpy(features),
        edge_index=torch.from_numpy(np.ascontiguousarray(both[order].T)),
        edge_attr=torch.from_numpy(np.concatenate([forward, backward])[order]),
        batch=torch.from_numpy(graph.astype(np.int64)),
        num_graphs=graphs,
    )


def _row(attributes: Mapping[str, Scalar]) -> _Row:
    return tuple((name, type(value), value) for name, value in attributes.items())


def _attributes(row: _Row) -> dict[str, Scalar]:
    return {name: value for name, _, value in row}
