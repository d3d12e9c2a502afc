"""The course of a study: what each trial brought, what was expected of it, and which kinds of proposals paid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.recipe import Recipe
from explorer.running.merits import performance_of
from graphdb.records import StudyRecord, TrialRecord

Numbers = NDArray[np.float64]
_NORMAL = NormalDist()
_FEWEST_RANKED = 3
"""The number of pairs from which a correlation of ranks says anything."""


@dataclass(frozen=True, slots=True)
class Step:
    """A trial and what it brought.

    Attributes:
        index: the position in the study.
        origin: how the design was chosen.
        performance: the performance under the objective, also of a design that breaks a constraint; None if it was not
            measured.
        feasible: whether the design meets the constraints.
        incumbent: the best performance of a design that meets the constraints, up to here; None before the first one.
        gain: by how much it is better than all before; 0 if it is not, and for the first that meets the constraints.
        measured: the value that a surrogate predicts: the performance, or the mean of the scores if a search is by
            several objectives; None if it was not measured.
        expected: what was predicted of it when the design was chosen, and the standard deviation of this prediction;
            None if no surrogate was asked.
        expected_gain: the improvement that was expected then, over the best design that was known; None if no
            surrogate was asked, none was known, or the search is by several objectives.
    """

    index: int
    origin: str
    performance: float | None
    feasible: bool
    incumbent: float | None
    gain: float
    measured: float | None = None
    expected: tuple[float, float] | None = None
    expected_gain: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of proposals brought.

    Attributes:
        origin: how the designs were chosen.
        proposals: their number.
        feasible: the number of those that were measured and meet the constraints.
        middle, best: the median and the best performance of these; None if there are none.
        improvements: the number of those that were better than all before.
        gain: the sum of their gains.
    """

    origin: str
    proposals: int
    feasible: int
    middle: float | None
    best: float | None
    improvements: int
    gain: float


class Foreseen(NamedTuple):
    """A design of which a value was predicted before it was measured."""

    trial: int
    origin: str
    mean: float
    deviation: float
    measured: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The agreement of predicted and measured values.

    Attributes:
        count: the number of measured designs with a prediction.
        within: the share of those that lie within one deviation of their predictions; 0.68 if errors are normal.
        spearman: the correlation of the ranks; None for fewer than three designs, or if one side does not vary.
    """

    count: int
    within: float
    spearman: float | None


def course_of(recipe: Recipe[Any], record: StudyRecord, trials: Iterable[TrialRecord]) -> list[Step]:
    """The steps of a study in the order of its trials.

    Args:
        recipe: the recipe of the study.
        record: the stored study.
        trials: its trials, in any order.
    """
    objective = recipe.objective(record.settings)
    steps: list[Step] = []
    incumbent: float | None = None
    for trial in sorted(trials, key=lambda trial: trial.index):
        measures, gain = trial.measurement.measures, 0.0
        performance = performance_of(objective, trial)
        feasible = performance is not None and objective.feasible(measures)
        if feasible and performance is not None and (incumbent is None or performance > incumbent):
            gain = 0.0 if incumbent is None else performance - incumbent
            incumbent = performance
        told = trial.index if trial.told is None else trial.told
        before = steps[min(told, len(steps)) - 1].incumbent if told and steps else None
        several = objective.count > 1
        step = Step(
            index=trial.index,
            origin=trial.origin,
            performance=performance,
            feasible=feasible,
            incumbent=incumbent,
            gain=gain,
            measured=_mean(objective.outcome(measures).values) if several and performance is not None else performance,
            expected=trial.expected,
            expected_gain=None if several else expected_gain(trial.expected, before),
        )
        steps.append(step)
    return steps


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def expected_gain(expected: tuple[float, float] | None, incumbent: float | None) -> float | None:
    """The expected improvement of a normally distributed performance over the best one.

    Args:
        expected: the mean and the standard deviation of the performance.
        incumbent: the best performance so far.

    Returns:
        E[max(performance - incumbent, 0)], or None if one of the two is unknown.
    """
    if expected is None or incumbent is None:
        return None
    mean, deviation = expected
    if deviation <= 0:
        return max(mean - incumbent, 0.0)
    distance = (mean - incumbent) / deviation
    return deviation * (distance * _NORMAL.cdf(distance) + _NORMAL.pdf(distance))


def kinds_of(steps: Iterable[Step]) -> list[Kind]:
    """What each kind of proposals brought, in the order of first appearance."""
    by_origin: dict[str, list[Step]] = {}
    for step in steps:
        by_origin.setdefault(step.origin, []).append(step)
    return [_kind(origin, own) for origin, own in by_origin.items()]


def _kind(origin: str, steps: Sequence[Step]) -> Kind:
    feasible = [step.performance for step in steps if step.feasible and step.performance is not None]
    gains = [step.gain for step in steps if step.gain > 0]
    middle, best = (median(feasible), max(feasible)) if feasible else (None, None)
    return Kind(origin, len(steps), len(feasible), middle, best, len(gains), math.fsum(gains))


def best_after(steps: Sequence[Step], counts: Iterable[int]) -> list[float | None]:
    """The incumbent after numbers of trials; None where the study has fewer, or none that meets the constraints."""
    return [steps[count - 1].incumbent if 0 < count <= len(steps) else None for count in counts]


def first_best(steps: Sequence[Step]) -> int | None:
    """The index of the first trial that is as good as the best; None if no trial meets the constraints."""
    best = steps[-1].incumbent if steps else None
    return None if best is None else next(step.index for step in steps if step.incumbent == best)


def foreseen(steps: Iterable[Step]) -> list[Foreseen]:
    """The designs that were measured and have a prediction."""
    return [
        Foreseen(step.index, step.origin, *step.expected, step.measured)
        for step in steps
        if step.measured is not None and step.expected is not None
    ]


def calibration_of(designs: Sequence[Foreseen]) -> Calibration | None:
    """The agreement of predicted and measured values; None if nothing was predicted."""
    if not designs:
        return None
    measured, mean, deviation = np.array([(one.measured, one.mean, one.deviation) for one in designs]).T
    within = float((np.abs(measured - mean) <= deviation).mean())
    return Calibration(len(designs), within, spearman(mean, measured))


def spearman(one: Numbers, other: Numbers) -> float | None:
    """The correlation of the ranks of two series; None for fewer than three pairs, or if a series does not vary.

    Args:
        one: a number for each of n things, shape `(n,)`.
        other: another one for each of them, shape `(n,)`.
    """
    if len(one) < _FEWEST_RANKED:
        return None
    ranks = np.stack([ranks_of(one), ranks_of(other)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(ranks, axis=1)
    return float(ranks[0] @ ranks[1] / lengths.prod()) if lengths.all() else None


def ranks_of(series: Numbers) -> Numbers:
    """The rank of each number; equal numbers share the mean of their ranks."""
    _, place, count = np.unique(series, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Numbers = (last - (count - 1) / 2.0)[place]
    return ranks
