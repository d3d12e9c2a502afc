"""One estimate out of those of networks and trees, and the calibration of its spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NORMAL_90 = 1.645
_PRIOR_POINTS = 10.0  # held-out points at which their calibration counts half


@dataclass(frozen=True)
class Estimate:
    """Expected values of designs, in standardised units; all of one shape.

    Attributes:
        mean: expected.
        aleatoric: standard deviation that more data would not remove.
        epistemic: disagreement of the members of an ensemble.
    """

    mean: Array
    aleatoric: Array
    epistemic: Array

    @property
    def std(self) -> Array:
        """Total standard deviation."""
        return np.hypot(self.aleatoric, self.epistemic)


def unseen(mean: Array, variance: Array, held_out: list[NDArray[np.int64]]) -> Estimate:
    """The mean of each member for the designs that it has not seen, with the spread of all; `(n, measures)`, else NaN.

    Args:
        mean: by each member, shape `(members, n, measures)`.
        variance: by each member, same shape.
        held_out: for each member the numbers of the designs that it has not seen.
    """
    known, whole = np.full(mean.shape[1:], np.nan), ensemble(mean, variance)
    for member, designs in zip(mean, held_out, strict=True):
        known[designs] = member[designs]
    return Estimate(known, whole.aleatoric, whole.epistemic)


def ensemble(mean: Array, variance: Array) -> Estimate:
    """The estimate of all members, `(n, measures)`, from their means and variances, each `(members, n, measures)`."""
    return Estimate(mean.mean(axis=0), np.sqrt(variance.mean(axis=0)), mean.std(axis=0))


def by_measure(estimate: Estimate) -> list[Estimate]:
    """One estimate of shape `(n,)` for every measure of one of shape `(n, measures)`."""
    columns = zip(estimate.mean.T, estimate.aleatoric.T, estimate.epistemic.T, strict=True)
    return [Estimate(*column) for column in columns]


def blended(network: Estimate, trees: Estimate, weight: float) -> Estimate:
    """The mixture of both; that the two differ is disagreement too (law of total variance).

    Args:
        network: NaN where it is not known; so is the result then, unless its weight is 0.
        trees: likewise.
        weight: of the trees, in [0, 1].
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

    Where nothing is known the networks count alone.

    Args:
        network: means by the networks, shape `(n,)`, NaN where unknown.
        trees: means by the trees, likewise.
        target: the values, likewise.
    """
    difference = trees - network
    known = ~np.isnan(difference + target)
    scale = float(np.square(difference[known]).sum())
    if scale <= 0.0:
        return 0.0
    return float(np.clip((difference * (target - network))[known].sum() / scale, 0.0, 1.0))


def calibration(held_out: Estimate, target: Array) -> float:
    """The factor on the spread that makes 90 % intervals hold 90 % of the designs that were held out.

    It is drawn towards 1 where few are held out: their quantile is uncertain.

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
