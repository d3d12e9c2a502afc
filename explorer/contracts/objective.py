"""`Objective`: the performance of measured designs, their violations of constraints, and Pareto fronts."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import moocore
import numpy as np

from explorer.contracts.goal import Goal, Limit, Output
from explorer.contracts.measure import Direction
from explorer.contracts.optimiser import Outcome
from graphdb.errors import InputError

Values = Mapping[str, float]


@dataclass(frozen=True)
class Linear:
    """Share of a maximum: x / maximum. Not clipped, so that a cost beyond the maximum scores below 0.

    Example:
        >>> Linear(40.0).position(10.0)
        0.25
    """

    maximum: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.maximum) and self.maximum > 0):
            raise InputError(f"The maximum of a linear scale must be positive and finite, found {self.maximum}.")

    def position(self, x: float) -> float:
        """The position on the scale: 0 at zero, 1 at the maximum."""
        return x / self.maximum


@dataclass(frozen=True)
class Logarithmic:
    """Share of the decades between two values: log(x / low) / log(high / low).

    Not clipped, so that designs beyond the range still differ; a tenfold gain counts the same everywhere.

    Example:
        >>> round(Logarithmic(1.0, 1000.0).position(10.0), 3)
        0.333
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 < self.low < self.high < math.inf):
            raise InputError(
                f"A logarithmic scale needs 0 < low < high, both finite, found low {self.low} and high {self.high}."
            )

    def position(self, x: float) -> float:
        """The position on the scale: 0 at `low`, 1 at `high`.

        Raises:
            InputError: x is not positive, and so has no logarithm.
        """
        if x <= 0:
            raise InputError(f"A measure on a logarithmic scale must be positive, found {x}.")
        return math.log(x / self.low) / math.log(self.high / self.low)


Scale = Linear | Logarithmic


@dataclass(frozen=True)
class Term:
    """One measure's share of the performance.

    Attributes:
        measure: the name of the measure.
        weight: a number from 0 to 1.
        direction: the direction of improvement.
        scale: maps the measure to roughly 0 to 1.

    Example:
        >>> Term("mass_kg", 1.0, Direction.MINIMISE, Linear(40.0)).score({"mass_kg": 10.0})
        0.75
    """

    measure: str
    weight: float
    direction: Direction
    scale: Scale

    def __post_init__(self) -> None:
        object.__setattr__(self, "direction", _direction(self.measure, self.direction))
        if not 0 <= self.weight <= 1:
            raise InputError(f"The weight of {self.measure} must lie within 0 to 1, found {self.weight}.")

    def score(self, measures: Values) -> float:
        """The position on the scale, or 1 minus it for a cost; larger is better."""
        position = self.scale.position(_finite(self.measure, measures))
        return position if self.direction is Direction.MAXIMISE else 1.0 - position


@dataclass(frozen=True)
class Constraint:
    """Limits of one measure, either or both of `minimum` and `maximum`, inclusive.

    Example:
        >>> Constraint("mass_kg", maximum=40.0).violation({"mass_kg": 50.0})
        0.25
    """

    measure: str
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.minimum, self.maximum) if limit is not None]
        if not limits or not all(math.isfinite(limit) for limit in limits):
            raise InputError(f"The constraint on {self.measure} needs a finite minimum or maximum, found {limits}.")
        if len(limits) == 2 and limits[0] > limits[1]:
            raise InputError(f"The constraint on {self.measure} has minimum {limits[0]} above maximum {limits[1]}.")

    def violation(self, measures: Values) -> float:
        """The amount by which the measure exceeds its limit, as a share of the limit (of 1 if the limit is 0)."""
        value = _finite(self.measure, measures)
        below = 0.0 if self.minimum is None else max(0.0, self.minimum - value) / (abs(self.minimum) or 1.0)
        above = 0.0 if self.maximum is None else max(0.0, value - self.maximum) / (abs(self.maximum) or 1.0)
        return below + above


