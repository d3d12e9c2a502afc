"""Synthetic cells: graphs of varying size with a deterministic score whose optimum is known by complete enumeration.

A cell is a directed acyclic graph from an input over 2 to 6 inner nodes to an output, with one of five operations on
each inner node and at most 9 edges; every inner node has a way in and a way out. Its score is what a small random
recurrent map makes of the graph: every node adds up the states of its predecessors, and its operation turns the sum by
a matrix of its own and bends it by a hyperbolic tangent. Neighbouring cells therefore score alike, but what an
operation is worth depends on all paths through it, and there are many local optima.

Print the range of instances: `python scripts/searching/cells.py [instance ...]` (five seconds each).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, DesignSpace, Vector
from explorer.toolkit.counting import uniform_below
from explorer.toolkit.reading import among, finite_vector, key_violations, listed, refused
from graphdb.architecture import Architecture, Block, Edge

Array = NDArray[np.float64]
Links = tuple[tuple[int, int], ...]
"""Edges between node numbers, ascending: 0 is the input, 1 to n are the inner nodes, n + 1 is the output."""

OPERATIONS = ("identity", "pool", "narrow", "wide", "deep")
FEWEST, MOST = 2, 6
"""Numbers of inner nodes."""
EDGES = 9
"""The most edges."""
WIDTH = 3
"""The length of a node's state."""
RANGES = {
    0: (-1.789753970264409, 2.15221541956131),
    1: (-2.9654628723927927, 2.1949293316737033),
    2: (-2.3784055364759507, 2.3127926976307047),
    3: (-1.8469437911427369, 2.4673857472353955),
    4: (-3.0472475806082873, 2.7428171481648222),
}
"""Instance -> its lowest and its highest raw score among all cells."""
BEST = {
    0: ("narrow narrow narrow narrow", "01 02 03 04 05 15 25 35 45"),
    1: ("pool pool pool wide wide wide", "01 12 23 34 35 36 47 57 67"),
    2: ("narrow pool wide wide wide", "01 05 12 23 24 25 36 46 56"),
    3: ("narrow pool pool pool pool", "01 12 13 14 15 26 36 46 56"),
    4: ("wide wide pool pool pool", "01 12 23 24 25 26 36 46 56"),
}
"""Instance -> the operations and edges of a best cell."""


def legal(size: int, links: Sequence[tuple[int, int]]) -> bool:
    """Whether these edges connect every one of `size` inner nodes to the input and the output, and are few enough."""
    sources, targets = {source for source, _ in links}, {target for _, target in links}
    return (
        len(links) <= EDGES
        and sources.issuperset(range(size + 1))
        and targets.issuperset(range(1, size + 2))
        and all(0 <= source < target <= size + 1 for source, target in links)
    )


@lru_cache
def topologies(size: int) -> tuple[Links, ...]:
    """All legal sets of edges of cells with `size` inner nodes."""
    every: list[Links] = []

    def extend(node: int, links: Links) -> None:
        if node == size + 2:
            if legal(size, links):
                every.append(tuple(sorted(links)))
            return
        for count in range(1, min(node, EDGES - len(links) - (size + 1 - node)) + 1):
            for sources in combinations(range(node), count):
                extend(node + 1, links + tuple((source, node) for source in sources))

    extend(1, ())
    return tuple(every)


