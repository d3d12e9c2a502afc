"""The acquisition of BREATHE: an optimistic scalar loss, and the probability that a design is feasible."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, log_ndtr

from explorer.contracts.optimiser import Vector
from explorer.search.breathe_labels import Labels
from explorer.search.npn import Array
from explorer.search.surrogate import Prediction

_SMALL = 1e-12  # added to variances under a root
_SHARP = 10.0  # of the softplus that keeps what a design gains above 0
_AUGMENTED = 0.05  # share of the weighted sum in the augmented Chebyshev norm


class Acquisition:
    """What a step of the search minimises, with its gradient with respect to the prediction.

    The scalar loss is that of the weights, minus `exploration` deviations: of the weighted sum of the objectives, with
    the variance Σ c² (ξ² + s) of their common targets, or of each objective by itself under the augmented Chebyshev
    norm, max w t + 0.05 Σ w t, which also reaches fronts that are not convex.

    With limits, either each adds what the optimistic bound lacks (`penalty`), or the loss A and the probabilities P
    that each limit holds are joined to -log(1 - A) - Σ log P. As long as nothing is feasible, the loss is left out.
    """

    def __init__(
        self,
        labels: Labels,
        weights: Vector,
        exploration: float,
        aleatoric: bool = False,
        chebyshev: bool = False,
        penalty: bool = False,
    ) -> None:
        """
        Args:
            labels: what the surrogate has learnt, and the limits.
            weights: the weights of the objectives at each of k points, `(k, m)`.
            exploration: factor of the deviation.
            aleatoric: whether the deviation of the loss includes the noise.
            chebyshev: whether to use the augmented Chebyshev norm instead of the weighted sum.
            penalty: whether to add penalties instead of probabilities.
        """
        self._labels, self._weights, self._exploration = labels, weights, exploration
        self._aleatoric, self._chebyshev, self._penalty = aleatoric, chebyshev, penalty

    def __call__(self, prediction: Prediction) -> tuple[Array, Prediction]:
        """The values at `r k` points, blocks of the same k weights, and their gradients."""
        total, slope = self.loss(prediction)
        if not self._labels.boundaries:
            return total, slope
        if self._penalty:
            limit, beside = self.lacking(prediction)
        else:
            limit, beside = self.doubt(prediction)
            total, slope = _gained(total, slope)
        if not self._labels.feasible.any():
            return limit, beside
        return total + limit, _sum(slope, beside)

    def loss(self, prediction: Prediction) -> tuple[Array, Prediction]:
        """The scalar loss alone."""
        weights = np.tile(self._weights, (len(prediction.mean) // len(self._weights), 1))
        if not self._chebyshev:
            mixed = weights @ self._labels.slopes
            return self._bound(prediction, mixed, weights @ self._labels.offsets)
        parts = [
            self._bound(prediction, row, at) for row, at in zip(self._labels.slopes, self._labels.offsets, strict=True)
        ]
        bounds = np.stack([values for values, _ in parts], axis=1)
        shares = weights * (_AUGMENTED + (np.arange(bounds.shape[1]) == (weights * bounds).argmax(axis=1)[:, None]))
        slopes = [_times(slope, share) for (_, slope), share in zip(parts, shares.T, strict=True)]
        return (shares * bounds).sum(axis=1), _sum(*slopes)

    def objectives(self, prediction: Prediction) -> Array:
        """The optimistic loss under each objective, `(n, m)`."""
        rows = zip(self._labels.slopes, self._labels.offsets, strict=True)
        return np.stack([self._bound(prediction, row, at)[0] for row, at in rows], axis=1)

    def doubt(self, prediction: Prediction) -> tuple[Array, Prediction]:
        """Minus the sum of the logarithms of the probabilities that each limit holds."""
        mean, variance, deviation = prediction
        total, slope = np.zeros(len(mean)), _zeros(prediction)
        for boundary in self._labels.boundaries:
            column = boundary.target
            spread = np.sqrt(deviation[:, column] ** 2 + variance[:, column] + _SMALL)
            margin = boundary.sign * (mean[:, column] - boundary.place) / spread
            chance = log_ndtr(margin)
            total -= chance
            along = -np.exp(-0.5 * margin**2 - 0.5 * math.log(2 * math.pi) - chance)  # with respect to the margin
            slope.mean[:, column] += along * boundary.sign / spread
            slope.deviation[:, column] -= along * margin * deviation[:, column] / spread**2
            slope.variance[:, column] -= along * margin * 0.5 / spread**2
        return total, slope

    def lacking(self, prediction: Prediction) -> tuple[Array, Prediction]:
        """The sum of what the optimistic bound of each limited target lacks to keep its limit."""
        mean, _, deviation = prediction
        total, slope = np.zeros(len(mean)), _zeros(prediction)
        for boundary in self._labels.boundaries:
            column = boundary.target
            margin = boundary.sign * (mean[:, column] - boundary.place) + self._exploration * deviation[:, column]
            total += np.maximum(-margin, 0.0)
            slope.mean[:, column] -= (margin < 0) * boundary.sign
            slope.deviation[:, column] -= (margin < 0) * self._exploration
        return total, slope

    def _bound(self, prediction: Prediction, mixed: Array, offset: Array | float) -> tuple[Array, Prediction]:
        """The optimistic bound of a combination of the targets, `(h,)` or `(n, h)`, plus an offset."""
        mean, variance, deviation = prediction
        squares = mixed**2
        spread = deviation**2 + variance if self._aleatoric else deviation**2
        width = np.sqrt((squares * spread).sum(axis=1) + _SMALL)
        share = -self._exploration * squares / width[:, None]
        noise = 0.5 * share if self._aleatoric else np.zeros_like(variance)
        values = (mixed * mean).sum(axis=1) + offset - self._exploration * width
        return values, Prediction(np.broadcast_to(mixed, mean.shape), noise, share * deviation)


def _gained(loss: Array, slope: Prediction) -> tuple[Array, Prediction]:
    """Minus the logarithm of 1 - loss, which a softplus keeps above 0."""
    room = _SHARP * (1 - loss)
    gain = np.logaddexp(0, room) / _SHARP
    return -np.log(gain), _times(slope, expit(room) / gain)


def _zeros(prediction: Prediction) -> Prediction:
    return Prediction(*(np.zeros_like(part) for part in prediction))


def _times(slope: Prediction, factor: Array) -> Prediction:
    return Prediction(*(part * factor[:, None] for part in slope))


def _sum(*slopes: Prediction) -> Prediction:
    return Prediction(*(np.sum(parts, axis=0) for parts in zip(*slopes, strict=True)))
