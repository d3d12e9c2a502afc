"""The design space of NAS-Bench-201: 15,625 cells, each of which was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, Vector
from explorer.domains.cnn.nasbench.cells import EDGES, MOST_PATHS, OPERATIONS, PATHS, network_of, paths_of
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture, Block, Edge

DECISIONS = tuple(f"edge_{source}_{target}" for source, target in EDGES)
OPTIONS: Mapping[str, tuple[Any, ...]] = MappingProxyType(dict.fromkeys(DECISIONS, OPERATIONS))


class NasBench201Space(OptionSpace):
    """Cells of four nodes, with one of five operations on each of the six edges between them.

    Source: Dong and Yang 2020, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search". The
    graph of a cell is what it computes: one block for each operation that has an effect, and an edge wherever a result
    is added to another's input. Cells that are the same network have the same graph.

    Args:
        options: decision -> allowed operations.
    """

    name = "nasbench201"
    domain = "cnn"

    def __init__(self, options: Mapping[str, tuple[Any, ...]] = OPTIONS) -> None:
        super().__init__(options)

    def graph_of(self, choices: Choices) -> Architecture:
        """The operations between input and output; `times` says how often a result is added, if more than once."""
        network = network_of(operations_of(choices))
        blocks = [Block("input"), *map(Block, network.operations), Block("output")]
        edges = [
            Edge(source + 1, target + 1, {"times": times} if times > 1 else {})
            for target, inputs in enumerate(network.inputs)
            for source, times in inputs.items()
        ]
        return Architecture.of(self.domain, self.name, choices, blocks, edges)

    def summary(self, choices: Choices) -> Mapping[str, str]:
        """The operations of the edges into each node."""
        return {f"into {node}": _into(choices, node) for node in (1, 2, 3)}

    @property
    def entries(self) -> Sequence[Entry]:
        """The operation of each edge, and how many paths of each kind lead from input to output."""
        edges = [
            Entry(name, Nature.CATEGORICAL, 0.0, len(operations) - 1.0) for name, operations in self.options.items()
        ]
        paths = [Entry(" > ".join(path) or "skip", Nature.ORDERED, 0.0, MOST_PATHS, "paths") for path in PATHS]
        return [*edges, *paths]

    def describe(self, choices: Choices) -> Vector:
        """The description of one cell."""
        row: Vector = self.describe_vectors(self.to_vector(choices)[None, :])[0]
        return row

    def describe_vectors(self, vectors: Vector) -> Vector:
        """The descriptions of cells in vector form, shape `(n, entries)`."""
        indices = vectors.astype(np.intp)
        operations = np.stack([table[column] for table, column in zip(self._full, indices.T, strict=True)])
        numbers = np.ravel_multi_index(tuple(operations), (len(OPERATIONS),) * len(EDGES))
        return np.hstack([vectors, _path_counts()[numbers]])

    @cached_property
    def _full(self) -> Sequence[np.ndarray[Any, np.dtype[np.intp]]]:
        """For each edge, the place among all operations of those that are allowed."""
        return [np.array([OPERATIONS.index(one) for one in allowed]) for allowed in self.options.values()]


def operations_of(choices: Choices) -> tuple[str, ...]:
    """The operation of each edge, in the published order."""
    return tuple(choices[name] for name in DECISIONS)


def choices_of(operations: Sequence[str]) -> Choices:
    """The choices of the operation of each edge, in the published order."""
    return dict(zip(DECISIONS, operations, strict=True))


def _into(choices: Choices, node: int) -> str:
    return ", ".join(f"{choices[f'edge_{source}_{target}']}" for source, target in EDGES if target == node)


@lru_cache(maxsize=1)
def _path_counts() -> Vector:
    """For each of all cells in order, how many paths of each kind it has, shape `(15625, paths)`."""
    column = {path: place for place, path in enumerate(PATHS)}
    counts = np.zeros((len(OPERATIONS) ** len(EDGES), len(PATHS)))
    for row, operations in enumerate(product(OPERATIONS, repeat=len(EDGES))):
        for path, count in paths_of(operations).items():
            counts[row, column[path]] = count
    return counts
