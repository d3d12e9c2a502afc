"""Candidates from a design space, as vectors or as graphs, for recipes that search one space as a whole."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import islice

import numpy as np

from explorer.contracts.description import Entry
from explorer.contracts.optimiser import Box, Candidates, Inputs, Vector, VectorCandidates
from explorer.contracts.space import Choices, DesignSpace
from graphdb.architecture import Architecture

NEIGHBOURS = 200
LIBRARY = 20_000
"""Largest space whose designs are all looked at."""
_LOOKED_AT = 20  # factor by which more neighbours are enumerated than are taken


class SpaceCandidates(VectorCandidates):
    """The designs of a space in vector form, for one role."""

    def __init__(self, space: DesignSpace, neighbours: int = NEIGHBOURS) -> None:
        """
        Args:
            space: space that is searched as a whole.
            neighbours: largest number of neighbours of a design to consider.
        """
        self.space = space
        self._most = neighbours

    def bounds(self) -> Box:
        return (self.space.bounds,)

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """The decisions, as the space describes them."""
        return self.space.entries

    def describe(self, designs: Sequence[Inputs]) -> Vector:
        """The descriptions by the space, shape `(n, d)`."""
        return self.space.describe_vectors(_stacked(designs, self.space.dimensions))

    def library(self) -> Sequence[Inputs] | None:
        """All designs of a space of at most `LIBRARY`."""
        return self._library

    @cached_property
    def _library(self) -> Sequence[Inputs] | None:
        return [self._design(choices) for choices in self.space.enumerate()] if is_small(self.space) else None

    def crossover(self, first: Inputs, second: Inputs, generator: np.random.Generator) -> Inputs:
        """A design in which every decision comes from one of the parents."""
        return self._design(self.space.crossover(self._choices(first), self._choices(second), generator))

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [(vector,) for vector in self.space.sample_vectors(generator, count)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [self._design(self.space.from_vector(vector)) for (vector,) in points]

    def key(self, design: Inputs) -> Hashable:
        return design[0].tobytes()

    def neighbours(self, design: Inputs) -> list[Inputs]:
        return [(vector,) for vector in _evenly(self.space.near(design[0]), self._most)]

    def architecture(self, design: Inputs) -> Architecture:
        """The architecture of a legal design."""
        return self.space.build(self._choices(design))

    def design(self, architecture: Architecture) -> Inputs:
        """The design of an architecture in the space."""
        return self._design(architecture.choices)

    def _choices(self, design: Inputs) -> Choices:
        return self.space.from_vector(design[0])

    def _design(self, choices: Choices) -> Inputs:
        return (self.space.to_vector(choices),)


class GraphCandidates(Candidates[Architecture]):
    """The designs of a space as graphs, for searches that need no vectors."""

    def __init__(self, space: DesignSpace, neighbours: int = NEIGHBOURS) -> None:
        """
        Args:
            space: space that is searched as a whole.
            neighbours: largest number of neighbours of a design to build.
        """
        self.space = space
        self._most = neighbours

    def sample(self, generator: np.random.Generator, count: int) -> list[Architecture]:
        return [self.space.graph_of(self.space.sample(generator)) for _ in range(count)]

    def key(self, design: Architecture) -> Hashable:
        return design.key

    def neighbours(self, design: Architecture) -> list[Architecture]:
        return [self.space.graph_of(choices) for choices in _near(self.space, design.choices, self._most)]

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """The decisions, as the space describes them."""
        return self.space.entries

    def describe(self, designs: Sequence[Architecture]) -> Vector:
        """The descriptions by the space, shape `(n, d)`."""
        rows = [self.space.describe(design.choices) for design in designs]
        return np.stack(rows) if rows else np.zeros((0, len(self.entries)))

    def library(self) -> Sequence[Architecture] | None:
        """All designs of a space of at most `LIBRARY`."""
        return self._library

    @cached_property
    def _library(self) -> Sequence[Architecture] | None:
        return [self.space.graph_of(choices) for choices in self.space.enumerate()] if is_small(self.space) else None

    def crossover(self, first: Architecture, second: Architecture, generator: np.random.Generator) -> Architecture:
        """A design in which every decision comes from one of the parents."""
        return self.space.graph_of(self.space.crossover(first.choices, second.choices, generator))


def is_small(space: DesignSpace) -> bool:
    """Whether a space lists its designs, and has at most `LIBRARY` of them."""
    return space.size <= LIBRARY and type(space).enumerate is not DesignSpace.enumerate


def _stacked(designs: Sequence[Inputs], width: int) -> Vector:
    return np.array([vector for (vector,) in designs]) if designs else np.zeros((0, width))


def _evenly(rows: Vector, most: int) -> Vector:
    """Up to `most` rows, evenly spaced."""
    return rows[:: max(1, -(-len(rows) // most))]


def _near(space: DesignSpace, choices: Choices, most: int) -> Iterator[Choices]:
    """Up to `most` neighbours, evenly spaced among the first ones, as a space lists those of one decision together."""
    first = list(islice(space.neighbours(choices), _LOOKED_AT * most))
    step = max(1, -(-len(first) // most))
    return islice(first, 0, None, step)
