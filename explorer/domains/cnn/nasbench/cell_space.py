"""The design space of NAS-Bench-201: 15,625 cells, each of which was trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, Vector
from explorer.domains.cnn.nasbench.cells import (
    EDGES,
    MOST_PATHS,
    NONE,
    OPERATIONS,
    PATHS,
    POOLING,
    network_of,
    paths_of,
)
from explorer.domains.cnn.nasbench.counts import cell_network
from explorer.domains.cnn.nasbench.described_space import DescribedSpace
from graphdb.architecture import Architecture, Block, Edge

DECISIONS = tuple(f"edge_{source}_{target}" for source, target in EDGES)
OPTIONS: Mapping[str, tuple[Any, ...]] = MappingProxyType(dict.fromkeys(DECISIONS, OPERATIONS))
_LEAST, _MOST = (math.log(cell_network([one] * len(EDGES)).multiplications) for one in (NONE, OPERATIONS[-1]))
_LONGER = max(map(len, PATHS)) + 1
"""The length of the shortest path of a cell that has none."""
ENTRIES = (
    *(Entry(" > ".join(path) or "direct", Nature.ORDERED, 0.0, MOST_PATHS, "paths") for path in PATHS),
    Entry("multiplications", Nature.ORDERED, _LEAST, _MOST),
    Entry("shortest path", Nature.ORDERED, 0.0, _LONGER),
    Entry("pools", Nature.ORDERED, 0.0, len(EDGES)),
    Entry("summands of the output", Nature.ORDERED, 0.0, len(EDGES)),
)
"""The entries of the descriptions of cells."""


class NasBench201Space(DescribedSpace):
    """Cells of four nodes, with one of five operations on each of the six edges between them.

    Source: Dong and Yang 2020, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search". The
    graph of a cell is what it computes: one block for each operation that has an effect, and an edge wherever a result
    is added to another's input. Cells that are the same network have the same graph.

    Args:
        options: decision -> allowed operations.
    """

    name = "nasbench201"
    domain = "cnn"
    values = OPERATIONS
    features = ENTRIES

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

    @staticmethod
    def table() -> Vector:
        """The descriptions of all cells: how many paths of each kind lead to the output, and four figures."""
        return _descriptions()


def operations_of(choices: Choices) -> tuple[str, ...]:
    """The operation of each edge, in the published order."""
    return tuple(choices[name] for name in DECISIONS)


def choices_of(operations: Sequence[str]) -> Choices:
    """The choices of the operation of each edge, in the published order."""
    return dict(zip(DECISIONS, operations, strict=True))


def _into(choices: Choices, node: int) -> str:
    return ", ".join(f"{choices[f'edge_{source}_{target}']}" for source, target in EDGES if target == node)


@cache
def _descriptions() -> Vector:
    """The descriptions of all cells in order, shape `(15625, entries)`.

    Chosen by how well a Gaussian process that knows some 45 cells predicts the others, for accuracies in full
    precision, quantised, and on analogue memory. Paths are those of White and others 2021; besides them the logarithm
    of the multiplications brings most, then the length of the shortest path. Decisions make predictions worse, as many
    cells are the same network. The last two entries tell networks with the same paths apart.
    """
    column = {path: place for place, path in enumerate(PATHS)}
    rows = np.zeros((len(OPERATIONS) ** len(EDGES), len(ENTRIES)))
    for row, operations in zip(rows, product(OPERATIONS, repeat=len(EDGES)), strict=True):
        network, paths = network_of(operations), paths_of(operations)
        for path, count in paths.items():
            row[column[path]] = count
        size = cell_network(network.operations)
        shortest = min(map(len, paths), default=_LONGER)
        pools = network.operations.count(POOLING)
        row[len(PATHS) :] = (math.log(size.multiplications), shortest, pools, len(network.inputs[-1]))
    return rows
