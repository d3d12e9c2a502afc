"""A layered drawing of an architecture's graph in plain Unicode text."""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx

from graphdb.architecture import Architecture, Block, Scalar


def draw(architecture: Architecture, width: int = 100) -> str:
    """Draws the graph from its sources downwards, one layer per row.

    Blocks with the same kind, attributes and neighbours are drawn once with their number. An edge that skips rows or
    goes back up (a residual connection, a feedback path) is written beside the block that it enters.

    Args:
        architecture: the architecture of any domain.
        width: the characters of a row; longer rows are wrapped.
    """
    layers = layers_of(architecture)
    groups = groups_of(architecture, layers)
    names = _names(architecture, groups)
    rows: list[str] = []
    for depth in range(max(layers, default=-1) + 1):
        boxes = [
            _box(names[members], _beside(architecture, layers, names, members))
            for members in groups
            if layers[members[0]] == depth
        ]
        if rows:
            rows.append("│")
        rows.extend(_wrapped(boxes, width))
    return "\n".join(line.center(width).rstrip() for line in rows)


def layers_of(architecture: Architecture) -> list[int]:
    """The longest path from a source to each block; feedback paths (edges to an earlier block) are ignored."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(architecture.blocks)))
    graph.add_edges_from((edge.source, edge.target) for edge in architecture.edges if edge.source < edge.target)
    depth = [0] * len(architecture.blocks)
    for node in nx.topological_sort(graph):
        for successor in graph.successors(node):
            depth[successor] = max(depth[successor], depth[node] + 1)
    return depth


def groups_of(architecture: Architecture, layers: list[int]) -> list[tuple[int, ...]]:
    """The positions of blocks with the same layer, kind, attributes and neighbours, in order."""
    neighbours: dict[int, tuple[set[int], set[int]]] = {i: (set(), set()) for i in range(len(architecture.blocks))}
    for edge in architecture.edges:
        neighbours[edge.target][0].add(edge.source)
        neighbours[edge.source][1].add(edge.target)
    alike: dict[object, list[int]] = {}
    for position, block in enumerate(architecture.blocks):
        incoming, outgoing = neighbours[position]
        same = (layers[position], label_of(block), frozenset(incoming), frozenset(outgoing))
        alike.setdefault(same, []).append(position)
    return [tuple(members) for members in alike.values()]


def _names(architecture: Architecture, groups: list[tuple[int, ...]]) -> dict[tuple[int, ...], str]:
    return {
        members: (f"{len(members)} x " if len(members) > 1 else "") + label_of(architecture.blocks[members[0]])
        for members in groups
    }


def label_of(block: Block) -> str:
    """The kind and attributes of a block."""
    return f"{block.kind} {_plain(block.attributes)}".rstrip()


def _plain(attributes: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name}={_number(value)}" for name, value in sorted(attributes.items()))


def _number(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _beside(
    architecture: Architecture, layers: list[int], names: dict[tuple[int, ...], str], members: tuple[int, ...]
) -> str:
    far = {
        edge.source
        for edge in architecture.edges
        if edge.target == members[0] and layers[edge.source] != layers[members[0]] - 1
    }
    sources = [group for group in names if far & set(group)]
    return ", ".join(f"{architecture.blocks[group[0]].kind}@{layers[group[0]] + 1}" for group in sources)


def _box(text: str, beside: str) -> list[str]:
    inner = f" {text}" + (f"  ◂ {beside}" if beside else "") + " "
    return ["┌" + "─" * len(inner) + "┐", "│" + inner + "│", "└" + "─" * len(inner) + "┘"]


def _wrapped(boxes: list[list[str]], width: int) -> list[str]:
    lines: list[str] = []
    row: list[list[str]] = []
    for box in boxes:
        if row and sum(len(other[0]) + 1 for other in row) + len(box[0]) > width:
            lines.extend(_side_by_side(row))
            row = []
        row.append(box)
    return lines + _side_by_side(row)


def _side_by_side(boxes: list[list[str]]) -> list[str]:
    return [" ".join(box[i] for box in boxes) for i in range(3)] if boxes else []
