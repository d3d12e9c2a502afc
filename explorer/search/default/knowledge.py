"""What is learnt from observations before they are conditioned on: relevances, warps, and how errors go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import yeojohnson, yeojohnson_normmax

from explorer.contracts.goal import Array, Goal
from explorer.search.default.encoding import Encoding
from explorer.search.default.gaussian_process import GaussianProcess, Hyperparameters, learn

MOST_LEARNT = 150
"""Largest number of observations from which hyperparameters are learnt."""
MOST_COUNTED = 500
"""Largest number of observations that count in predictions: the cost grows with its square."""
_LIKENESS_PRIOR = 5  # observations that speak for independent errors


class Data(NamedTuple):
    """n designs and what is known of them.

    `points` are coordinates `(n, p)`; `outputs` are measured ones on the scale on which they are learnt, `(n, k)`, NaN
    where nothing was measured; `known` are those that need no measurement, `(n, k)`, NaN elsewhere; `merits`, `(n,)`,
    are larger for better designs.
    """

    points: Array
    outputs: Array
    known: Array
    merits: Array

    def at(self, rows: NDArray[np.intp]) -> Data:
        """The designs in these rows."""
        return Data(*(column[rows] for column in self))

    def thinned(self, most: int) -> Data:
        """At most `most` of the designs, in order: a third are the best, the others are spread evenly over the rest."""
        if len(self.points) <= most:
            return self
        order = np.argsort(-self.merits, kind="stable")
        best, rest = order[: most // 3], np.sort(order[most // 3 :])
        others = rest[np.linspace(0, len(rest) - 1, most - len(best)).astype(np.intp)]
        return self.at(np.sort(np.concatenate([best, others])))

    def rows(self, output: int) -> NDArray[np.intp]:
        """The designs from which an output is learnt: it was measured, and is not known anyway."""
        return np.flatnonzero(~np.isnan(self.outputs[:, output]) & np.isnan(self.known[:, output]))

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which designs could be measured, shape `(n,)`."""
        missing: NDArray[np.bool_] = np.isnan(self.outputs)
        return np.asarray(~missing.all(axis=1))


@dataclass(frozen=True)
class Warp:
    """An increasing function that makes values more nearly normal: the transformation of Yeo and Johnson."""

    centre: float
    spread: float
    power: float

    @classmethod
    def fitted(cls, values: Array) -> Warp | None:
        """The warp of largest likelihood; None for too few values, or equal ones."""
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        # The quartiles, unlike the deviation, follow the search to where it spends most of its trials
        spread = float(high - low) or float(values.std())
        if len(values) < 5 or spread <= 1e-12 * abs(middle):
            return None
        power = float(yeojohnson_normmax((values - middle) / spread))
        return cls(float(middle), spread, float(np.clip(power, -1.0, 3.0)))

    def forward(self, values: Array) -> Array:
        """Values on the warped scale."""
        result: Array = yeojohnson((values - self.centre) / self.spread, self.power)
        return result

    def log_slope(self, values: Array) -> Array:
        """The logarithm of the slope at each value."""
        shifted = (values - self.centre) / self.spread
        power = np.where(shifted >= 0, self.power - 1.0, 1.0 - self.power)
        result: Array = power * np.log1p(np.abs(shifted)) - np.log(self.spread)
        return result

    def inverse(self, warped: Array) -> Array:
        """Values in their own unit; what lies beyond every value's image becomes the nearest image."""
        above, below = self.power, 2.0 - self.power
        up, down = np.maximum(warped, 0.0), np.maximum(-warped, 0.0)
        rise = np.expm1(up) if above == 0 else np.power(np.maximum(above * up + 1.0, 1e-9), 1.0 / above) - 1.0
        fall = np.expm1(down) if below == 0 else np.power(np.maximum(below * down + 1.0, 1e-9), 1.0 / below) - 1.0
        result: Array = np.where(warped >= 0, rise, -fall) * self.spread + self.centre
        return result


@dataclass(frozen=True)
class Learnt:
    """What is learnt of one quantity: everything but its observations."""

    hyperparameters: Hyperparameters
    warp: Warp | None = None

    def scaled(self, values: Array) -> Array:
        """Values on the scale of the Gaussian process."""
        return values if self.warp is None else self.warp.forward(values)

    def process(self, encoding: Encoding, points: Array, values: Array) -> GaussianProcess:
        """The Gaussian process given n observations, `(n, p)` and `(n,)`."""
        return GaussianProcess.conditioned(
            self.hyperparameters,
            torch.from_numpy(np.ascontiguousarray(points)),
            encoding.group_of,
            torch.from_numpy(np.ascontiguousarray(self.scaled(values), dtype=np.float64)),
        )


