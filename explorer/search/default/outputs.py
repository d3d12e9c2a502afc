"""A model of every output of a goal, of the failures, and what follows for the values of designs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import yeojohnson, yeojohnson_normmax
from torch import Tensor

from explorer.contracts.goal import Array, Goal
from explorer.search.default.encoding import Encoding
from explorer.search.default.gaussian_process import MOST_FITTED, GaussianProcess, Hyperparameters, learn


class Data(NamedTuple):
    """n designs and what is known of them.

    `points` are coordinates `(n, p)`; `outputs` are measured ones on the scale on which they are learnt, `(n, k)`, NaN
    where nothing was measured; `known` are those that need no measurement, `(n, k)`, NaN elsewhere.
    """

    points: Array
    outputs: Array
    known: Array


class Prediction(NamedTuple):
    """Mean and standard deviation of each output at n designs, `(n, k)`, on the scale on which it is learnt."""

    mean: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class Warp:
    """An increasing function that makes values more nearly normal: the transformation of Yeo and Johnson."""

    centre: float
    spread: float
    power: float

    def forward(self, values: Array) -> Array:
        """Values on the warped scale."""
        result: Array = yeojohnson((values - self.centre) / self.spread, self.power)
        return result

    def inverse(self, warped: Array) -> Array:
        """Values in their own unit; those that no value is mapped to become the nearest that is."""
        p = self.power
        with np.errstate(invalid="ignore"):
            above = np.expm1(warped) if p == 0 else np.power(np.maximum(p * warped + 1.0, 1e-9), 1.0 / p) - 1.0
            q = 2.0 - p
            below = -np.expm1(-warped) if q == 0 else 1.0 - np.power(np.maximum(1.0 - q * warped, 1e-9), 1.0 / q)
        result: Array = np.where(warped >= 0, above, below) * self.spread + self.centre
        return result


@dataclass(frozen=True)
class Learnt:
    """What is learnt of one output, or of failure: everything but the observations."""

    hyperparameters: Hyperparameters
    warp: Warp | None = None


@dataclass(frozen=True)
class Knowledge:
    """What is learnt from the first observations of a search, and used until there are some more."""

    outputs: tuple[Learnt | None, ...]
    success: Learnt | None
    likeness: Array
    """How the errors of the outputs go together: a correlation matrix, `(k, k)`."""


def study(goal: Goal, encoding: Encoding, data: Data) -> Knowledge:
    """Learns hyperparameters, warps and correlations of errors from observations."""
    learnt: list[Learnt | None] = []
    errors = np.full(data.outputs.shape, np.nan)
    for column in range(len(goal.outputs)):
        rows = np.flatnonzero(~np.isnan(data.outputs[:, column]) & np.isnan(data.known[:, column]))
        if len(rows) < 2:
            learnt.append(None if not len(rows) else Learnt(_prior(encoding)))
            continue
        values = data.outputs[rows, column]
        warp = _warp(values) if _is_free(goal) else None
        chosen = rows if len(rows) <= MOST_FITTED else rows[_spread(values)]
        one = Learnt(learn(data.points[chosen], encoding.group_of, _warped(data.outputs[chosen, column], warp)), warp)
        learnt.append(one)
        process = _conditioned(one, encoding, data.points[chosen], data.outputs[chosen, column])
        errors[chosen, column] = process.left_out
    measured = ~np.isnan(data.outputs).all(axis=1)
    success = None
    if not measured.all() and measured.any():
        success = Learnt(learn(data.points[-MOST_FITTED:], encoding.group_of, measured[-MOST_FITTED:].astype(float)))
    return Knowledge(tuple(learnt), success, _correlation(errors))


class OutputModel:
    """Predicts outputs, values and feasibility of designs from observations, and from what is known without them."""

    def __init__(self, goal: Goal, encoding: Encoding, knowledge: Knowledge, data: Data) -> None:
        """
        Args:
            goal: the goal whose k outputs are modelled.
            encoding: how coordinates are grouped.
            knowledge: what `study` returned, of these observations or of the first of them.
            data: all observations.
        """
        self.goal, self._knowledge = goal, knowledge
        self._weights = torch.from_numpy(goal.weights)
        self._offsets = torch.from_numpy(goal.offsets)
        self._likeness = torch.from_numpy(knowledge.likeness)
        self._processes: list[GaussianProcess | None] = []
        for column, learnt in enumerate(knowledge.outputs):
            rows = ~np.isnan(data.outputs[:, column]) & np.isnan(data.known[:, column])
            process = None
            if learnt is not None:
                process = _conditioned(learnt, encoding, data.points[rows], data.outputs[rows, column])
            self._processes.append(process)
        self._success = None
        if knowledge.success is not None:
            happened = (~np.isnan(data.outputs).all(axis=1)).astype(float)
            self._success = _conditioned(knowledge.success, encoding, data.points, happened)

    def predict(self, points: Tensor, known: Tensor) -> Prediction:
        """Mean and deviation of each output at n designs, `(n, k)`; a known one has the deviation 0.

        Args:
            points: coordinates, `(n, p)`.
            known: outputs that need no measurement, `(n, k)`, NaN elsewhere.
        """
        means, deviations = [], []
        given = ~torch.isnan(known)
        for column, process in enumerate(self._processes):
            if process is None or bool(given[:, column].all()):
                mean, deviation = known[:, column].nan_to_num(), torch.zeros(len(points), dtype=torch.float64)
            else:
                mean, variance = process.predict(points)
                deviation = variance.sqrt()
                if bool(given[:, column].any()):
                    mean = torch.where(given[:, column], known[:, column], mean)
                    deviation = torch.where(given[:, column], 0.0, deviation)
            means.append(mean)
            deviations.append(deviation)
        return Prediction(torch.stack(means, dim=1), torch.stack(deviations, dim=1))

    def values(self, prediction: Prediction) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the m values of n designs, `(n, m)`."""
        mean = prediction.mean @ self._weights.T + self._offsets
        parts = self._weights[None, :, :] * prediction.deviation[:, None, :]
        variance = torch.einsum("nmk,kl,nml->nm", parts, self._likeness, parts)
        return mean, variance.clamp_min(1e-18).sqrt()

    def samples(self, prediction: Prediction, noise: Tensor) -> Tensor:
        """Draws of the values of n designs, `(s, n, m)`, from standard normal `noise` of shape `(s, k)`.

        The same noise serves all designs, so that they can be compared.
        """
        joint = noise @ torch.linalg.cholesky(self._likeness).T
        outputs = prediction.mean + prediction.deviation * joint[:, None, :]
        drawn: Tensor = outputs @ self._weights.T + self._offsets
        return drawn

    def log_success(self, points: Tensor) -> Tensor | None:
        """The logarithm of the probability that a design can be measured, `(n,)`; None if none has failed yet."""
        if self._success is None:
            return None
        mean, variance = self._success.predict(points)
        return torch.special.log_ndtr((mean - 0.5) / (variance + 0.01).sqrt())

    def expected(self, mean: float, deviation: float) -> tuple[float, float]:
        """Mean and deviation of the first value in its own unit, if it was learnt under a warp."""
        learnt = self._knowledge.outputs[0]
        if learnt is None or learnt.warp is None:
            return mean, deviation
        low, middle, high = learnt.warp.inverse(np.array([mean - deviation, mean, mean + deviation]))
        return float(middle), float(high - low) / 2

    def believing(self, points: Tensor, known: Tensor) -> OutputModel:
        """The model as if these designs had been measured and were just as predicted (the kriging believer)."""
        other = object.__new__(OutputModel)
        other.__dict__ |= self.__dict__
        other._processes = [
            None if process is None else process.extended(points, process.predict(points)[0])
            for process in self._processes
        ]
        return other


