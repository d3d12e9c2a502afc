"""The ask/tell contract: `Candidates` say what is legal, an `Optimiser` says what to measure next.

Both are generic over the design: vectors, one for each role, or graphs, or whatever else a recipe searches among.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from graphdb.errors import InputError

D = TypeVar("D")
"""A design."""
Vector = NDArray[np.float64]
Inputs = tuple[Vector, ...]
"""The design of a search among vectors: one for each role, in the order of the roles."""
Box = tuple[tuple[Vector, Vector], ...]
"""For each role the lowest and the highest value of each entry, two arrays of shape `(d,)`."""


class Candidates(ABC, Generic[D]):
    """The legal designs of a search, supplied by the caller: a table, a design space, a product of several.

    Example:
        Whole numbers below ten:

        >>> class Digits(Candidates[int]):
        ...     def sample(self, generator, count):
        ...         return generator.integers(10, size=count).tolist()
        ...     def key(self, design):
        ...         return design
        >>> len(Digits().sample(np.random.default_rng(0), 3))
        3
    """

    @abstractmethod
    def sample(self, generator: np.random.Generator, count: int) -> list[D]:
        """`count` random legal designs; they may repeat."""

    @abstractmethod
    def key(self, design: D) -> Hashable:
        """The identity of a legal design: equal designs have equal keys."""

    def neighbours(self, design: D) -> list[D]:
        """Legal designs close to a legal design, for local refinement; none unless overridden."""
        del design
        return []


class VectorCandidates(Candidates[Inputs]):
    """Legal designs in a box of vectors, for searches that follow gradients.

    Example:
        One role, whose designs are the corners of a square:

        >>> class Corners(VectorCandidates):
        ...     def bounds(self):
        ...         return ((np.zeros(2), np.ones(2)),)
        ...     def sample(self, generator, count):
        ...         return [(corner.astype(float),) for corner in generator.integers(2, size=(count, 2))]
        ...     def snap(self, points):
        ...         return [(np.rint(vector),) for (vector,) in points]
        ...     def key(self, design):
        ...         return design[0].tobytes()
        >>> Corners().snap([(np.array([0.2, 0.9]),)])
        [(array([0., 1.]),)]
    """

    @abstractmethod
    def bounds(self) -> Box:
        """The box.

        A role of which lowest and highest agree everywhere is held fixed: the search is one-sided.
        """

    @abstractmethod
    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        """For each point of the box the legal design nearest to it."""


@dataclass(frozen=True)
class Proposal(Generic[D]):
    """A design to measure, and which part of the optimiser asked for it.

    Example:
        >>> Proposal(7, "random").origin
        'random'
    """

    design: D
    origin: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a measurement of a design is worth.

    Attributes:
        values: performance under each objective, shape `(m,)`, larger is better; NaN where it could not be measured.
        violations: relative violation of each constraint, shape `(c,)`, 0 where it holds.

    Raises:
        InputError: no value, one that is infinite, or a violation that is negative or not finite.

    Example:
        >>> Outcome((0.8, 0.3), (0.0, 0.25)).violation
        0.25
    """

    values: tuple[float, ...]
    violations: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.values or any(math.isinf(value) for value in self.values):
            raise InputError(
                f"The values told to an optimiser are {self.values}; each must be finite, or NaN if not measurable."
            )
        if not all(math.isfinite(violation) and violation >= 0 for violation in self.violations):
            raise InputError(
                f"The violations told to an optimiser are {self.violations}; each must be finite and at least 0."
            )

    @classmethod
    def failed(cls, objectives: int = 1) -> Outcome:
        """The outcome of a design that could not be measured.

        Args:
            objectives: m, how many there are.
        """
        return cls((math.nan,) * objectives)

    @property
    def violation(self) -> float:
        """Sum of all violations; 0 where every constraint holds."""
        return math.fsum(self.violations)

    @property
    def measured(self) -> bool:
        """Whether every value is known."""
        return not any(math.isnan(value) for value in self.values)


@dataclass(frozen=True)
class Observation(Generic[D]):
    """What was found for a design.

    Attributes:
        design: as it was asked for.
        key: its identity.
        outcome: what it is worth.

    Example:
        >>> light, stiff = Observation(1, 1, Outcome((0.9, 0.2))), Observation(2, 2, Outcome((0.3, 0.8)))
        >>> light.dominates(stiff), light.dominates(Observation(3, 3, Outcome((0.5, 0.2))))
        (False, True)
    """

    design: D
    key: Hashable
    outcome: Outcome

    @property
    def value(self) -> float:
        """Performance; the mean under several objectives. NaN where one of them could not be measured."""
        return math.fsum(self.outcome.values) / len(self.outcome.values)

    @property
    def violation(self) -> float:
        """Sum of the violations of all constraints."""
        return self.outcome.violation

    @property
    def rank(self) -> tuple[bool, float, float]:
        """Sorts best last: measured before failed, then the smaller violation, then the larger value."""
        if not self.outcome.measured:
            return (False, -math.inf, -math.inf)
        return (True, -self.violation, self.value)

    def dominates(self, other: Observation[D]) -> bool:
        """Whether this is better: measured, less infeasible, or feasible alike and better under some objective and
        worse under none."""
        if self.rank[:2] != other.rank[:2]:
            return self.rank[:2] > other.rank[:2]
        pairs = list(zip(self.outcome.values, other.outcome.values, strict=True))
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