class Cells(DesignSpace):
    """The space of all 59,756,000 cells; isomorphic drawings are different designs with the same fingerprint.

    Choices: `operations`, one for each inner node, and `edges`, pairs of node numbers in ascending order. The vector
    form has the number of inner nodes, the index of each of six operations, and for each of the 28 pairs of nodes
    whether there is an edge; the output is the last node of the vector, whatever the number of inner nodes.
    """

    name, domain = "synthetic-cells", "cells"

    @property
    def size(self) -> int:
        return sum(self._counts)

    @cached_property
    def _counts(self) -> list[int]:
        return [len(topologies(size)) * len(OPERATIONS) ** size for size in range(FEWEST, MOST + 1)]

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        low = np.concatenate([[FEWEST], np.zeros(MOST + len(_PAIRS))]).astype(np.float64)
        high = np.concatenate([[MOST], np.full(MOST, len(OPERATIONS) - 1), np.ones(len(_PAIRS))]).astype(np.float64)
        return low, high

    @property
    def entries(self) -> Sequence[Entry]:
        """Counts of what does not depend on the drawing: nodes, edges, operations, and paths over one or two edges."""
        return _ENTRIES

    def describe(self, choices: Choices) -> Vector:
        links = _links(choices)
        labels = ["input", *choices["operations"], "output"]
        counts = Counter[tuple[str, ...]](zip(labels[1:-1], strict=True))
        counts.update((labels[a], labels[b]) for a, b in links)
        counts.update((labels[a], labels[b], labels[d]) for a, b in links for c, d in links if b == c)
        shortest, longest = [0], [0]
        for node in range(1, len(labels)):
            before = [source for source, target in links if target == node]
            shortest.append(1 + min(shortest[source] for source in before))
            longest.append(1 + max(longest[source] for source in before))
        row = [len(labels) - 2, len(links), shortest[-1], longest[-1], *(counts[path] for path in _PATHS)]
        return np.array(row, dtype=np.float64)

    def enumerate(self) -> Iterator[Choices]:
        for size in range(FEWEST, MOST + 1):
            for links in topologies(size):
                for operations in product(OPERATIONS, repeat=size):
                    yield _choices(operations, links)

    def sample(self, generator: np.random.Generator) -> Choices:
        number = uniform_below(generator, self.size)
        size = FEWEST
        for count in self._counts:
            if number < count:
                break
            number, size = number - count, size + 1
        place, code = divmod(number, len(OPERATIONS) ** size)
        operations = [OPERATIONS[code // len(OPERATIONS) ** node % len(OPERATIONS)] for node in range(size)]
        return _choices(operations, topologies(size)[place])

    def violations(self, choices: Choices) -> list[str]:
        faults = key_violations(choices, ("operations", "edges"))
        if faults:
            return faults
        operations, edges = choices["operations"], choices["edges"]
        if not isinstance(operations, list) or not FEWEST <= len(operations) <= MOST:
            return [refused("operations", operations, f"a list of {FEWEST} to {MOST} operations")]
        faults = [
            refused(f"operations[{place}]", name, listed(OPERATIONS))
            for place, name in enumerate(operations)
            if not among(name, OPERATIONS)
        ]
        if not _well_formed(edges) or not legal(len(operations), _links(choices)):
            wanted = f"at most {EDGES} different edges to later nodes, ways in and out for every inner node"
            faults.append(refused("edges", edges, wanted))
        return faults

    def normalise(self, choices: Choices) -> Choices:
        return _choices(choices["operations"], _links(choices))

    def graph_of(self, choices: Choices) -> Architecture:
        blocks = [Block("input"), *(Block(name) for name in choices["operations"]), Block("output")]
        edges = [Edge(source, target) for source, target in choices["edges"]]
        return Architecture.of(self.domain, self.name, choices, blocks, edges)

    def to_vector(self, choices: Choices) -> Vector:
        size = len(choices["operations"])
        indices = [OPERATIONS.index(name) for name in choices["operations"]] + [0] * (MOST - size)
        links = {_spread(link, size) for link in _links(choices)}
        return np.array([size, *indices, *(float(pair in links) for pair in _PAIRS)])

    def from_vector(self, vector: Vector) -> Choices:
        inside = finite_vector(vector, *self.bounds)
        size = int(np.rint(inside[0]))
        operations = [OPERATIONS[int(index)] for index in np.rint(inside[1 : 1 + size])]
        worth = dict(zip(_PAIRS, inside[1 + MOST :].tolist(), strict=True))
        return _choices(operations, _repaired(size, {link: worth[_spread(link, size)] for link in _pairs(size)}))

    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """Another operation; an edge more, less or moved at one end; a node inserted into an edge, or taken out."""
        operations, links = tuple(choices["operations"]), _links(choices)
        seen = {(operations, links)}
        for cell in _moves(operations, links):
            if cell not in seen and legal(len(cell[0]), cell[1]):
                seen.add(cell)
                yield _choices(*cell)

    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """A random neighbour; changes of operations, of edges and of the number of nodes are equally likely."""
        operations, links = tuple(choices["operations"]), _links(choices)
        groups: list[list[Choices]] = [[], [], []]
        for near in self.neighbours(choices):
            kind = 2 if len(near["operations"]) != len(operations) else int(_links(near) != links)
            groups[kind].append(near)
        groups = [group for group in groups if group]
        group = groups[int(generator.integers(len(groups)))]
        return group[int(generator.integers(len(group)))]

    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """Size, operations and edges each from either parent; edges are added or dropped as legality demands."""
        parents = [self.to_vector(first), self.to_vector(second)]
        either = np.where(generator.integers(2, size=len(parents[0])) == 0, *parents)
        either[0] = parents[int(generator.integers(2))][0]
        size = int(either[0])
        longest = parents[int(parents[1][0] > parents[0][0])]
        for place in range(1, size + 1):  # an operation that one parent lacks comes from the other
            owners = [parent for parent in parents if parent[0] >= place] or [longest]
            if len(owners) == 1:
                either[place] = owners[0][place]
        either[1 + MOST :] += 0.2 * generator.random(len(_PAIRS))  # breaks ties between edges of equal worth
        return self.from_vector(either)


def _moves(operations: tuple[str, ...], links: Links) -> Iterator[tuple[tuple[str, ...], Links]]:
    """Cells one change away, legal or not."""
    size = len(operations)
    for node, name in product(range(size), OPERATIONS):
        yield (*operations[:node], name, *operations[node + 1 :]), links
    present = set(links)
    for link in links:
        yield operations, tuple(sorted(present - {link}))
    for link in _pairs(size):
        if link in present:
            continue
        yield operations, tuple(sorted(present | {link}))
        for old in links:
            if old[0] == link[0] or old[1] == link[1]:
                yield operations, tuple(sorted((present - {old}) | {link}))
    if size < MOST:
        for (source, target), name in product(links, OPERATIONS):
            node = source + 1
            moved = [(a + (a >= node), b + (b >= node)) for a, b in links if (a, b) != (source, target)]
            grown = [*moved, (source, node), (node, target + 1)]
            yield (*operations[:source], name, *operations[source:]), tuple(sorted(grown))
    if size > FEWEST:
        for node in range(1, size + 1):
            before = [a for a, b in links if b == node]
            after = [b for a, b in links if a == node]
            joined = {link for link in links if node not in link} | set(product(before, after))
            left = tuple(sorted({(a - (a > node), b - (b > node)) for a, b in joined}))
            yield (*operations[: node - 1], *operations[node:]), left


_STARTS, _ENDS = ("input", *OPERATIONS), (*OPERATIONS, "output")
_PATHS: tuple[tuple[str, ...], ...] = (
    *((name,) for name in OPERATIONS),
    *product(_STARTS, _ENDS),
    *product(_STARTS, OPERATIONS, _ENDS),
)
_GROUPS = ("operations", "edges by kind", "paths of two edges")
_ENTRIES = (
    Entry("nodes", Nature.ORDERED, FEWEST, MOST),
    Entry("edges", Nature.ORDERED, 0, EDGES),
    Entry("shortest path", Nature.ORDERED, 0, EDGES),
    Entry("longest path", Nature.ORDERED, 0, EDGES),
    *(Entry(" > ".join(path), Nature.ORDERED, 0, 2 * EDGES + 2, _GROUPS[len(path) - 1]) for path in _PATHS),
)


def _pairs(size: int) -> Links:
    return tuple(combinations(range(size + 2), 2))


_PAIRS = _pairs(MOST)


def _spread(link: tuple[int, int], size: int) -> tuple[int, int]:
    """The pair of the vector form: the output is node `MOST + 1` there."""
    source, target = link
    return source, MOST + 1 if target == size + 1 else target


def _well_formed(edges: Any) -> bool:
    """Whether they are distinct pairs of whole numbers."""
    if not isinstance(edges, list) or len(edges) > EDGES:
        return False
    if not all(isinstance(edge, list) and len(edge) == 2 and {type(end) for end in edge} == {int} for edge in edges):
        return False
    return len({tuple(edge) for edge in edges}) == len(edges)


def _links(choices: Choices) -> Links:
    return tuple(sorted((int(source), int(target)) for source, target in choices["edges"]))


def _choices(operations: Sequence[str], links: Links) -> Choices:
    return {"operations": list(operations), "edges": [list(link) for link in links]}


def _repaired(size: int, worth: dict[tuple[int, int], float]) -> Links:
    """The legal edges that follow from a worth of each: those above a half, and what legality adds and takes away."""
    ranked = sorted(worth, key=lambda link: -worth[link])
    kept = {link for link in ranked if worth[link] > 0.5}
    for node in range(size + 2):
        if node <= size and not any(source == node for source, _ in kept):
            kept.add(next(link for link in ranked if link[0] == node))
        if node >= 1 and not any(target == node for _, target in kept):
            kept.add(next(link for link in ranked if link[1] == node))
    kept = _thinned(kept, ranked, EDGES)
    while len(kept) > EDGES:  # an edge between nodes with one way each makes two others spare
        fewer = (_thinned(kept | {link}, ranked, 0, link) for link in ranked if link not in kept)
        kept = next(links for links in fewer if len(links) < len(kept))
    return tuple(sorted(kept))


def _thinned(
    kept: set[tuple[int, int]], ranked: list[tuple[int, int]], most: int, needed: tuple[int, int] | None = None
) -> set[tuple[int, int]]:
    """The edges without the least worthy ones but `needed` that no node misses, down to `most` if possible."""
    left = set(kept)
    for link in reversed(ranked):
        spare = sum(a == link[0] for a, _ in left) > 1 and sum(b == link[1] for _, b in left) > 1
        if len(left) > most and link in left and link != needed and spare:
            left.discard(link)
    return left


@dataclass(frozen=True)
class Scorer:
    """Scores of cells; each instance is a landscape of its own.

    Attributes:
        instance: the seed of the maps.
    """

    instance: int = 0

    @cached_property
    def _maps(self) -> tuple[Array, Array, Array, Array, Array]:
        """Matrices `(5, w, w)`, offsets `(5, w)`, costs `(5,)` of the operations; input and read-out, each `(w,)`."""
        generator = np.random.default_rng([211, self.instance])
        count = len(OPERATIONS)
        matrices = generator.normal(size=(count, WIDTH, WIDTH)) * 1.6 / np.sqrt(WIDTH)
        matrices[0] = np.eye(WIDTH)
        offsets = 0.4 * generator.normal(size=(count, WIDTH))
        offsets[0] = 0.0
        costs = np.array([0.0, 0.01, 0.02, 0.03, 0.04])
        inward, outward = generator.normal(size=(2, WIDTH))
        return matrices, offsets, costs, inward / np.linalg.norm(inward), outward / np.linalg.norm(outward)

    def __call__(self, design: Architecture | Choices) -> float:
        """The score: 1 for the best cell, 0 for the worst."""
        choices: dict[str, Any] = design.choices if isinstance(design, Architecture) else design
        low, high = RANGES[self.instance]
        return (self.raw(choices) - low) / (high - low)

    @property
    def best(self) -> Choices:
        """A best cell."""
        operations, edges = BEST[self.instance]
        return _choices(operations.split(), tuple((int(edge[0]), int(edge[1])) for edge in edges.split()))

    def raw(self, choices: Choices) -> float:
        """The score before it is brought to 0 to 1."""
        matrices, offsets, costs, inward, outward = self._maps
        codes = [OPERATIONS.index(name) for name in choices["operations"]]
        links = _links(choices)
        states = [inward]
        for node, code in enumerate(codes, start=1):
            states.append(np.tanh(matrices[code] @ self._joined(states, links, node) + offsets[code]))
        return float(outward @ self._joined(states, links, len(codes) + 1) - costs[codes].sum())

    @staticmethod
    def _joined(states: list[Array], links: Links, node: int) -> Array:
        sources = [source for source, target in links if target == node]
        return sum((states[source] for source in sources), np.zeros(WIDTH)) / np.sqrt(len(sources))

    def extremes(self) -> tuple[float, float, Choices]:
        """The lowest and the highest raw score of all cells, and a cell with the highest."""
        low, high, best = np.inf, -np.inf, None
        for size in range(FEWEST, MOST + 1):
            for links in topologies(size):
                scores = self._all(size, links)
                low = min(low, float(scores.min()))
                if scores.max() > high:
                    place = int(scores.argmax())
                    high = float(scores[place])
                    codes = np.unravel_index(place, (len(OPERATIONS),) * size)
                    best = _choices([OPERATIONS[int(code)] for code in codes], links)
        assert best is not None
        return low, high, best

    def _all(self, size: int, links: Links) -> Array:
        """The raw scores of all assignments of operations, the last node's changing fastest."""
        matrices, offsets, costs, inward, outward = self._maps
        count = len(OPERATIONS)
        states = [inward[None, :]]  # of node i, shape (5 ** i, w)
        spent = np.zeros(1)
        for node in range(1, size + 1):
            joined = self._over(states, links, node, count ** (node - 1))
            turned = np.tanh(np.einsum("oij,nj->noi", matrices, joined) + offsets)
            states.append(turned.reshape(-1, WIDTH))
            spent = (spent[:, None] + costs).ravel()
        return self._over(states, links, size + 1, count**size) @ outward - spent

    @staticmethod
    def _over(states: list[Array], links: Links, node: int, rows: int) -> Array:
        sources = [source for source, target in links if target == node]
        return sum(np.repeat(states[s], rows // len(states[s]), axis=0) for s in sources) / np.sqrt(len(sources))


def main() -> None:
    for instance in map(int, sys.argv[1:] or RANGES):
        low, high, best = Scorer(instance).extremes()
        print(f"    {instance}: ({low!r}, {high!r}),  # {best}", flush=True)


if __name__ == "__main__":
    main()