def _is_free(goal: Goal) -> bool:
    """Whether the goal is one value that is told as it is, so that any increasing function of it has the same optimum."""
    return len(goal.outputs) == 1 and not goal.limits and goal.weights.item() > 0


def _warp(values: Array) -> Warp | None:
    """The warp that makes values most nearly normal; None for too few."""
    centre, spread = float(np.median(values)), float(values.std())
    if len(values) < 5 or spread <= 1e-12 * abs(centre):
        return None
    power = yeojohnson_normmax((values - centre) / spread)
    return Warp(centre, spread, float(np.clip(power, -1.0, 3.0)))


def _warped(values: Array, warp: Warp | None) -> Array:
    return values if warp is None else warp.forward(values)


def _conditioned(learnt: Learnt, encoding: Encoding, points: Array, values: Array) -> GaussianProcess:
    warped = torch.from_numpy(np.ascontiguousarray(_warped(values, learnt.warp)))
    return GaussianProcess.conditioned(
        learnt.hyperparameters, torch.from_numpy(np.ascontiguousarray(points)), encoding.group_of, warped
    )


def _prior(encoding: Encoding) -> Hyperparameters:
    return Hyperparameters(np.full(len(encoding.groups), 1.0), 1e-4)


def _spread(values: Array) -> Array:
    """The places of as many values as a fit takes: a third are the largest, the others are spread over the rest."""
    order = np.argsort(-values, kind="stable")
    best = order[: MOST_FITTED // 3]
    rest = np.sort(order[MOST_FITTED // 3 :])
    others = rest[np.linspace(0, len(rest) - 1, MOST_FITTED - len(best)).astype(int)]
    result: Array = np.sort(np.concatenate([best, others]))
    return result


def _correlation(errors: Array) -> Array:
    """The correlation of the columns, drawn towards none by the weight of five observations."""
    count = errors.shape[1]
    result = np.eye(count)
    for one in range(count):
        for other in range(one):
            both = ~np.isnan(errors[:, one]) & ~np.isnan(errors[:, other])
            first, second = errors[both, one], errors[both, other]
            spread = np.sqrt(np.square(first).sum() * np.square(second).sum())
            if both.sum() >= 5 and spread > 0:
                result[one, other] = result[other, one] = (first @ second) / spread * both.sum() / (both.sum() + 5)
    # Pairwise estimates need not agree; enough of the identity makes them a covariance
    smallest = np.linalg.eigvalsh(result)[0]
    if smallest < 1e-3:
        result = (result + (1e-3 - smallest) * np.eye(count)) / (1 + 1e-3 - smallest)
    return result
