"""Graphs as edit distances see them: a place on a line for every block, and edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from graphdb.architecture import Architecture, Block

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

EDGE_COST = 0.1
"""The cost of inserting or deleting an edge, as published (Tuli and others 2023, arXiv 2205.11656)."""

Place = Callable[[Block], float]
"""The place of a block on the line of all labels, at 0 or above.

Replacing a block by another costs the distance between their places; inserting or deleting it costs its place. An
absent block is thus one at 0.
"""


@dataclass(frozen=True, eq=False)
class PlacedGraph:
    """A graph whose blocks have places on a line.

    Attributes:
        places: the places of the blocks, shape `(n,)`.
        sources: the positions of the blocks where edges begin, shape `(e,)`.
        targets: the positions of the blocks where edges end, shape `(e,)`.

    Example:
        >>> from graphdb.architecture import Block, Edge
        >>> truss = Architecture.of("bridge", "truss", {}, [Block("bank"), Block("beam")], [Edge(0, 1)])
        >>> PlacedGraph.of(truss, lambda block: 3.0 if block.kind == "beam" else 1.0).places.tolist()
        [1.0, 3.0]
    """

    places: Floats
    sources: Indices
    targets: Indices

    @classmethod
    def of(cls, architecture: Architecture, place: Place) -> PlacedGraph:
        """Returns the graph of an architecture."""
        return cls(
            np.array([place(block) for block in architecture.blocks], dtype=np.float64),
            np.array([edge.source for edge in architecture.edges], dtype=np.intp),
            np.array([edge.target for edge in architecture.edges], dtype=np.intp),
        )

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def adjacency(self) -> Floats:
        """1 where an edge goes from the row's block to the column's, shape `(n, n)`."""
        matrix = np.zeros((len(self), len(self)))
        matrix[self.sources, self.targets] = 1.0
        return matrix

    @cached_property
    def depths(self) -> Floats:
        """The number of edges on the longest path to each block, divided by that of the longest of all paths.

        On a graph with a cycle, paths are followed for as many steps as there are blocks.
        """
        edges = sorted(zip(self.sources.tolist(), self.targets.tolist(), strict=True))
        steps = [0.0] * len(self)
        # One pass is enough if blocks are numbered from input to output, as builders do.
        for _ in range(1 if all(source < target for source, target in edges) else len(self)):
            for source, target in edges:
                steps[target] = max(steps[target], steps[source] + 1.0)
        depths = np.array(steps, dtype=np.float64)
        longest = depths.max(initial=0.0)
        return depths / longest if longest else depths
