"""The position of every block along the depth of its graph."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from graphdb.architecture import Architecture

WAVES = 2
POSITION_WIDTH = 6 + 2 * WAVES


def positions(size: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """The position of every block along the graph, shape `(size, POSITION_WIDTH)`.

    With d the longest path from any source and h the longest path to any sink (blocks on a cycle share theirs):
    r = d / (d + h), log(1 + d), log(1 + h), log(1 + in-degree), log(1 + out-degree), 1 / size, and cos(π k r) and
    sin(π k r) for k = 1 .. WAVES, with which even a sum over the blocks distinguishes early from late ones.
    """
    depth = np.array(depths(size, pairs), dtype=np.float32)
    height = np.array(depths(size, [(target, source) for source, target in pairs]), dtype=np.float32)
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    relative = depth / np.maximum(depth + height, 1.0)
    columns = [
        relative,
        np.log1p(depth),
        np.log1p(height),
        np.log1p(np.bincount(ends[:, 1], minlength=size)),
        np.log1p(np.bincount(ends[:, 0], minlength=size)),
        np.full(size, 1.0 / size),
        *(wave(np.pi * k * relative) for k in range(1, WAVES + 1) for wave in (np.cos, np.sin)),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def depth_of(architecture: Architecture) -> int:
    """The number of edges on the longest path; a cycle counts as one block."""
    pairs = [(edge.source, edge.target) for edge in architecture.edges]
    return max(depths(len(architecture.blocks), pairs), default=0)


def relative_depths(architecture: Architecture) -> NDArray[np.float32]:
    """d / (d + h) of every block, see `positions`: 0 at a source, 1 at a sink."""
    return positions(len(architecture.blocks), [(edge.source, edge.target) for edge in architecture.edges])[:, 0]


def depths(size: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The length, in edges, of the longest path from any source to every block; blocks on a cycle count as one."""
    waiting = [0] * size
    following: list[list[int]] = [[] for _ in range(size)]
    for source, target in pairs:
        following[source].append(target)
        waiting[target] += 1
    ready = [block for block in range(size) if waiting[block] == 0]
    longest = [0] * size
    for block in ready:  # grows during the iteration
        for target in following[block]:
            longest[target] = max(longest[target], longest[block] + 1)
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return longest if len(ready) == size else _depths_with_cycles(size, pairs)


def _depths_with_cycles(size: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    graph = nx.DiGraph(pairs)
    graph.add_nodes_from(range(size))
    condensed = nx.condensation(graph)
    component: dict[int, int] = condensed.graph["mapping"]
    longest = depths(condensed.number_of_nodes(), list(condensed.edges))
    return [longest[component[block]] for block in range(size)]
