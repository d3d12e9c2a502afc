"""Exact Gaussian processes with a Matérn-5/2 kernel and one relevance for each group of coordinates.

Written on NumPy and torch in place of a library: at the few hundred observations of a search a fit takes hundredths of a second,
and the likelihood's gradient needs only one product for all relevances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize
from torch import Tensor

from explorer.contracts.optimiser import Vector

_ROOT5 = math.sqrt(5.0)
_LENGTH_SPREAD = math.sqrt(3.0)
_NOISE_CENTRE, _NOISE_SPREAD = math.log(1e-4), 2.5
_BOUNDS_LENGTH = (math.log(0.03), math.log(300.0))
_BOUNDS_NOISE = (math.log(1e-7), math.log(2.0))
MOST_FITTED = 300
"""Largest number of observations from which relevances are learnt; all of them count in predictions."""


@dataclass(frozen=True)
class Hyperparameters:
    """What a fit learns.

    Attributes:
        lengths: the length scale of each group, shape `(g,)`; a group with a large one hardly counts.
        noise: the variance of the noise, as a share of the variance of the function.
    """

    lengths: Vector
    noise: float


def learn(points: Vector, groups: NDArray[np.intp], values: Vector) -> Hyperparameters:
    """The hyperparameters of largest posterior density, found from two starts.

    Lengths have the log-normal prior of Hvarfner, Hellsten and Nardi 2024 ("Vanilla Bayesian Optimization Performs
    Great in High Dimensions"), which grows with the square root of their number. Mean and variance of the function are
    eliminated, as each has its best value in closed form.

    Args:
        points: the coordinates of n observations, shape `(n, p)`.
        groups: the group of each coordinate, shape `(p,)`; every number from 0 to the largest is used.
        values: the observed values, shape `(n,)`.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    differences = _squared_differences(points, groups, count)
    varied = differences.reshape(count, -1).any(axis=1) if count else np.zeros(0, dtype=np.bool_)
    active = np.flatnonzero(varied)
    centre = math.sqrt(2.0) + 0.5 * math.log(max(len(active), 1))
    lengths = np.full(count, math.exp(centre))
    if len(values) < 2 or np.ptp(values) == 0 or not len(active):
        return Hyperparameters(lengths, math.exp(_NOISE_CENTRE))
    flat = differences[active].reshape(len(active), -1)
    scaled = (values - values.mean()) / values.std()

    def loss(parameters: Vector) -> tuple[float, Vector]:
        return _negative_log_posterior(parameters, flat, scaled, centre)

    bounds = [_BOUNDS_LENGTH] * len(active) + [_BOUNDS_NOISE]
    best: tuple[float, Vector] | None = None
    for start in (centre, centre - 1.5):
        begin = np.append(np.full(len(active), start), _NOISE_CENTRE)
        result = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
        if best is None or result.fun < best[0]:
            best = float(result.fun), result.x
    assert best is not None
    lengths[active] = np.exp(best[1][:-1])
    return Hyperparameters(lengths, math.exp(best[1][-1]))


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process conditioned on observations, whose predictions can be differentiated twice."""

    hyperparameters: Hyperparameters
    _scales: Tensor  # the length of each coordinate, shape (p,)
    _points: Tensor  # divided by the scales, shape (n, p)
    _factor: Tensor  # lower Cholesky factor of the covariance, as a share of the function's variance
    _values: Tensor
    _weights: Tensor
    _mean: float
    _variance: float

    @classmethod
    def conditioned(
        cls, hyperparameters: Hyperparameters, points: Tensor, groups: NDArray[np.intp], values: Tensor
    ) -> GaussianProcess:
        """The process given n observations.

        Args:
            hyperparameters: what `learn` returned.
            points: the coordinates of n observations, shape `(n, p)`.
            groups: the group of each coordinate, shape `(p,)`.
            values: the observed values, shape `(n,)`.
        """
        scales = torch.from_numpy(hyperparameters.lengths[groups])
        scaled = points / scales
        factor = _factor(_matern(_squared(scaled, scaled)), hyperparameters.noise)
        return cls._of(hyperparameters, scales, scaled, factor, values, None)

    @classmethod
    def _of(
        cls,
        hyperparameters: Hyperparameters,
        scales: Tensor,
        points: Tensor,
        factor: Tensor,
        values: Tensor,
        variance: float | None,
    ) -> GaussianProcess:
        sides = torch.stack([torch.ones_like(values), values], dim=1)
        solved = torch.cholesky_solve(sides, factor)
        mean = float(solved[:, 1].sum() / solved[:, 0].sum())
        weights = solved[:, 1] - mean * solved[:, 0]
        spread = float((values - mean) @ weights) / len(values) if variance is None else variance
        return cls(hyperparameters, scales, points, factor, values, weights, mean, max(spread, 1e-18))

    def predict(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the function, without noise, at m points of shape `(m, p)`."""
        covariance = _matern(_squared(points / self._scales, self._points))
        mean = self._mean + covariance @ self._weights
        reduced = torch.linalg.solve_triangular(self._factor, covariance.T, upper=False)
        return mean, self._variance * (1.0 - reduced.square().sum(dim=0)).clamp_min(1e-12)

    def extended(self, points: Tensor, values: Tensor) -> GaussianProcess:
        """The process given further observations, with the variance that was learnt before."""
        new = points / self._scales
        corner = torch.linalg.solve_triangular(self._factor, _matern(_squared(self._points, new)), upper=False).T
        own = _matern(_squared(new, new)) - corner @ corner.T
        size, more = len(self._values), len(values)
        factor = torch.zeros(size + more, size + more, dtype=torch.float64)
        factor[:size, :size], factor[size:, :size] = self._factor, corner
        factor[size:, size:] = _factor(own, self.hyperparameters.noise)
        return self._of(
            self.hyperparameters,
            self._scales,
            torch.cat([self._points, new]),
            factor,
            torch.cat([self._values, values]),
            self._variance,
        )

    @property
    def left_out(self) -> Vector:
        """The error of predicting each observation from all others, in its own standard deviations, shape `(n,)`."""
        inverse = torch.cholesky_inverse(self._factor)
        errors: Vector = (self._weights / (inverse.diagonal() * self._variance).sqrt()).numpy()
        return errors


def _squared_differences(points: Vector, groups: NDArray[np.intp], count: int) -> Vector:
    """Squared differences of all pairs, summed over the coordinates of each group, shape `(g, n, n)`."""
    result = np.zeros((count, len(points), len(points)))
    for coordinate, group in zip(points.T, groups, strict=True):
        result[group] += np.square(coordinate[:, None] - coordinate[None, :])
    return result


def _negative_log_posterior(parameters: Vector, flat: Vector, values: Vector, centre: float) -> tuple[float, Vector]:
    size = len(values)
    logs, noise = parameters[:-1], math.exp(parameters[-1])
    inverse_squares = np.exp(-2.0 * logs)
    squared = inverse_squares @ flat
    root = _ROOT5 * np.sqrt(squared)
    decay = np.exp(-root)
    covariance = ((1.0 + root + root * root / 3.0) * decay).reshape(size, size)
    try:
        factor = cholesky(covariance + noise * np.eye(size), lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(parameters)
    inverse = cho_solve((factor, True), np.eye(size), check_finite=False)
    ones = inverse.sum(axis=1)
    residual = values - float(ones @ values) / float(ones.sum())
    weights = inverse @ residual
    spread = max(float(residual @ weights) / size, 1e-12)
    loss = 0.5 * size * math.log(spread) + float(np.log(np.diag(factor)).sum())
    pull = inverse - np.outer(weights, weights) / spread
    slope = (-5.0 / 6.0) * (1.0 + root) * decay  # of the kernel in the squared distance
    gradient = np.empty_like(parameters)
    gradient[:-1] = -inverse_squares * (flat @ (pull.ravel() * slope))
    gradient[-1] = 0.5 * noise * float(np.trace(pull))
    away = (logs - centre) / _LENGTH_SPREAD
    off = (parameters[-1] - _NOISE_CENTRE) / _NOISE_SPREAD
    loss += 0.5 * float(away @ away) + 0.5 * off * off
    gradient[:-1] += away / _LENGTH_SPREAD
    gradient[-1] += off / _NOISE_SPREAD
    return loss, gradient


def _squared(one: Tensor, other: Tensor) -> Tensor:
    """Squared distances, shape `(n, m)`."""
    squared = one.square().sum(dim=1)[:, None] + other.square().sum(dim=1)[None, :] - 2.0 * one @ other.T
    return squared.clamp_min(0.0)


def _matern(squared: Tensor) -> Tensor:
    # The square root has no derivative at 0, but the kernel has, and it is 0
    root = (5.0 * squared).clamp_min(1e-14).sqrt()
    result: Tensor = (1.0 + root + root * root / 3.0) * (-root).exp()
    return result


def _factor(covariance: Tensor, noise: float) -> Tensor:
    """The lower Cholesky factor, with as much more noise as the rounding errors of equal points need."""
    eye = torch.eye(len(covariance), dtype=torch.float64)
    for more in (0.0, 1e-9, 1e-7, 1e-5, 1e-3):
        factor, fault = torch.linalg.cholesky_ex(covariance + (noise + more) * eye)
        if not fault:
            return factor
    raise AssertionError("A covariance with so much noise is positive definite.")
