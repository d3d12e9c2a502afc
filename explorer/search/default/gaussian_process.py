"""Exact Gaussian processes with one relevance for each group of coordinates, and a linear trend.

Written on NumPy and torch in place of a library: at the few hundred observations of a search a fit takes hundredths of
a second, and the likelihood's gradient needs only one product for all relevances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize
from torch import Tensor

from explorer.contracts.optimiser import Vector

_ROOT5 = math.sqrt(5.0)
_ITERATIONS = 100
_MANY = 100
"""Number of observations from which one start with half the iterations is enough."""
MIDDLE = 0.5
"""The coordinates' middle, from which the linear trend starts."""


@dataclass(frozen=True)
class _Prior:
    """A normal prior of a logarithm."""

    centre: float
    spread: float


_LENGTH_SPREAD = math.sqrt(3.0)
_TREND = _Prior(math.log(0.1), 2.0)
_NOISE = _Prior(math.log(1e-4), 2.5)
_LENGTH_BOUNDS = (math.log(0.03), math.log(300.0))
_TREND_BOUNDS = (math.log(1e-6), math.log(30.0))
_NOISE_BOUNDS = (math.log(1e-9), math.log(2.0))


@dataclass(frozen=True)
class Hyperparameters:
    """What a fit learns.

    Attributes:
        lengths: the length scale of each group, shape `(g,)`; a group with a large one hardly counts.
        trend: the variance of a linear trend, as a share of the variance of the stationary part.
        noise: the variance of the noise, as a share of the same.
        smooth: whether the stationary part has the squared-exponential kernel instead of Matérn's.
        evidence: the logarithm of the posterior density, up to a constant, with which fits to the same values compare.
    """

    lengths: Vector
    trend: float = 0.0
    noise: float = math.exp(_NOISE.centre)
    smooth: bool = False
    evidence: float = -math.inf


