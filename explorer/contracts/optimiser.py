"""The ask/tell contract: `Candidates` define the legal designs, an `Optimiser` chooses what to measure next.

Both are generic over the design: one vector per role, a graph, or any other type that a recipe searches over.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from graphdb.errors import InputError

D = TypeVar("D")
"""A design."""
Vector = NDArray[np.float64]
Inputs = tuple[Vector, ...]
"""The design of a search over vectors: one for each role, in the order of the roles."""
Box = tuple[tuple[Vector, Vector], ...]
"""For each role, the lowest and the highest value of each entry, as two arrays of shape `(d,)`."""


class Candidates(ABC, Generic[D]):
    """The legal designs of a search, supplied by the caller: a table, a design space, or a product of several.

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
        """Draws `count` random legal designs, which may repeat."""

    @abstractmethod
    def key(self, design: D) -> Hashable:
        """The identity of a legal design: equal designs have equal keys."""

    def neighbours(self, design: D) -> list[D]:
        """Legal designs close to a legal design, for local refinement; empty unless overridden."""
        del design
        return []

    @property
    def entries(self) -> Sequence[Entry]:
        """The d entries of the descriptions; none, unless overridden, for designs without descriptions."""
        return ()

    def describe(self, designs: Sequence[D]) -> Vector:
        """What surrogates know of n designs, shape `(n, d)`: one number for each of `entries`, or NaN.

        Equal designs have equal descriptions. NaN stands in an entry that means nothing for a design.
        """
        return np.zeros((len(designs), len(self.entries)))

    def known(self, designs: Sequence[D]) -> Mapping[str, Vector]:
        """Outputs that need no measurement, in their units: name -> one value for each of n designs, shape `(n,)`.

        Such an output is not learnt. Empty unless overridden.
        """
        del designs
        return {}

    def library(self) -> Sequence[D] | None:
        """All designs, if they are few enough to look at every one of them; None unless overridden."""
        return None

    def crossover(self, first: D, second: D, generator: np.random.Generator) -> D | None:
        """A legal design with decisions of both parents; None, unless overridden, if parents cannot be crossed."""
        del first, second, generator
        return None


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

        A role whose lowest and highest values are all equal is held fixed: the search is one-sided.
        """

    @abstractmethod
    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        """The legal design nearest to each point of the box."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries of all roles in a row: continuous ones within the box unless overridden."""
        return [
            Entry(f"{role}.{place}", Nature.CONTINUOUS, float(least), float(most))
            for role, (low, high) in enumerate(self.bounds())
            for place, (least, most) in enumerate(zip(low, high, strict=True))
        ]

    def describe(self, designs: Sequence[Inputs]) -> Vector:
        """The vectors of all roles in a row, shape `(n, d)`."""
        if not designs:
            return np.zeros((0, sum(len(low) for low, _ in self.bounds())))
        return np.stack([np.concatenate(design) for design in designs])


@dataclass(frozen=True)
class Proposal(Generic[D]):
    """A design to measure, and the part of the optimiser that proposed it.

    Attributes:
        design: the design.
        origin: how it was chosen, in a word or two.
        expected: the predicted mean and deviation of its value, or of the mean of its values under several objectives;
            None if nothing was predicted.

    Example:
        >>> Proposal(7, "random").origin
        'random'
    """

    design: D
    origin: str
    expected: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The performance of a measured design.

    Attributes:
        values: the performance under each objective, shape `(m,)`, larger is better; NaN if it could not be measured.
        violations: the relative violation of each constraint, shape `(c,)`; 0 if it holds.
        outputs: the measured outputs in the order of a `Goal`, shape `(k,)`, in their units; NaN where a run does not
            give one, and empty if the optimiser has no goal.

    Raises:
        InputError: there is no value, one is infinite, or a violation is negative or not finite.

    Example:
        >>> Outcome((0.8, 0.3), (0.0, 0.25)).violation
        0.25
    """

    values: tuple[float, ...]
    violations: tuple[float, ...] = ()
    outputs: tuple[float, ...] = ()

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
            objectives: the number m of objectives.
        """
        return cls((math.nan,) * objectives)

    @property
    def violation(self) -> float:
        """The sum of all violations; 0 if every constraint holds."""
        return math.fsum(self.violations)

    @property
    def measured(self) -> bool:
        """Whether every value is known."""
        return not any(math.isnan(value) for value in self.values)


