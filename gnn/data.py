"""Graphs of blocks as tensors: the vocabulary of a set of architectures, and their batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from gnn.features import FeatureTable
from gnn.positions import POSITION_WIDTH, positions
from graphdb.architecture import Architecture, Scalar
from graphdb.errors import InputError

VERSION = 1

_Row = tuple[tuple[str, type, Scalar], ...]  # with the type, as True equals 1
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Vocabulary:
    """All that is needed to write an architecture, of any domain, as tensors.

    A block becomes: one bit per kind and one for any other kind; its attributes (`FeatureTable`); and its position
    (see `positions`), since message passing over few rounds cannot tell the beginning of a long graph from its end.
    An edge becomes two, one in each direction, with a bit for the direction and its attributes.

    Example:
        >>> vocabulary = Vocabulary.of(architectures)
        >>> batch = vocabulary.collate(architectures)
    """

    kinds: tuple[str, ...]
    blocks: FeatureTable
    edges: FeatureTable

    @classmethod
    def of(cls, architectures: Sequence[Architecture]) -> Vocabulary:
        """The vocabulary of all that occurs in `architectures`.

        Raises:
            InputError: there are none.
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
        return len(self.kinds) + 1 + self.blocks.width + POSITION_WIDTH

    @property
    def edge_width(self) -> int:
        """The number of features of an edge."""
        return 2 + self.edges.width

    def collate(self, architectures: Sequence[Architecture]) -> Data:
        """All graphs as one disconnected graph.

        Equal blocks, edges and topologies are written once and then copied, so that thousands of graphs take a
        fraction of a second.

        Returns:
            `x` of shape `(blocks, node_width)`, `edge_index` `(2, 2 edges)` sorted by target, `edge_attr`
            `(2 edges, edge_width)`, `batch` `(blocks,)` with the index of the graph of every block, `num_graphs`.

        Raises:
            InputError: an architecture has no blocks.
        """
        block_rows, edge_rows = _Rows[tuple[str, _Row]](), _Rows[_Row]()
        topologies: dict[tuple[int, tuple[tuple[int, int], ...]], NDArray[np.float32]] = {}
        place, links, sizes, ends = [], [], [], []
        for architecture in architectures:
            if not architecture.blocks:
                raise InputError(f"A {architecture.space} architecture has no blocks; a graph needs at least one.")
            block_rows.add((block.kind, _row(block.attributes)) for block in architecture.blocks)
            edge_rows.add(_row(edge.attributes) for edge in architecture.edges)
            pairs = tuple((edge.source, edge.target) for edge in architecture.edges)
            topology = (len(architecture.blocks), pairs)
            if topology not in topologies:
                topologies[topology] = positions(*topology)
            place.append(topologies[topology])
            links.append(np.array(pairs, dtype=np.int64).reshape(-1, 2))
            sizes.append(len(architecture.blocks))
            ends.append(len(pairs))
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if sizes else np.zeros(0, np.int64)
        index = np.concatenate([*links, np.zeros((0, 2), np.int64)]) + np.repeat(starts, ends)[:, None]
        features = block_rows.gather([self._block_row(*row) for row in block_rows.distinct], self.node_width)
        if place:
            features[:, -POSITION_WIDTH:] = np.concatenate(place)
        attributes = edge_rows.gather(
            [[0.0, 0.0, *self.edges.row(_attributes(row))] for row in edge_rows.distinct], self.edge_width
        )
        return _data(features, index, attributes, np.repeat(np.arange(len(sizes)), sizes), len(sizes))

    def _block_row(self, kind: str, attributes: _Row) -> list[float]:
        bits = [0.0] * (len(self.kinds) + 1)
        bits[self.kinds.index(kind) if kind in self.kinds else -1] = 1.0
        return [*bits, *self.blocks.row(_attributes(attributes)), *([0.0] * POSITION_WIDTH)]

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": VERSION,
            "kinds": list(self.kinds),
            "blocks": self.blocks.to_json(),
            "edges": self.edges.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Vocabulary:
        """From what `to_json` gave.

        Raises:
            InputError: it is of another version, or malformed.
        """
        try:
            if value["version"] != VERSION:
                raise InputError(f"The vocabulary is of version {value['version']!r}; this code reads {VERSION}.")
            return cls(
                tuple(map(str, value["kinds"])),
                FeatureTable.from_json(value["blocks"]),
                FeatureTable.from_json(value["edges"]),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"The vocabulary is malformed: {error}.") from error


class _Rows(dict[_Key, int]):
    """Numbers distinct keys in order of appearance, and remembers the sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.sequence: list[int] = []

    def add(self, keys: Iterable[_Key]) -> None:
        self.sequence.extend(self.setdefault(key, len(self)) for key in keys)

    @property
    def distinct(self) -> list[_Key]:
        return list(self)

    def gather(self, rows: Sequence[Sequence[float]], width: int) -> NDArray[np.float32]:
        """The row of every key added, in order, shape `(added, width)`."""
        return np.array(rows, dtype=np.float32).reshape(-1, width)[np.array(self.sequence, dtype=np.int64)]


def _data(
    features: NDArray[np.float32],
    index: NDArray[np.int64],
    attributes: NDArray[np.float32],
    graph: NDArray[np.int64],
    graphs: int,
) -> Data:
    """Both directions of every edge, sorted by target so that sums run over neighbouring rows."""
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