@dataclass(frozen=True)
class Knowledge:
    """What is learnt from the first observations of a search, and used until there are some more.

    Attributes:
        outputs: what is learnt of each output; None if nothing of it needs learning.
        success: what is learnt of whether a design can be measured; None if every one could.
        likeness: the correlations of the errors of the outputs, `(k, k)`.
    """

    outputs: tuple[Learnt | None, ...]
    success: Learnt | None
    likeness: Array


def gained(goal: Goal, encoding: Encoding, data: Data) -> Knowledge:
    """What is learnt from observations.

    Args:
        goal: the goal with its k outputs.
        encoding: how coordinates are grouped.
        data: the observations.
    """
    data = data.thinned(MOST_LEARNT)
    learnt: list[Learnt | None] = []
    errors = np.full(data.outputs.shape, np.nan)
    for output in range(len(goal.outputs)):
        rows = data.rows(output)
        if not len(rows):
            learnt.append(None)
            continue
        points, values = data.points[rows], data.outputs[rows, output]
        one = _learnt(encoding, points, values, _is_free(goal))
        learnt.append(one)
        mean, variance = one.process(encoding, points, values).left_out
        errors[rows, output] = (one.scaled(values) - mean) / np.sqrt(variance)
    success = None
    if data.measured.any() and not data.measured.all():
        success = Learnt(learn(data.points, encoding.group_of, data.measured.astype(np.float64)))
    return Knowledge(tuple(learnt), success, _correlation(errors))


def _learnt(encoding: Encoding, points: Array, values: Array, free: bool) -> Learnt:
    """The kernel and, for a value that may be warped, the warp of largest evidence.

    Smooth kernels are tried only for continuous entries: between the values of a discrete one there is nothing.
    """
    best = Learnt(learn(points, encoding.group_of, values))
    evidence = best.hyperparameters.evidence
    warp = Warp.fitted(values) if free else None
    smooths = (False, True) if encoding.continuous.any() else (False,)
    rivals = [(way, smooth) for way in dict.fromkeys((None, warp)) for smooth in smooths][1:]
    for way, smooth in rivals:
        scaled = values if way is None else way.forward(values)
        fit = learn(points, encoding.group_of, scaled, best.hyperparameters, smooth)
        reached = fit.evidence + (0.0 if way is None else float(way.log_slope(values).sum()))
        if reached > evidence:
            best, evidence = Learnt(fit, way), reached
    return best


def _is_free(goal: Goal) -> bool:
    """Whether the goal is one value, told as it is: any increasing function of it then has the same best design."""
    return len(goal.outputs) == 1 and not goal.limits and goal.weights.item() > 0


def _correlation(errors: Array) -> Array:
    """The correlations of the columns, drawn towards 0."""
    count = errors.shape[1]
    result = np.eye(count)
    for one in range(count):
        for other in range(one):
            both = ~np.isnan(errors[:, one]) & ~np.isnan(errors[:, other])
            first, second = errors[both, one], errors[both, other]
            spread = float(np.sqrt(np.square(first).sum() * np.square(second).sum()))
            if spread > 0:
                weight = both.sum() / (both.sum() + _LIKENESS_PRIOR)
                result[one, other] = result[other, one] = weight * float(first @ second) / spread
    # Estimates from different pairs need not agree; enough of the identity makes them a covariance
    lacking = max(1e-3 - float(np.linalg.eigvalsh(result)[0]), 0.0)
    adjusted: Array = (result + lacking * np.eye(count)) / (1.0 + lacking)
    return adjusted


def relevance(encoding: Encoding, knowledge: Knowledge, weights: Sequence[float]) -> list[tuple[str, float]]:
    """Group of entries -> its share in what moves the values, largest first.

    A group counts by the inverse of its squared length, and an output by its weight.

    Args:
        encoding: names the groups.
        knowledge: what was learnt.
        weights: how much each output counts.
    """
    total = np.zeros(len(encoding.groups))
    for learnt, weight in zip(knowledge.outputs, weights, strict=True):
        if learnt is not None:
            inverse = np.power(learnt.hyperparameters.lengths, -2.0)
            total += abs(weight) * inverse / inverse.sum()
    shares = total / total.sum() if total.sum() > 0 else total
    order = np.argsort(-shares, kind="stable")
    return [(encoding.groups[place], float(shares[place])) for place in order]
