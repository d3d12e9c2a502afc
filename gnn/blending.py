"""The combination of the estimates of networks and trees, and the calibration of its spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NORMAL_90 = 1.645
_PRIOR_POINTS = 10.0  # number of held-out points at which their calibration gets weight 1/2


@dataclass(frozen=True)
class Estimate:
    """Expected values of designs in standardised units; all arrays have the same shape.

    Attributes:
        mean: the expected values.
        aleatoric: the standard deviation that more data would not remove.
        epistemic: the disagreement between the members of an ensemble.
    """

    mean: Array
    aleatoric: Array
    epistemic: Array

    @property
    def std(self) -> Array:
        """The total standard deviation."""
        return np.hypot(self.aleatoric, self.epistemic)


def unseen(mean: Array, variance: Array, held_out: list[NDArray[np.int64]]) -> Estimate:
    """The mean of each member for the designs that it has not seen, `(n, measures)`, with the spread of all; else NaN.

    Args:
        mean: the mean by each member, shape `(members, n, measures)`.
        variance: the variance by each member, same shape.
        held_out: for each member, the indices of the designs that it has not seen.
    """
    known, whole = np.full(mean.shape[1:], np.nan), ensemble(mean, variance)
    for member, designs in zip(mean, held_out, strict=True):
        known[designs] = member[designs]
    return Estimate(known, whole.aleatoric, whole.epistemic)


def ensemble(mean: Array, variance: Array) -> Estimate:
    """The estimate of all members, `(n, measures)`, from their means and variances, each `(members, n, measures)`."""
    return Estimate(mean.mean(axis=0), np.sqrt(variance.mean(axis=0)), mean.std(axis=0))


def by_measure(estimate: Estimate) -> list[Estimate]:
    """Splits an estimate of shape `(n, measures)` into one of shape `(n,)` per measure."""
    columns = zip(estimate.mean.T, estimate.aleatoric.T, estimate.epistemic.T, strict=True)
    return [Estimate(*column) for column in columns]


def blended(network: Estimate, trees: Estimate, weight: float) -> Estimate:
    """The mixture of two estimates; the difference between them adds to the disagreement (law of total variance).

    Args:
        network: the estimate by the networks; where it is NaN, so is the result, unless its weight is 0.
        trees: the estimate by the trees, likewise.
        weight: the weight of the trees, in [0, 1].
    """
    if weight in (0.0, 1.0):
        return trees if weight else network
    apart = weight * (1 - weight) * (trees.mean - network.mean) ** 2
    within = weight * trees.epistemic**2 + (1 - weight) * network.epistemic**2
    aleatoric = weight * trees.aleatoric**2 + (1 - weight) * network.aleatoric**2
    mean = weight * trees.mean + (1 - weight) * network.mean
    return Estimate(mean, np.sqrt(aleatoric), np.sqrt(within + apart))


def best_weight(network: Array, trees: Array, target: Array) -> float:
    """The weight of the trees, in [0, 1], with the least squared error on designs that neither has seen.

    If no value is known, only the networks count.

    Args:
        network: means by the networks, shape `(n,)`, NaN where unknown.
        trees: means by the trees, in the same form.
        target: the values, in the same form.
    """
    difference = trees - network
    known = ~np.isnan(difference + target)
    scale = float(np.square(difference[known]).sum())
    if scale <= 0.0:
        return 0.0
    return float(np.clip((difference * (target - network))[known].sum() / scale, 0.0, 1.0))


def calibration(held_out: Estimate, target: Array) -> float:
    """The factor on the spread with which 90 % intervals contain 90 % of the held-out designs.

    It is drawn towards 1 if few designs are held out, because their quantile is uncertain.

    Args:
        held_out: estimates of any shape, NaN where nothing was held out.
        target: the values, NaN where unknown.
    """
    ratios = np.abs(target - held_out.mean) / held_out.std
    ratios = ratios[~np.isnan(ratios)]
    if not ratios.size:
        return 1.0
    factor = max(float(np.quantile(ratios, 0.9)) / _NORMAL_90, 1e-3)
    return float(factor ** (ratios.size / (ratios.size + _PRIOR_POINTS)))