@dataclass(frozen=True)
class Observation(Generic[D]):
    """A design and its outcome.

    Attributes:
        design: the design as proposed.
        key: its identity.
        outcome: its values and violations.

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
        """The performance, or its mean under several objectives; NaN if one of them could not be measured."""
        return math.fsum(self.outcome.values) / len(self.outcome.values)

    @property
    def violation(self) -> float:
        """The sum of the violations of all constraints."""
        return self.outcome.violation

    @property
    def rank(self) -> tuple[bool, float, float]:
        """A sort key that is larger for better designs: first measured, then less violating, then of larger value."""
        if not self.outcome.measured:
            return (False, -math.inf, -math.inf)
        return (True, -self.violation, self.value)

    def dominates(self, other: Observation[D]) -> bool:
        """Whether this design is better: measured, less infeasible, or equally feasible, better under some objective
        and worse under none."""
        if self.rank[:2] != other.rank[:2]:
            return self.rank[:2] > other.rank[:2]
        pairs = list(zip(self.outcome.values, other.outcome.values, strict=True))
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def undominated(observations: Sequence[Observation[D]]) -> list[Observation[D]]:
    """The designs that no other dominates, in order: with one objective, those of the best value."""
    return [one for one in observations if not any(other.dominates(one) for other in observations)]


class Optimiser(ABC, Generic[D]):
    """Proposes designs and learns from their outcomes.

    Its proposals are a pure function of its seed, of the ordered tells and of the pending designs. `ask` changes
    nothing, so a study that was killed and tells its results again continues as if nothing had happened.

    Attributes:
        objectives: the largest number of objectives that it supports; None for any number.

    Example:
        A complete optimiser:

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
            seed: the seed of all random choices, not negative.

        Raises:
            InputError: the seed is negative.
        """
        if seed < 0:
            raise InputError(f"The seed of an optimiser must not be negative, found {seed}.")
        self.candidates = candidates
        self.seed = seed
        self._observations: list[Observation[D]] = []
        self._evaluated: set[Hashable] = set()

    @abstractmethod
    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        """Proposes `count` distinct legal designs, none of them told or pending; fewer if no more can be found.

        Args:
            count: the number of designs, at least 1.
            pending: the designs that were proposed and whose outcome is not known yet; empty if a study works in
                rounds, or the running evaluations of an asynchronous study.
        """

    def check_objectives(self, count: int) -> None:
        """Refuses a search by more objectives than this optimiser supports.

        Raises:
            InputError: `count` is too large.
        """
        if self.objectives is not None and count > self.objectives:
            raise InputError(
                f"{type(self).__name__} searches by {self.objectives} objective{'s' * (self.objectives > 1)} and was "
                f"told {count} values; give their weighted sum, or choose an optimiser of several objectives."
            )

    def tell(self, design: D, outcome: Outcome) -> None:
        """Records one result.

        Args:
            design: the design as proposed.
            outcome: its values and violations.

        Raises:
            InputError: there are more objectives than the optimiser supports, or another number of them than before.
        """
        count = len(outcome.values)
        self.check_objectives(count)
        if self._observations and len(self._observations[-1].outcome.values) != count:
            raise InputError(
                f"{type(self).__name__} was told {count} values after outcomes of "
                f"{len(self._observations[-1].outcome.values)}; their number must stay the same."
            )
        key = self.candidates.key(design)
        self._observations.append(Observation(design, key, outcome))
        self._evaluated.add(key)

    def recall(self, design: D, outcome: Outcome) -> None:
        """Records what was measured before the search began: it teaches a surrogate, and is none of the trials.

        All of it is recalled before the first `ask`. It is ignored unless an optimiser overrides this method, as the
        published searches begin cold.
        """

    @property
    def observations(self) -> tuple[Observation[D], ...]:
        """All recorded results, in order."""
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

    def expectation(self) -> float | None:
        """How much improvement of the best value the next design is expected to bring; None if that is not known."""
        return None

    def _generator(self, *stream: int) -> np.random.Generator:
        """A generator that depends only on the seed and the numbers of `stream`."""
        return np.random.default_rng([self.seed, *stream])

    def _keys(self, pending: Sequence[D]) -> set[Hashable]:
        """The identities of pending designs."""
        return {self.candidates.key(design) for design in pending}

    @staticmethod
    def _under_way(pending: Sequence[D]) -> tuple[int, ...]:
        """An addition to the stream of a generator, so that two asks without a tell between them draw differently."""
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
