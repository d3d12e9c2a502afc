"""The closest trial of a study that nothing satisfies: the constraints it misses, and what has been seen so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.contracts.objective import Constraint, Objective
from explorer.contracts.recipe import Recipe
from explorer.contracts.table import number
from graphdb.records import StudyRecord, TrialRecord, TrialState

Interval = tuple[float, float]


@dataclass(frozen=True)
class Miss:
    """A constraint that a trial does not meet.

    Attributes:
        constraint: the constraint.
        value: the value of its measure.
        by: how far the value is beyond the limit, in the unit of the measure.
        share: the same as a share of the limit (of 1 if the limit is 0).
    """

    constraint: Constraint
    value: float
    by: float
    share: float

    @property
    def sentence(self) -> str:
        """The miss in words."""
        limit = self.constraint.minimum if self.is_below else self.constraint.maximum
        share = f"{100 * self.share:.3g} %" if self.share < 10 else f"{number(self.share)} times the limit"
        relative = f" ({share})" if limit else ""
        side = "below its minimum" if self.is_below else "above its maximum"
        missed = f"{side} of {number(limit)} by {number(self.by)}{relative}"
        return f"{self.constraint.measure} is {number(self.value)}, {missed}"

    @property
    def is_below(self) -> bool:
        """Whether the value is below the minimum rather than above the maximum."""
        return self.constraint.minimum is not None and self.value < self.constraint.minimum


@dataclass(frozen=True)
class Range:
    """The values of a constrained measure so far.

    Attributes:
        measure: the name of the measure.
        seen: the least and the greatest value of all trials.
        feasible: the least and the greatest value of the trials that meet the constraints on all other measures; None
            if there are none.
    """

    measure: str
    seen: Interval
    feasible: Interval | None

    @property
    def sentence(self) -> str:
        """The range in words."""
        whole = f"{self.measure} from {_span(self.seen)}"
        if self.feasible is None:
            return f"{whole}, never with the other constraints met"
        return (
            whole if self.feasible == self.seen else f"{whole}, with the other constraints met {_span(self.feasible)}"
        )


@dataclass(frozen=True)
class Closest:
    """The trial with the smallest violation, if no trial meets all constraints.

    Attributes:
        trial: the trial.
        violation: the sum of its relative violations.
        misses: the constraints that it does not meet, the largest miss first.
        ranges: the values of each constrained measure so far.
    """

    trial: TrialRecord
    violation: float
    misses: Sequence[Miss]
    ranges: Sequence[Range]

    @property
    def sentence(self) -> str:
        """What it misses, and what has been seen so far."""
        misses = "; ".join(miss.sentence for miss in self.misses)
        ranges = "; ".join(one.sentence for one in self.ranges)
        return f"The closest is trial {self.trial.index}: {misses}. Seen so far: {ranges}."

    @property
    def json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "trial": self.trial.index,
            "violation": self.violation,
            "misses": [
                {
                    "measure": miss.constraint.measure,
                    "value": miss.value,
                    "minimum": miss.constraint.minimum,
                    "maximum": miss.constraint.maximum,
                    "by": miss.by,
                    "share": miss.share,
                }
                for miss in self.misses
            ],
            "ranges": {
                one.measure: {"seen": list(one.seen), "feasible": None if one.feasible is None else list(one.feasible)}
                for one in self.ranges
            },
        }


def closest_of(recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord]) -> Closest | None:
    """The closest trial of a study; None if a trial meets all constraints, or none was measured.

    Args:
        recipe: the recipe of the study.
        record: the stored study.
        trials: the trials of the study.
    """
    objective = recipe.objective(record.settings)
    measured = [
        trial
        for trial in trials
        if trial.state is TrialState.DONE and objective.measures <= trial.measurement.measures.keys()
    ]
    if not measured or any(objective.feasible(trial.measurement.measures) for trial in measured):
        return None
    nearest = min(measured, key=lambda trial: (objective.violation(trial.measurement.measures), trial.index))
    values = nearest.measurement.measures
    misses = [_miss(constraint, values) for constraint in objective.constraints if constraint.violation(values) > 0]
    return Closest(
        nearest,
        objective.violation(values),
        sorted(misses, key=lambda miss: -miss.share),
        _ranges(objective, [trial.measurement.measures for trial in measured]),
    )


def unmet(record: StudyRecord, closest: Closest | None, trials: Sequence[TrialRecord]) -> str:
    """The sentences for a study without a trial that meets its constraints.

    Args:
        record: the stored study.
        closest: its closest trial.
        trials: the trials of the study.
    """
    if closest is not None:
        return (
            f"No trial of {record.name} meets its constraints. {closest.sentence} Relax the constraints, or raise the "
            "budget."
        )
    reasons = Counter(trial.message for trial in trials if trial.state is TrialState.FAILED)
    if not reasons:
        return f"No trial of {record.name} has been measured yet."
    reason, times = reasons.most_common(1)[0]
    return f"No trial of {record.name} could be measured; {times} of {len(trials)} say: {reason}"


def _miss(constraint: Constraint, values: Mapping[str, float]) -> Miss:
    value = values[constraint.measure]
    minimum, maximum = constraint.minimum, constraint.maximum
    beyond = [*([minimum - value] if minimum is not None else []), *([value - maximum] if maximum is not None else [])]
    return Miss(constraint, value, max(beyond), constraint.violation(values))


def _ranges(objective: Objective, measured: Sequence[Mapping[str, float]]) -> list[Range]:
    ranges = []
    for measure in dict.fromkeys(constraint.measure for constraint in objective.constraints):
        others = [constraint for constraint in objective.constraints if constraint.measure != measure]
        feasible = [values[measure] for values in measured if not any(one.violation(values) for one in others)]
        seen = [values[measure] for values in measured]
        ranges.append(Range(measure, (min(seen), max(seen)), (min(feasible), max(feasible)) if feasible else None))
    return ranges


def _span(interval: Interval) -> str:
    return f"{number(interval[0])} to {number(interval[1])}"