class Optimiser(ABC, Generic[D]):
    """Asks for designs and is told what they gave.

    What it asks is a pure function of its seed, of the ordered tells and of what is pending: `ask` changes nothing, so
    a study that was killed and tells its results again goes on as if nothing had happened.

    Attributes:
        objectives: the most that it can search by; None for any number.

    Example:
        The whole of an optimiser:

        >>> class Anything(Optimiser[D]):
        ...     def ask(self, count, pending=()):
        ...         generator = self._generator(len(self.observations))
        ...         return [Proposal(one, "random") for one in self._fresh(generator, count, self._keys(pending))]
    """

    objectives: ClassVar[int | None] = 1

    def __init__(self, candidates: Candidates[D], seed: int) -> None:
        """
        Args:
            candidates: the legal designs.
            seed: of all random choices, not negative.

        Raises:
            InputError: a negative seed.
        """
        if seed < 0:
            raise InputError(f"The seed of an optimiser must not be negative, found {seed}.")
        self.candidates = candidates
        self.seed = seed
        self._observations: list[Observation[D]] = []
        self._evaluated: set[Hashable] = set()

    @abstractmethod
    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        """`count` legal designs, none told before, none pending, no two alike; fewer where no more could be found.

        Args:
            count: how many, at least 1.
            pending: designs that were asked for and whose outcome is not known yet: empty where a study works in
                rounds, and what is under way where evaluations are asynchronous.
        """

    def tell(self, design: D, outcome: Outcome) -> None:
        """Takes in one result.

        Args:
            design: as it was asked for.
            outcome: its values and violations.

        Raises:
            InputError: more objectives than the optimiser can search by, or another number of them than before.
        """
        count = len(outcome.values)
        if self.objectives is not None and count > self.objectives:
            raise InputError(
                f"{type(self).__name__} searches by {self.objectives} objective{'s' * (self.objectives > 1)} and was "
                f"told {count} values; give their weighted sum, or choose an optimiser of several objectives."
            )
        if self._observations and len(self._observations[-1].outcome.values) != count:
            raise InputError(
                f"{type(self).__name__} was told {count} values after outcomes of "
                f"{len(self._observations[-1].outcome.values)}; their number must stay the same."
            )
        key = self.candidates.key(design)
        self._observations.append(Observation(design, key, outcome))
        self._evaluated.add(key)

    @property
    def observations(self) -> tuple[Observation[D], ...]:
        """All that was told, in order."""
        return tuple(self._observations)

    @property
    def best(self) -> Observation[D] | None:
        """The best so far: the least violation first, then the largest value; None before the first success."""
        measured = [observation for observation in self._observations if observation.outcome.measured]
        return max(measured, key=lambda observation: observation.rank, default=None)

    @property
    def converged(self) -> bool:
        """Whether the optimiser expects no further progress; never, unless it has a rule for it."""
        return False

    def _generator(self, *stream: int) -> np.random.Generator:
        """A generator that depends on the seed and the numbers of `stream` alone."""
        return np.random.default_rng([self.seed, *stream])

    def _keys(self, pending: Sequence[D]) -> set[Hashable]:
        """The identities of designs that are under way."""
        return {self.candidates.key(design) for design in pending}

    @staticmethod
    def _under_way(pending: Sequence[D]) -> tuple[int, ...]:
        """An addition to the stream of a generator, so that two asks between two tells draw differently."""
        return (len(pending),) if pending else ()

    def _fresh(self, generator: np.random.Generator, count: int, excluded: set[Hashable], rounds: int = 12) -> list[D]:
        """Up to `count` distinct random designs neither evaluated nor in `excluded`; samples double each round."""
        fresh: dict[Hashable, D] = {}
        size = max(count, 8)
        for _ in range(rounds):
            for design in self.candidates.sample(generator, size):
                key = self.candidates.key(design)
                if key not in self._evaluated and key not in excluded:
                    fresh.setdefault(key, design)
                    if len(fresh) == count:
                        return list(fresh.values())
            size = min(2 * size, 4096)
        return list(fresh.values())
