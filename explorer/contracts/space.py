"""`DesignSpace`: a countable set of legal designs that can be sampled, and searched by vector or by graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Choices = dict[str, Any]
Vector = NDArray[np.float64]


class DesignSpace(ABC):
    """A set of designs that a domain provides for storage, surrogates and search.

    Choices are plain JSON in one canonical form (`normalise`); equal designs have equal canonical choices.

    Example:
        Most spaces are tables of options, as in `explorer.toolkit.option_space`:

        >>> from explorer.toolkit.option_space import OptionSpace
        >>> class Beams(OptionSpace):
        ...     name, domain = "beams", "bridges"
        ...     def graph_of(self, choices):
        ...         return Architecture.of(self.domain, self.name, choices, [], [])
        >>> space: DesignSpace = Beams({"depth_cm": (20, 40)})
        >>> space.violations({"depth_cm": 30})
        ['depth_cm is 30; allowed: 20, 40.']
    """

    name: ClassVar[str]
    domain: ClassVar[str]

    @property
    @abstractmethod
    def size(self) -> int:
        """The exact number of designs."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Vector, Vector]:
        """The lowest and highest value of each entry of the vector form, as two arrays of shape `(d,)`."""

    @property
    def dimensions(self) -> int:
        """d, the length of the vector form."""
        return len(self.bounds[0])

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries of the descriptions of designs: an ordered one for each of the vector form, unless overridden."""
        return [
            Entry(f"entry {place}", Nature.ORDERED, float(low), float(high))
            for place, (low, high) in enumerate(zip(*self.bounds, strict=True))
        ]

    def describe(self, choices: Choices) -> Vector:
        """What surrogates know of a legal design: one number for each of `entries`, NaN where one means nothing for it.

        The vector form, unless overridden.
        """
        return self.to_vector(choices)

    def describe_vectors(self, vectors: Vector) -> Vector:
        """The descriptions of n legal designs in vector form, `(n, d)`, one row for each."""
        rows = [self.describe(self.from_vector(vector)) for vector in vectors]
        return np.stack(rows) if rows else np.zeros((0, len(self.entries)))

    def sample_vectors(self, generator: np.random.Generator, count: int) -> Vector:
        """The vector forms of random legal designs, shape `(count, d)`; all designs are equally likely."""
        rows = [self.to_vector(self.sample(generator)) for _ in range(count)]
        return np.stack(rows) if rows else np.zeros((0, self.dimensions))

    def near(self, vector: Vector) -> Vector:
        """The vector forms of the k neighbours of a legal design in vector form, shape `(k, d)`."""
        rows = [self.to_vector(choices) for choices in self.neighbours(self.from_vector(vector))]
        return np.stack(rows) if rows else np.zeros((0, self.dimensions))

    @abstractmethod
    def sample(self, generator: np.random.Generator) -> Choices:
        """Draws a legal design; all designs are equally likely."""

    @abstractmethod
    def violations(self, choices: Choices) -> list[str]:
        """The violations in `choices`: one sentence each with the place, what was found and what is allowed."""

    @abstractmethod
    def normalise(self, choices: Choices) -> Choices:
        """The canonical form of legal choices."""

    @abstractmethod
    def graph_of(self, choices: Choices) -> Architecture:
        """The architecture of canonical, legal choices; `build` checks them first."""

    @abstractmethod
    def to_vector(self, choices: Choices) -> Vector:
        """The vector form, shape `(d,)`, within `bounds`."""

    @abstractmethod
    def from_vector(self, vector: Vector) -> Choices:
        """The legal design nearest to any real vector of shape `(d,)` (legality repair)."""

    @abstractmethod
    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """All designs that differ in one elementary decision, each once, without `choices` itself."""

    @abstractmethod
    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """Returns a random legal design near `choices` and different from it."""

    @abstractmethod
    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """Returns a legal design in which every decision comes from one of the parents.

        Args:
            first: the choices of one parent.
            second: the choices of the other parent.
            generator: decides which parent each decision comes from.
        """

    def enumerate(self) -> Iterator[Choices]:
        """All designs, each once, in a fixed order.

        Raises:
            InputError: the space has no such order.
        """
        raise InputError(f"The space {self.name} cannot list its {self.size:,} designs.")

    def fixed(self, decisions: Mapping[str, Any]) -> DesignSpace:
        """The designs of this space in which some decisions have the given values.

        Args:
            decisions: name -> value.

        Raises:
            InputError: the space has no such decision, or does not allow the value; a space that does not override
                this method has no decisions that could be fixed.
        """
        if not decisions:
            return self
        names = ", ".join(str(name)[:60] for name in decisions)
        raise InputError(f"The space {self.name} has no decisions that could be fixed, found {names}.")

    def summary(self, choices: Choices) -> Mapping[str, str]:
        """The decisions in a few short columns for tables, heading -> text; empty unless overridden."""
        del choices
        return {}

    def build(self, choices: Choices) -> Architecture:
        """The architecture of `choices`.

        Raises:
            InputError: the choices are illegal; the message lists every violation.
        """
        faults = self.violations(choices)
        if faults:
            raise InputError(" ".join(faults))
        return self.graph_of(self.normalise(choices))
