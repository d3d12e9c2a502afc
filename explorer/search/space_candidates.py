"""Candidates from a design space, as vectors or as graphs, for recipes that search one space as a whole."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import islice

import numpy as np

from explorer.contracts.optimiser import Box, Candidates, Inputs, VectorCandidates
from explorer.contracts.space import Choices, DesignSpace
from graphdb.architecture import Architecture

NEIGHBOURS = 200
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

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [self._design(self.space.sample(generator)) for _ in range(count)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [self._design(self.space.from_vector(vector)) for (vector,) in points]

    def key(self, design: Inputs) -> Hashable:
        return design[0].tobytes()

    def neighbours(self, design: Inputs) -> list[Inputs]:
        return [self._design(choices) for choices in _near(self.space, self._choices(design), self._most)]

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


def _near(space: DesignSpace, choices: Choices, most: int) -> Iterator[Choices]:
    """Up to `most` neighbours, evenly spaced among the first ones, as a space lists those of one decision together."""
    first = list(islice(space.neighbours(choices), _LOOKED_AT * most))
    step = max(1, -(-len(first) // most))
    return islice(first, 0, None, step)