def learn(
    points: Vector, groups: NDArray[np.intp], values: Vector, near: Hyperparameters | None = None, smooth: bool = False
) -> Hyperparameters:
    """The hyperparameters of largest posterior density.

    Lengths have the log-normal prior of Hvarfner, Hellsten and Nardi 2024 ("Vanilla Bayesian Optimization Performs
    Great in High Dimensions"), which grows with the square root of their number. A linear trend lets a few observations
    tell which way to go, before they tell how far each decision reaches. Mean and variance of the function are
    eliminated, as each has its best value in closed form.

    Args:
        points: the coordinates of n observations, shape `(n, p)`.
        groups: the group of each coordinate, shape `(p,)`; every number from 0 to the largest is used.
        values: the observed values, shape `(n,)`.
        near: where to start, such as an earlier fit; two fixed starts if there is none.
        smooth: whether the kernel is the squared exponential.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    differences = _squared_differences(points, groups, count)
    active = np.flatnonzero(differences.reshape(count, -1).any(axis=1)) if count else np.zeros(0, dtype=np.intp)
    centre = math.sqrt(2.0) + 0.5 * math.log(max(len(active), 1))
    lengths = np.full(count, math.exp(centre))
    spread = float(values.std())
    if len(values) < 2 or spread <= 1e-12 * max(abs(float(values.mean())), 1e-300) or not len(active):
        return Hyperparameters(lengths)
    centred = points - MIDDLE
    likelihood = _Likelihood(
        differences[active].reshape(len(active), -1),
        centred @ centred.T,
        (values - values.mean()) / spread,
        _Prior(centre, _LENGTH_SPREAD),
        smooth,
    )
    others = [_TREND.centre, _NOISE.centre]
    if near is None:
        lengths_at = (centre, centre - 1.5) if len(values) < _MANY else (centre - 1.5,)
        starts = [np.append(np.full(len(active), length), others) for length in lengths_at]
    else:
        starts = [np.append(np.log(near.lengths[active]), np.log([near.trend, near.noise]))]
    bounds = [_LENGTH_BOUNDS] * len(active) + [_TREND_BOUNDS, _NOISE_BOUNDS]
    limit = {"maxiter": _ITERATIONS if len(values) < _MANY else _ITERATIONS // 2}
    ends = [
        minimize(likelihood.loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=limit) for start in starts
    ]
    best = min(ends, key=lambda end: float(end.fun))
    lengths[active] = np.exp(best.x[:-2])
    evidence = -float(best.fun) - len(values) * math.log(spread)
    return Hyperparameters(lengths, math.exp(best.x[-2]), math.exp(best.x[-1]), smooth, evidence)


@dataclass(frozen=True)
class _Kernel:
    """A stationary kernel and a linear trend, between any points and n fixed ones."""

    learnt: Hyperparameters
    scales: Tensor  # the length of each coordinate, shape (p,)
    fixed: Tensor  # the fixed points, shape (n, p)

    @cached_property
    def _scaled(self) -> Tensor:
        return self.fixed / self.scales

    @cached_property
    def _norms(self) -> Tensor:
        return self._scaled.square().sum(dim=1)

    @cached_property
    def _tilted(self) -> Tensor:
        return (self.learnt.trend * (self.fixed - MIDDLE)).T

    def __call__(self, points: Tensor) -> Tensor:
        """The covariances of m points with the fixed ones, shape `(m, n)`."""
        scaled = points / self.scales
        squared = torch.addmm(self._norms, scaled, self._scaled.T, alpha=-2.0)
        squared = (squared + scaled.square().sum(dim=1, keepdim=True)).clamp_min(0.0)
        stationary = (-0.5 * squared).exp() if self.learnt.smooth else _matern(squared)
        return torch.addmm(stationary, points - MIDDLE, self._tilted)

    def variances(self, points: Tensor) -> Tensor:
        """The covariance of each of m points with itself, shape `(m,)`."""
        return 1.0 + self.learnt.trend * (points - MIDDLE).square().sum(dim=1)

    def extended(self, points: Tensor) -> _Kernel:
        """The same kernel with further fixed points."""
        return _Kernel(self.learnt, self.scales, torch.cat([self.fixed, points]))


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process conditioned on observations, whose predictions can be differentiated twice."""

    _kernel: _Kernel
    _factor: Tensor  # lower Cholesky factor of the covariance, as a share of the stationary part's variance
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
        kernel = _Kernel(hyperparameters, torch.from_numpy(hyperparameters.lengths[groups]), points)
        return cls._of(kernel, _factor(kernel(points), hyperparameters.noise), values, None)

    @classmethod
    def _of(cls, kernel: _Kernel, factor: Tensor, values: Tensor, variance: float | None) -> GaussianProcess:
        sides = torch.stack([torch.ones_like(values), values], dim=1)
        solved = torch.cholesky_solve(sides, factor)
        mean = float(solved[:, 1].sum() / solved[:, 0].sum())
        weights = solved[:, 1] - mean * solved[:, 0]
        spread = float((values - mean) @ weights) / len(values) if variance is None else variance
        return cls(kernel, factor, values, weights, mean, max(spread, 1e-18))

    def predict(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the function, without noise, at m points of shape `(m, p)`."""
        covariance = self._kernel(points)
        mean = self._mean + covariance @ self._weights
        reduced = torch.linalg.solve_triangular(self._factor, covariance.T, upper=False)
        left = self._kernel.variances(points) - reduced.square().sum(dim=0)
        return mean, self._variance * left.clamp_min(1e-12)

    def extended(self, points: Tensor, values: Tensor) -> GaussianProcess:
        """The process given further observations, with the variance that was learnt before."""
        corner = torch.linalg.solve_triangular(self._factor, self._kernel(points).T, upper=False).T
        own = _Kernel(self._kernel.learnt, self._kernel.scales, points)(points) - corner @ corner.T
        size, more = len(self._values), len(values)
        factor = torch.zeros(size + more, size + more, dtype=torch.float64)
        factor[:size, :size], factor[size:, :size] = self._factor, corner
        factor[size:, size:] = _factor(own, self._kernel.learnt.noise)
        return self._of(self._kernel.extended(points), factor, torch.cat([self._values, values]), self._variance)

    @property
    def left_out(self) -> tuple[Vector, Vector]:
        """Mean and variance of the prediction of each observation from all others, noise included, shape `(n,)`."""
        precision = torch.cholesky_inverse(self._factor).diagonal()
        mean = self._values - self._weights / precision
        return mean.numpy(), (self._variance / precision).numpy()


def _squared_differences(points: Vector, groups: NDArray[np.intp], count: int) -> Vector:
    """Squared differences of all pairs, summed over the coordinates of each group, shape `(g, n, n)`."""
    result = np.zeros((count, len(points), len(points)))
    for coordinate, group in zip(points.T, groups, strict=True):
        result[group] += np.square(coordinate[:, None] - coordinate[None, :])
    return result


@dataclass(frozen=True)
class _Likelihood:
    """The negative logarithm of the posterior density of hyperparameters.

    `squares` are squared differences, `(g, n * n)`; `products` are scalar products, `(n, n)`; `values` have mean 0 and
    variance 1.
    """

    squares: Vector
    products: Vector
    values: Vector
    length: _Prior
    smooth: bool

    def loss(self, parameters: Vector) -> tuple[float, Vector]:
        """The loss and its gradient at the logarithms of g lengths, the trend and the noise, shape `(g + 2,)`."""
        size = len(self.values)
        logs, trend, noise = parameters[:-2], math.exp(parameters[-2]), math.exp(parameters[-1])
        inverse_squares = np.exp(-2.0 * logs)
        covariance, slope = _kernel_and_slope(inverse_squares @ self.squares, self.smooth)
        whole = covariance.reshape(size, size) + trend * self.products + noise * np.eye(size)
        try:
            factor = cholesky(whole, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(parameters)
        inverse = cho_solve((factor, True), np.eye(size), check_finite=False)
        ones = inverse.sum(axis=1)
        residual = self.values - float(ones @ self.values) / float(ones.sum())
        weights = inverse @ residual
        spread = max(float(residual @ weights) / size, 1e-12)
        pull = inverse - np.outer(weights, weights) / spread
        gradient = np.empty_like(parameters)
        gradient[:-2] = -inverse_squares * (self.squares @ (pull.ravel() * slope))
        gradient[-2] = 0.5 * trend * float((pull * self.products).sum())
        gradient[-1] = 0.5 * noise * float(np.trace(pull))
        loss = 0.5 * size * math.log(spread) + float(np.log(np.diag(factor)).sum())
        for place, prior in ((slice(None, -2), self.length), (slice(-2, -1), _TREND), (slice(-1, None), _NOISE)):
            away = (parameters[place] - prior.centre) / prior.spread
            loss += 0.5 * float(away @ away)
            gradient[place] += away / prior.spread
        return loss, gradient


def _kernel_and_slope(squared: Vector, smooth: bool) -> tuple[Vector, Vector]:
    """The stationary kernel and its derivative in the squared distance."""
    if smooth:
        decay = np.exp(-0.5 * squared)
        return decay, -0.5 * decay
    root = _ROOT5 * np.sqrt(squared)
    decay = np.exp(-root)
    return (1.0 + root + root * root / 3.0) * decay, (-5.0 / 6.0) * (1.0 + root) * decay


def _matern(squared: Tensor) -> Tensor:
    # The square root has no derivative at 0, but the kernel has, and it is 0
    root = (5.0 * squared).clamp_min(1e-14).sqrt()
    result: Tensor = (1.0 + root + root * root / 3.0) * (-root).exp()
    return result


def _factor(covariance: Tensor, noise: float) -> Tensor:
    """The lower Cholesky factor, with as much more noise as the rounding errors of equal points need."""
    eye = torch.eye(len(covariance), dtype=torch.float64)
    for more in (0.0, 1e-9, 1e-7, 1e-5, 1e-3):
        factor: Tensor
        factor, fault = torch.linalg.cholesky_ex(covariance + (noise + more) * eye)
        if not fault:
            return factor
    raise AssertionError("A covariance with so much noise is positive definite.")
