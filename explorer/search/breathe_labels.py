"""What BREATHE learns: outputs, violations and failures as targets from 0 to 1, and how losses follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.contracts.goal import Goal, Limit
from explorer.contracts.optimiser import Observation, Vector

REFERENCE = 1.1
"""The reference point of hypervolumes, under every objective, of losses that are scaled to 0 to 1."""
_LOW, _SPAN = 0.1, 0.8  # targets lie within 0.1 to 0.9, where a sigmoid can follow them


@dataclass(frozen=True)
class Boundary:
    """A limit of one target: feasible designs have `sign` * (target - `place`) of at least 0."""

    target: int
    place: float
    sign: int


@dataclass(frozen=True)
class Labels:
    """The targets of n observations, and how the losses of m objectives are made of h of them.

    Attributes:
        targets: `(n, h)`; NaN where a target was not measured.
        slopes, offsets: loss of an objective = `slopes` target + `offsets`, `(m, h)` and `(m,)`. The best and the worst
            feasible design have the losses 0 and 1 under each objective.
        boundaries: the limits of feasible designs; a failure is one more target with a limit.
        losses: the losses of the observations, `(n, m)`; NaN where one was not measured.
        feasible: whether each observation is measured and keeps every constraint, `(n,)`.
    """

    targets: Vector
    slopes: Vector
    offsets: Vector
    boundaries: tuple[Boundary, ...]
    losses: Vector
    feasible: NDArray[np.bool_]

    @property
    def front(self) -> Vector:
        """The losses of the feasible designs that no other dominates, `(f, m)`."""
        points = self.losses[self.feasible]
        return points[moocore.is_nondominated(points)] if len(points) else points

    def scalar(self, weights: Vector, penalty: float = 1.0) -> Vector:
        """The weighted loss of each observation, `(n,)`, with infeasible ones behind all others and failures last."""
        loss = self.losses @ weights
        known = ~np.isnan(loss)
        worst = loss[known].max() if known.any() else 1.0
        infeasible = worst + penalty * self._overshoot()
        return np.where(self.feasible, loss, np.where(known, infeasible, np.inf))

    def _overshoot(self) -> Vector:
        """The sum of what each observation lacks to keep the boundaries, `(n,)`."""
        lacking = np.zeros(len(self.targets))
        for boundary in self.boundaries:
            short = -boundary.sign * (self.targets[:, boundary.target] - boundary.place)
            lacking += np.nan_to_num(np.maximum(short, 0.0))
        return lacking


def labels_of(observations: Sequence[Observation[Any]], goal: Goal | None) -> Labels:
    """The labels of some observations, of which at least one is needed.

    Args:
        observations: all observations so far.
        goal: how values follow from outputs; without one, or if an outcome lacks the outputs, the values and violations
            themselves are learnt.
    """
    outcomes = [observation.outcome for observation in observations]
    values = np.array([outcome.values for outcome in outcomes])
    measured = ~np.isnan(values).any(axis=1)
    clean = np.array([outcome.violation == 0 for outcome in outcomes])
    if goal is None or not all(len(one.outputs) == len(goal.outputs) for one in outcomes if one.measured):
        goal = Goal.plain(values.shape[1], max(len(outcome.violations) for outcome in outcomes))
        learnt = np.hstack([values, _signed(observations, len(goal.outputs) - values.shape[1])])
    else:
        blank = (np.nan,) * len(goal.outputs)
        learnt = goal.learnt(np.array([one.outputs if one.outputs else blank for one in outcomes], dtype=np.float64))
    low, width = _range(learnt)
    targets = np.where(width > 0, _LOW + _SPAN * (learnt - low) / np.where(width > 0, width, 1.0), learnt - low + 0.5)
    scale, shift = width / _SPAN, low - width * _LOW / _SPAN  # learnt = scale * target + shift
    scale, shift = np.where(width > 0, scale, 1.0), np.where(width > 0, shift, low - 0.5)
    boundaries = [one for limit in goal.limits for one in _boundaries(limit, scale, shift)]
    slopes, offsets = -goal.weights * scale, -(goal.weights @ shift + goal.offsets)
    raw = np.where(measured[:, None], -values, np.nan)
    feasible = measured & clean
    low, width = _range(raw[feasible] if feasible.any() else raw)
    width = np.where(width > 0, width, 1.0)
    slopes, offsets = slopes / width[:, None], (offsets - low) / width
    if not measured.all():
        targets = np.hstack([targets, np.where(measured, _LOW, _LOW + _SPAN)[:, None]])
        slopes = np.hstack([slopes, np.zeros((len(slopes), 1))])
        boundaries.append(Boundary(targets.shape[1] - 1, 0.5, -1))
    return Labels(targets, slopes, offsets, tuple(boundaries), (raw - low) / width, feasible)


def _signed(observations: Sequence[Observation[Any]], count: int) -> Vector:
    """The violation of each constraint, `(n, count)`, at most 1; what keeps it has minus the median violation.

    Violations of 0 alone would put the boundary at the edge of what is learnt, where half of all that is feasible looks
    infeasible.
    """
    rows = [one.outcome.violations if one.outcome.measured else () for one in observations]
    every = np.array([row if len(row) == count else (np.nan,) * count for row in rows], dtype=np.float64)
    told: Vector = np.minimum(every.reshape(len(rows), count), 1.0)
    for column in told.T:
        broken = column > 0
        column[column == 0] = -np.median(column[broken]) if broken.any() else -1.0
    return told


def _range(columns: Vector) -> tuple[Vector, Vector]:
    """The smallest value of each column, and the width up to the largest; 0 where nothing is known."""
    known = ~np.isnan(columns)
    low = np.where(known.any(axis=0), np.where(known, columns, np.inf).min(axis=0, initial=np.inf), 0.0)
    high = np.where(known.any(axis=0), np.where(known, columns, -np.inf).max(axis=0, initial=-np.inf), 0.0)
    return low, high - low


def _boundaries(limit: Limit, scale: Vector, shift: Vector) -> list[Boundary]:
    place = [(end - shift[limit.output]) / scale[limit.output] for end in (limit.low, limit.high)]
    return [Boundary(limit.output, at, sign) for at, sign in zip(place, (1, -1), strict=True) if np.isfinite(at)]
