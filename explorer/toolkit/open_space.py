"""`OpenSpace`: designs of any size that can be checked, built and simulated, but neither counted nor searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import numpy as np

from explorer.contracts.space import Choices, DesignSpace, Vector
from graphdb.errors import InputError


class OpenSpace(DesignSpace):
    """An infinite space for presets and users' own designs; everything that needs its extent raises `InputError`."""

    def _refuse(self, what: str) -> NoReturn:
        raise InputError(
            f"The space {self.name} takes designs of any size; {what}. "
            f"Name one of the finite {self.domain} spaces instead."
        )

    @property
    def size(self) -> int:
        """Not defined: the space is infinite."""
        self._refuse("it cannot be counted")

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """Not defined: the space is infinite."""
        self._refuse("it has no vector form")

    def sample(self, generator: np.random.Generator) -> Choices:
        """Not defined: an infinite space has no uniform distribution."""
        self._refuse("it cannot be sampled")

    def to_vector(self, choices: Choices) -> Vector:
        """Not defined: designs differ in their number of decisions."""
        self._refuse("it has no vector form")

    def from_vector(self, vector: Vector) -> Choices:
        """Not defined: designs differ in their number of decisions."""
        self._refuse("it has no vector form")

    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """Not defined: the neighbours are infinitely many."""
        self._refuse("it cannot be searched")

    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """Not defined: the space cannot be searched."""
        self._refuse("it cannot be searched")

    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """Not defined: the space cannot be searched."""
        self._refuse("it cannot be searched")
