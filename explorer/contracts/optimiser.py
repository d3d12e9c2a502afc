"""The ask/tell contract: `Candidates` say what is legal, an `Optimiser` says what to measure next."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphdb.errors import InputError

Vector = NDArray[np.float64]
Inputs = tuple[Vector, ...]
"""One vector for each role, in the order of the roles: a pair of a model and an accelerator, say."""


class Candidates(ABC):
    """The legal designs of a search, supplied by the caller: a table, a design space, a product of several."""

    @abstractmethod
    def bounds(self) -> tuple[tuple[Vector, Vector], ...]:
        """Lowest and highest value of each entry, for each role two arrays of shape `(d,)`.

        A role of which lowest and highest agree everywhere is held fixed: the search is one-sided.
        """

    @abstractmethod
    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        """`count` random legal designs; they may repeat."""

    @abstractmethod
    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        """For each point of the continuous box the legal design nearest to it."""

    @abstractmethod
    def key(self, inputs: Inputs) -> Hashable:
        """The identity of a legal design: equal designs have equal keys."""

    def neighbours(self, inputs: Inputs) -> list[Inputs]:
        """Legal designs close to a legal design, for local refinement; none unless overridden."""
        del inputs
        return []


@dataclass(frozen=True)
class Proposal:
    """A design to measure, and which part of the optimiser asked for it."""

    inputs: Inputs
    origin: str


@dataclass(frozen=True)
class Observation:
    """What was found for a design.

    Attributes:
        inputs: one vector per role.
        key: its identity.
        value: performance, larger is better; NaN where the design could not be measured.
        violation: relative total violation of the constraints, 0 where all hold.
    """

    inputs: Inputs
    key: Hashable
    value: float
    violation: float

    @property
    def rank(self) -> tuple[bool, float, float]:
        """Sorts best last: measured before failed, then the smaller violation, then the larger value."""
        if math.isnan(self.value):
            return (False, -math.inf, -math.inf)
        return (True, -self.violation, self.value)


class Optimiser(ABC):
    """Asks for designs and is told what they gave.

    What it asks is a pure function of its seed and of the ordered tells: `ask` changes nothing, so a study that was
    killed and re-tells its results goes on as if nothing had happened. Works in synchronous rounds: `ask(count)`,
    measure all, `tell` each in the order asked.
    """

    def __init__(self, candidates: Candidates, seed: int) -> None:
        """
        Args:
            candidates: the legal designs.
            seed: of all random choices, not negative.
        """
        if seed < 0:
            raise InputError(f"The seed of an optimiser must not be negative, found {seed}.")
        self.candidates = candidates
        self.seed = seed
        self._observations: list[Observation] = []
        self._evaluated: set[Hashable] = set()

    @abstractmethod
    def ask(self, count: int) -> list[Proposal]:
        """`count` legal designs, none told before, no two alike; fewer where no more could be found."""

    def tell(self, inputs: Inputs, value: float, violation: float = 0.0) -> None:
        """Takes in one result.

        Args:
            inputs: the design, one vector per role.
            value: its performance, larger is better; NaN says that it could not be measured.
            violation: relative total violation of the constraints, at least 0.

        Raises:
            InputError: an infinite value, or a violation that is negative or not finite.
        """
        if math.isinf(value):
            raise InputError(f"A value told to an optimiser must be finite (or NaN: not measurable), found {value}.")
        if not (math.isfinite(violation) and violation >= 0):
            raise InputError(f"A violation told to an optimiser must be finite and at least 0, found {violation}.")
        key = self.candidates.key(inputs)
        self._observations.append(Observation(inputs, key, float(value), float(violation)))
        self._evaluated.add(key)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """All that was told, in order."""
        return tuple(self._observations)

    @property
    def best(self) -> Observation | None:
        """The best so far: the least violation first, then the largest value; None before the first success."""
        measured = [observation for observation in self._observations if not math.isnan(observation.value)]
        return max(measured, key=lambda observation: observation.rank, default=None)

    @property
    def converged(self) -> bool:
        """Whether the optimiser expects no further progress; never, unless it has a rule for it."""
        return False

    def _generator(self, *stream: int) -> np.random.Generator:
        """A generator that depends on the seed and the numbers of `stream` alone."""
        return np.random.default_rng([self.seed, *stream])

    def _fresh(
        self, generator: np.random.Generator, count: int, excluded: set[Hashable], rounds: int = 12
    ) -> list[Inputs]:
        """Up to `count` distinct random designs neither evaluated nor in `excluded`; samples double each round."""
        found: dict[Hashable, Inputs] = {}
        size = max(count, 8)
        for _ in range(rounds):
            for inputs in self.candidates.sample(generator, size):
                key = self.candidates.key(inputs)
                if key not in self._evaluated and key not in excluded:
                    found.setdefault(key, inputs)
                    if len(found) == count:
                        return list(found.values())
            size = min(2 * size, 4096)
        return list(found.values())
