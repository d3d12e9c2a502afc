"""`OptionSpace`: a design space given by a table of decisions and their allowed values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, DesignSpace, Vector
from explorer.toolkit.counting import digits, uniform_below
from explorer.toolkit.reading import among, finite_vector, key_violations, listed, refused
from graphdb.errors import InputError


class OptionSpace(DesignSpace):
    """Every combination of one value for each decision is legal; a subclass adds `name`, `domain` and `graph_of`.

    The vector form has one entry for each decision, in order: the index of its value. If values double from one to the
    next, the index is a logarithm, and a step means the same everywhere.

    Args:
        options: decision -> its allowed values in a meaningful order; distinct JSON values.

    Example:
        >>> from graphdb.architecture import Architecture, Block
        >>> class Beams(OptionSpace):
        ...     name, domain = "beams", "bridge"
        ...     def graph_of(self, choices):
        ...         return Architecture.of(self.domain, self.name, choices, [Block("beam", choices)], [])
        >>> space = Beams({"depth_m": (0.2, 0.4, 0.8), "steel": (True, False)})
        >>> space.size, space.from_vector(np.array([1.2, 0.0]))
        (6, {'depth_m': 0.4, 'steel': True})
    """

    def __init__(self, options: Mapping[str, tuple[Any, ...]]) -> None:
        self.options = options
        self._radices = [len(values) for values in options.values()]

    @property
    def size(self) -> int:
        """The product of the numbers of values."""
        return math.prod(self._radices)

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """Zeros, and the highest index of each decision, as two arrays of shape `(decisions,)`."""
        highest = np.array(self._radices, dtype=np.float64) - 1.0
        return np.zeros_like(highest), highest

    @property
    def entries(self) -> Sequence[Entry]:
        """An entry for each decision: ordered if its values are numbers or truth values in order, else categorical."""
        return [
            Entry(name, Nature.ORDERED if _in_order(values) else Nature.CATEGORICAL, 0.0, len(values) - 1.0)
            for name, values in self.options.items()
        ]

    def describe_vectors(self, vectors: Vector) -> Vector:
        """The vector forms themselves."""
        return vectors

    def sample_vectors(self, generator: np.random.Generator, count: int) -> Vector:
        """Random indices, shape `(count, decisions)`."""
        return generator.integers(self._radices, size=(count, len(self._radices))).astype(np.float64)

    def near(self, vector: Vector) -> Vector:
        """The indices of all designs that differ in one decision, in the order of `neighbours`."""
        places, values = self._one_decision
        rows = np.repeat(vector[None, :], len(places), axis=0)
        rows[np.arange(len(places)), places] = values
        changed: Vector = rows[values != vector[places]]
        return changed

    @cached_property
    def _one_decision(self) -> tuple[NDArray[np.intp], Vector]:
        """Every value of every decision: the place of the decision, and the index of the value."""
        places = np.repeat(np.arange(len(self._radices)), self._radices)
        values = np.concatenate([np.arange(radix, dtype=np.float64) for radix in self._radices])
        return places, values

    def at(self, number: int) -> Choices:
        """The design with a number in [0, size)."""
        return self.choices_at(digits(number, self._radices))

    def enumerate(self) -> Iterator[Choices]:
        """All designs, with the last decision changing fastest."""
        return map(self.at, range(self.size))

    def sample(self, generator: np.random.Generator) -> Choices:
        """Draws a legal design; all designs are equally likely."""
        return self.at(uniform_below(generator, self.size))

    def violations(self, choices: Choices) -> list[str]:
        """The violations in `choices`, which may be any JSON value."""
        return key_violations(choices, self.options) or self.refusals(choices)

    def refusals(self, choices: Choices) -> list[str]:
        """The violations in the values of choices that name every decision, one sentence each."""
        return [
            refused(name, choices[name], listed(values))
            for name, values in self.options.items()
            if not among(choices[name], values)
        ]

    def normalise(self, choices: Choices) -> Choices:
        """The decisions in their order, the only form of legal choices."""
        return {name: choices[name] for name in self.options}

    def to_vector(self, choices: Choices) -> Vector:
        """The index of each value, shape `(decisions,)`."""
        return np.array(self._indices(choices), dtype=np.float64)

    def from_vector(self, vector: Vector) -> Choices:
        """The design with the nearest index for each decision.

        Raises:
            InputError: the vector has another shape.
        """
        return self.choices_at(np.rint(finite_vector(vector, *self.bounds)).astype(int).tolist())

    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """All designs that differ in one decision, by any value."""
        indices = self._indices(choices)
        for place, radix in enumerate(self._radices):
            for other in range(radix):
                if other != indices[place]:
                    yield self.choices_at([*indices[:place], other, *indices[place + 1 :]])

    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """Draws a decision, and then another value for it."""
        indices = self._indices(choices)
        place = generator.choice([i for i, radix in enumerate(self._radices) if radix > 1])
        step = generator.integers(1, self._radices[place])
        indices[place] = int((indices[place] + step) % self._radices[place])
        return self.choices_at(indices)

    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """Takes every decision from either parent with equal probability."""
        parents = np.array([self._indices(first), self._indices(second)])
        origins = generator.integers(2, size=len(self._radices))
        return self.choices_at(parents[origins, np.arange(len(self._radices))].tolist())

    def fixed(self, decisions: Mapping[str, Any]) -> Self:
        """The part of the space in which some decisions are fixed.

        Args:
            decisions: name -> value.

        Raises:
            InputError: the space does not have a decision, or does not allow a value.
        """
        options = dict(self.options)
        for name, value in decisions.items():
            if name not in options:
                raise InputError(f"{name} is not a decision of {self.name}; allowed: {listed(self.options)}.")
            if not among(value, options[name]):
                raise InputError(refused(name, value, listed(options[name])))
            options[name] = (value,)
        return type(self)(options)

    def choices_at(self, indices: list[int]) -> Choices:
        """The design with these value indices."""
        return {name: values[index] for (name, values), index in zip(self.options.items(), indices, strict=True)}

    def _indices(self, choices: Choices) -> list[int]:
        return [values.index(choices[name]) for name, values in self.options.items()]


def _in_order(values: tuple[Any, ...]) -> bool:
    """Whether values are numbers, or truth values, that rise or fall from each to the next."""
    if not all(isinstance(value, int | float) for value in values):
        return False
    pairs = list(itertools.pairwise(values))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)