@dataclass(frozen=True)
class Objective:
    """A convex combination of terms, to be maximised, under constraints.

    The form is that of CODEBench (Tuli and others 2022): P = Σ wᵢ sᵢ, accuracies as x / max and costs as 1 - x / max.

    Attributes:
        terms: the measures and their weights.
        constraints: the constraints that a feasible design satisfies.
        separate: whether an optimiser gets the score of each term instead of their weighted sum, and so searches for
            their Pareto front.

    Example:
        >>> accuracy = Term("accuracy", 0.5, Direction.MAXIMISE, Linear(1.0))
        >>> area = Term("area_mm2", 0.5, Direction.MINIMISE, Linear(1000.0))
        >>> Objective((accuracy, area)).value({"accuracy": 0.9, "area_mm2": 250.0})
        0.825
    """

    terms: tuple[Term, ...]
    constraints: tuple[Constraint, ...] = field(default=())
    separate: bool = False

    def __post_init__(self) -> None:
        total = math.fsum(term.weight for term in self.terms)
        if abs(total - 1) > 1e-9:
            raise InputError(f"The weights of an objective must sum to 1, found {total:.6g}.")

    @property
    def measures(self) -> frozenset[str]:
        """The names of all measures that it reads."""
        return frozenset([t.measure for t in self.terms] + [c.measure for c in self.constraints])

    def value(self, measures: Values) -> float:
        """The performance, regardless of the constraints; larger is better.

        Raises:
            InputError: a measure is missing, not finite, or not positive on a logarithmic scale.
        """
        return math.fsum(term.weight * term.score(measures) for term in self.terms)

    def outcome(self, measures: Values) -> Outcome:
        """The outcome for an optimiser: the performance, or each term's score, and the violation of each constraint.

        With separate scores, a measure that a run does not give has the score NaN.

        Raises:
            InputError: a measure is missing, not finite, or not positive on a logarithmic scale.
        """
        if self.separate:
            scores = tuple(term.score(measures) if term.measure in measures else math.nan for term in self.terms)
        else:
            scores = (self.value(measures),)
        violations = tuple(constraint.violation(measures) for constraint in self.constraints)
        return Outcome(scores, violations, tuple(measures.get(output.name, math.nan) for output in self._outputs))

    @property
    def goal(self) -> Goal:
        """The same objective as an affine map of its measures, for optimisers that learn each measure by itself.

        A measure on a logarithmic scale is learnt as its logarithm. Of the outcomes, `outputs` are in its order.
        """
        outputs = self._outputs
        place = {output: index for index, output in enumerate(outputs)}
        rows = np.zeros((len(self.terms), len(outputs)))
        shifts = np.zeros(len(self.terms))
        for row, term in enumerate(self.terms):
            slope, shift = _line(term)
            rows[row, place[_learnt(term)]] = slope
            shifts[row] = shift
        if not self.separate:
            shares = np.array([term.weight for term in self.terms])
            rows, shifts = shares @ rows, shares @ shifts
        limits = tuple(_limit(one, outputs) for one in self.constraints)
        return Goal(outputs, np.atleast_2d(rows), np.atleast_1d(shifts), limits)

    @property
    def _outputs(self) -> tuple[Output, ...]:
        """Every measure once for each scale on which a term reads it; constraints read any of these."""
        learnt = dict.fromkeys(_learnt(term) for term in self.terms)
        named = {output.name for output in learnt}
        learnt |= dict.fromkeys(Output(one.measure) for one in self.constraints if one.measure not in named)
        return tuple(learnt)

    @property
    def count(self) -> int:
        """The number of values that an optimiser is told for each design."""
        return len(self.terms) if self.separate else 1

    def failed(self) -> Outcome:
        """The outcome for an optimiser of a design that could not be measured."""
        return Outcome.failed(self.count)

    def violation(self, measures: Values) -> float:
        """The sum of the relative violations of all constraints; 0 if all hold.

        Raises:
            InputError: a measure is missing or not finite.
        """
        return math.fsum(constraint.violation(measures) for constraint in self.constraints)

    def feasible(self, measures: Values) -> bool:
        """Whether all constraints hold."""
        return self.violation(measures) == 0


def _learnt(term: Term) -> Output:
    return Output(term.measure, isinstance(term.scale, Logarithmic))


def _line(term: Term) -> tuple[float, float]:
    """Slope and shift of a term's score in the measure, or in its natural logarithm."""
    if isinstance(term.scale, Logarithmic):
        slope = 1.0 / math.log(term.scale.high / term.scale.low)
        shift = -math.log(term.scale.low) * slope
    else:
        slope, shift = 1.0 / term.scale.maximum, 0.0
    return (slope, shift) if term.direction is Direction.MAXIMISE else (-slope, 1.0 - shift)


def _limit(constraint: Constraint, outputs: Sequence[Output]) -> Limit:
    index = next(index for index, output in enumerate(outputs) if output.name == constraint.measure)
    low = -math.inf if constraint.minimum is None else constraint.minimum
    high = math.inf if constraint.maximum is None else constraint.maximum
    if outputs[index].logarithmic:  # a positive measure; a limit of 0 or less holds for all of them, or for none
        low, high = (math.log(limit) if limit > 0 else -math.inf for limit in (low, high))
    return Limit(index, low, high)


