"""The fingerprint: equal for isomorphic graphs, and another where anything but the numbering is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest

from graphdb.architecture import Architecture, Block, Edge

KINDS = ("a", "b", "c")


def fingerprint(blocks: list[Block], edges: list[Edge]) -> str:
    return Architecture.of("transformer", "toy", {}, blocks, edges).fingerprint


def random_graph(generator: np.random.Generator) -> tuple[list[Block], list[Edge]]:
    count = int(generator.integers(2, 7))
    blocks = [Block(KINDS[generator.integers(2)], {"size": int(generator.integers(2))}) for _ in range(count)]
    pairs = [(i, j) for i in range(count) for j in range(count) if i < j and generator.random() < 0.5]
    edges = [Edge(i, j, {"width": int(generator.integers(1, 3))} if generator.random() < 0.3 else {}) for i, j in pairs]
    return blocks, edges


def networkx_graph(blocks: list[Block], edges: list[Edge]) -> nx.DiGraph[int]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    for position, block in enumerate(blocks):
        graph.add_node(position, label=(block.kind, tuple(block.attributes.items())))
    for edge in edges:
        graph.add_edge(edge.source, edge.target, label=tuple(edge.attributes.items()))
    return graph


def same_label(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["label"] == other["label"])


def test_on_small_graphs_it_is_isomorphism() -> None:
    """Colour refinement may fail to tell regular graphs apart; acyclic ones of this size are all told apart."""
    generator = np.random.default_rng(0)
    graphs = [random_graph(generator) for _ in range(150)]
    prints = [fingerprint(*graph) for graph in graphs]
    drawn = [networkx_graph(*graph) for graph in graphs]
    found: Counter[bool] = Counter()
    for i, one in enumerate(drawn):
        for j in range(i):
            equal = nx.is_isomorphic(one, drawn[j], node_match=same_label, edge_match=same_label)
            assert (prints[i] == prints[j]) == equal
            found[equal] += 1
    assert min(found.values()) > 5


BLOCKS = [Block("a", {"n": 1}), Block("b"), Block("b"), Block("c")]
EDGES = [Edge(0, 1), Edge(0, 2), Edge(1, 3), Edge(2, 3, {"n": 1})]


@pytest.mark.parametrize(
    ("blocks", "edges"),
    [
        ([Block("a", {"n": 2}), *BLOCKS[1:]], EDGES),
        ([Block("a", {"n": True}), *BLOCKS[1:]], EDGES),
        ([Block("a", {"m": 1}), *BLOCKS[1:]], EDGES),
        ([Block("a"), *BLOCKS[1:]], EDGES),
        (BLOCKS, EDGES[:3]),
        (BLOCKS, [*EDGES, EDGES[0]]),
        (BLOCKS, [*EDGES[:3], Edge(2, 3)]),
        (BLOCKS, [*EDGES[:3], Edge(3, 2, {"n": 1})]),
        (BLOCKS, [Edge(0, 1), Edge(0, 2), Edge(1, 3, {"n": 1}), Edge(1, 3)]),
        (BLOCKS, [Edge(edge.target, edge.source, edge.attributes) for edge in EDGES]),
    ],
)
def test_a_change_changes_it(blocks: list[Block], edges: list[Edge]) -> None:
    assert fingerprint(blocks, edges) != fingerprint(BLOCKS, EDGES)


def test_the_order_of_attributes_does_not_count() -> None:
    one = [Block("a", {"x": 1, "y": 2})]
    assert fingerprint(one, []) == fingerprint([Block("a", {"y": 2, "x": 1})], [])


def test_it_is_the_same_in_every_process() -> None:
    """Databases hold it."""
    assert fingerprint(BLOCKS, EDGES) == "51f101f25843537154341f94e8f2906c"
