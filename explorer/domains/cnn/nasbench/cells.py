"""Cells of NAS-Bench-201: what they compute, their published strings, and their paths."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NONE, SKIP, POOLING = "none", "skip_connect", "avg_pool_3x3"
OPERATIONS = (NONE, SKIP, POOLING, "nor_conv_1x1", "nor_conv_3x3")
"""Operations of an edge, those that compute more towards the end."""
COMPUTING = OPERATIONS[2:]
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Source and target of each edge between the four nodes of a cell, in the published order; a node sums what arrives."""
_OUTPUT = 3
_ROUTES = tuple(
    tuple(EDGES.index(step) for step in itertools.pairwise((0, *between, _OUTPUT)))
    for between in ((), (1,), (2,), (1, 2))
)
"""Every way from the first node to the last, as positions in `EDGES`."""
PATHS = tuple(path for length in range(4) for path in itertools.product(COMPUTING, repeat=length))
"""Every path that a cell can have: the operations between input and output that compute something, in order."""
MOST_PATHS = len(_ROUTES)
"""Largest number of equal paths that a cell can have."""


@dataclass(frozen=True, slots=True)
class Network:
    """What a cell computes, without edges that carry nothing, skips, and operations that nothing uses.

    Attributes:
        operations: the operations that compute something.
        inputs: for each operation, and last for the output: position of an operation, or -1 for the input of the
            cell -> how often its result is added.

    Example:
        >>> network_of(("nor_conv_3x3", "none", "skip_connect", "skip_connect", "none", "skip_connect"))
        Network(operations=('nor_conv_3x3',), inputs=({-1: 1}, {-1: 1, 0: 1}))
    """

    operations: tuple[str, ...]
    inputs: tuple[Mapping[int, int], ...]


def network_of(operations: Sequence[str]) -> Network:
    """What a cell computes.

    Args:
        operations: the operation of each edge, in the order of `EDGES`.
    """
    sums: list[Counter[int]] = [Counter({-1: 1}), Counter(), Counter(), Counter()]
    computing: list[tuple[str, Counter[int]]] = []
    for (source, target), operation in zip(EDGES, operations, strict=True):
        if operation == NONE or not sums[source]:
            continue
        if operation == SKIP:
            sums[target] += sums[source]
            continue
        sums[target][len(computing)] += 1
        computing.append((operation, sums[source]))
    used = set(sums[_OUTPUT])
    for place in reversed(range(len(computing))):  # what an operation uses stands before it
        if place in used:
            used |= set(computing[place][1])
    kept = [place for place in range(len(computing)) if place in used]
    position = {-1: -1} | {place: at for at, place in enumerate(kept)}
    inputs = [computing[place][1] for place in kept] + [sums[_OUTPUT]]
    return Network(
        tuple(computing[place][0] for place in kept),
        tuple({position[source]: times for source, times in sorted(own.items())} for own in inputs),
    )


def paths_of(operations: Sequence[str]) -> Counter[tuple[str, ...]]:
    """The paths from input to output, and how many there are of each (White and others 2021, BANANAS).

    Args:
        operations: the operation of each edge, in the order of `EDGES`.
    """
    routes = [[operations[edge] for edge in route] for route in _ROUTES]
    return Counter(tuple(one for one in route if one != SKIP) for route in routes if NONE not in route)


def text_of(operations: Sequence[str]) -> str:
    """The published string of a cell, such as `|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|`."""
    nodes = [
        "".join(f"|{one}~{source}" for one, (source, end) in zip(operations, EDGES, strict=True) if end == target) + "|"
        for target in range(1, _OUTPUT + 1)
    ]
    return "+".join(nodes)


def published_expression(operations: Sequence[str]) -> str:
    """The text by which NAS-Bench-201 counted 6,466 different cells: its `to_unique_str`, with zeros considered.

    It keeps a sum with nothing apart from the same without, and takes two equal operations on one input for one used
    twice.

    Args:
        operations: the operation of each edge, in the order of `EDGES`.
    """
    nodes = ["0"]
    for target in range(1, _OUTPUT + 1):
        summands = []
        for operation, (source, end) in zip(operations, EDGES, strict=True):
            if end != target:
                continue
            if operation == NONE or nodes[source] == "#":
                summands.append("#")
            else:
                summands.append(nodes[source] if operation == SKIP else f"({nodes[source]})@{operation}")
        nodes.append("+".join(sorted(summands)))
    return nodes[_OUTPUT]