def weight_shares(given: Mapping[str, float], usual: Mapping[str, float], known: Collection[str]) -> dict[str, float]:
    """Term -> its share of all weights.

    Args:
        given: term -> the user's weight, which replaces the usual one.
        usual: term -> the weight that it has otherwise.
        known: the names of all terms.

    Raises:
        InputError: a term is unknown, a weight is negative or no number, or all weights are 0.
    """
    for term, weight in given.items():
        if term not in known:
            raise InputError(f"There is no weight for {term[:100]!r}; allowed: {', '.join(known)}.")
        if not (isinstance(weight, int | float) and math.isfinite(weight) and weight >= 0):
            raise InputError(f"The weight of {term} is {weight!r}; a number of at least 0 is needed.")
    weights = {**usual, **given}
    total = math.fsum(weights.values())
    if total == 0:
        raise InputError("All weights are 0; at least one must be positive.")
    return {term: weight / total for term, weight in weights.items()}


def check_measure(measure: str, known: Collection[str]) -> None:
    """Refuses an unknown measure.

    Raises:
        InputError: `measure` is not in `known`, which the message lists.
    """
    if measure not in known:
        raise InputError(f"There is no measure {measure!r}; allowed: {', '.join(sorted(known))}.")


def parse_constraint(text: str, kind: Literal["min", "max"], known: Collection[str] | None = None) -> Constraint:
    """Reads a constraint of the form `measure=value`, as on the command line.

    Args:
        text: the constraint, for example `area_mm2=200`.
        kind: whether the value is the smallest or the largest allowed.
        known: the names of all measures; None accepts any.

    Raises:
        InputError: the text has another form, the value is not a finite number, or the measure is unknown.
    """
    measure, sign, number = (part.strip() for part in text.partition("="))
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not (sign and measure and math.isfinite(limit)):
        raise InputError(f"--{kind} takes measure=number, such as area_mm2=200; found {text!r}.")
    if known is not None:
        check_measure(measure, known)
    return Constraint(measure, minimum=limit) if kind == "min" else Constraint(measure, maximum=limit)


def parse_limit(text: str, known: Collection[str]) -> Constraint:
    """Reads a constraint of the form `max:measure=value` or `min:measure=value`, as stored with studies.

    Raises:
        InputError: the text has another form, the value is not a finite number, or the measure is unknown.
    """
    kind, _, rest = text.partition(":")
    if kind == "min":
        return parse_constraint(rest, "min", known)
    if kind == "max":
        return parse_constraint(rest, "max", known)
    raise InputError(f"The constraint {text!r} is neither max:measure=value nor min:measure=value.")


def pareto_front(points: Sequence[Values], directions: Mapping[str, str]) -> list[int]:
    """The indices, ascending, of the points that no other point dominates; equal points are all kept.

    Args:
        points: the measures of each design.
        directions: measure -> `maximise` or `minimise`; other measures do not count.

    Raises:
        InputError: there is no direction, one is unknown, or a measure is missing or not finite.
    """
    matrix = _costs(points, directions)
    if not points:
        return []
    return [int(index) for index in np.flatnonzero(moocore.is_nondominated(matrix, keep_weakly=True))]


def hypervolume(points: Sequence[Values], directions: Mapping[str, str], reference: Values) -> float:
    """The volume between the front and a reference point, in the product of the measures' units.

    Args:
        points: the measures of each design; those no better than the reference in some measure add nothing.
        directions: measure -> `maximise` or `minimise`.
        reference: the worst value that counts, for each measure.

    Raises:
        InputError: as for `pareto_front`.
    """
    matrix = _costs(points, directions)
    corner = _costs([reference], directions)[0]
    return float(moocore.hypervolume(matrix, ref=corner)) if points else 0.0


def _costs(points: Sequence[Values], directions: Mapping[str, str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The points as an `n x m` array in which smaller is better."""
    if not directions:
        raise InputError("A Pareto front needs the direction of at least one measure, found none.")
    signs = {m: -1.0 if _direction(m, d) is Direction.MAXIMISE else 1.0 for m, d in directions.items()}
    rows = [[sign * _finite(measure, point) for measure, sign in signs.items()] for point in points]
    return np.array(rows, dtype=np.float64).reshape(len(points), len(signs))


def _direction(measure: str, direction: str) -> Direction:
    try:
        return Direction(direction)
    except ValueError:
        raise InputError(f"The direction of {measure} is {direction!r}; it must be maximise or minimise.") from None


def _finite(measure: str, measures: Values) -> float:
    value = measures.get(measure)
    if value is None:
        raise InputError(f"The measure {measure} is missing; found {', '.join(sorted(measures)) or 'none'}.")
    if not math.isfinite(value):
        raise InputError(f"The measure {measure} must be finite, found {value}.")
    return value
