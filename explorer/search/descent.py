"""The walk of GOBI, gradient-based optimisation of inputs, all starts in one batch.

Sources: Tuli, Casale and Jennings 2021 (COSCO) for first order; BOSHNAS for second order, with AdaHessian (Yao and
others 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphdb.errors import InputError

Floats = NDArray[np.floating]

Derivatives = Callable[[Floats, Floats | None], tuple[Floats, Floats, Floats | None]]
"""Points, `(k, D)`, and a probe of the same shape, or None -> values, `(k,)`, gradients, `(k, D)`, and Hutchinson's
estimate of the diagonals of the Hessians, `(k, D)`, or None without a probe."""

_MOMENTUM, _MEMORY, _EPSILON = 0.9, 0.999, 1e-4  # of AdaHessian, as published
_STEP = 1e-4  # of the differences of gradients, as a share of the box


@dataclass(frozen=True)
class GobiSettings:
    """Settings of GOBI's walk; the defaults are the published constants.

    Attributes:
        second_order: whether to use AdaHessian; otherwise plain gradient descent.
        rate: learning rate of AdaHessian.
        first_order_rate: learning rate of plain gradient descent.
        period: period of the cosine annealing in steps: the rate goes full, half, 0, half, and so on.
        iterations: largest number of steps from a start.
        tolerance: smallest change of the function that counts as a change.
        patience: number of consecutive steps without change after which a start stops, if exceeded.
        trust: largest move of a step as a share of the box; None for no limit. The published region, 0.75 to 1.25 times
            the value, has the wrong sign for negative values; it is off in all published runs.
    """

    second_order: bool = True
    rate: float = 0.5
    first_order_rate: float = 10.0
    period: int = 2
    iterations: int = 200
    tolerance: float = 1e-5
    patience: int = 5
    trust: float | None = None

    def __post_init__(self) -> None:
        if self.trust is not None and self.trust <= 0:
            raise InputError(f"GobiSettings.trust must be positive or None, found {self.trust}.")


def walk(
    derivatives: Derivatives,
    starts: Floats,
    settings: GobiSettings,
    generator: np.random.Generator,
    frozen: NDArray[np.bool_] | None = None,
) -> Floats:
    """Minimises a function from every start within the unit box.

    Args:
        derivatives: of the function, whose value at each point depends on that point only.
        starts: array `(k, D)` with values from 0 to 1.
        settings: settings of the walk.
        generator: random generator for the Hutchinson probes.
        frozen: `(D,)` truth values: entries that keep their start (one-sided search); None if all move.

    Returns:
        An array `(k, D)` with the last point of each walk, as published; it need not be the lowest point passed.
    """
    points = starts.copy()
    adahessian = AdaHessian(starts)
    movable = np.ones(starts.shape[1]) if frozen is None else (~frozen).astype(np.float64)
    running = np.ones(len(starts), dtype=np.bool_)
    unchanged = np.zeros(len(starts), dtype=np.int64)
    previous: Floats | None = None
    for step in range(settings.iterations):
        probe = generator.choice([-1.0, 1.0], size=starts.shape) * movable if settings.second_order else None
        values, gradient, diagonal = derivatives(points, probe)
        if previous is not None:
            unchanged = np.where(np.abs(values - previous) < settings.tolerance, unchanged + 1, 0)
            running &= unchanged <= settings.patience
            if not running.any():
                break
        previous = values
        annealing = 0.5 * (1 + math.cos(math.pi * step / settings.period))
        if diagonal is None:
            move = -settings.first_order_rate * annealing * gradient
        else:
            move = settings.rate * annealing * adahessian.direction(gradient, diagonal)
        if settings.trust is not None:
            move = np.clip(move, -settings.trust, settings.trust)
        points = np.clip(points + np.where(running[:, None], move * movable, 0.0), 0.0, 1.0)
    return points


class AdaHessian:
    """The steps of AdaHessian (Yao and others 2021) without a learning rate: momenta 0.9 and 0.999, Hessian power 1."""

    def __init__(self, points: Floats) -> None:
        """
        Args:
            points: what is optimised; only its shape is used.
        """
        self._mean, self._square = np.zeros(points.shape), np.zeros(points.shape)
        self._steps = 0

    def direction(self, gradient: Floats, diagonal: Floats) -> Floats:
        """What a learning rate of 1 would add.

        Args:
            gradient: of the function.
            diagonal: an estimate of its Hessian's diagonal, of the same shape.
        """
        self._steps += 1
        self._mean += (1 - _MOMENTUM) * (gradient - self._mean)
        self._square += (1 - _MEMORY) * (diagonal**2 - self._square)
        mean = self._mean / (1 - _MOMENTUM**self._steps)
        move: Floats = -mean / (np.sqrt(self._square / (1 - _MEMORY**self._steps)) + _EPSILON)
        return move


def by_differences(gradient: Callable[[Floats], tuple[Floats, Floats]]) -> Derivatives:
    """Second derivatives from an exact gradient: its central difference along the probe, in one batch of three points.

    Exact for quadratic functions, and otherwise to about 1e-7 of the box in double precision.

    Args:
        gradient: function from points, `(r k, D)`, to values and gradients; it is called with `r` of 1 or 3 blocks of
            the same k points.
    """

    def derivatives(points: Floats, probe: Floats | None) -> tuple[Floats, Floats, Floats | None]:
        if probe is None:
            return *gradient(points), None
        count = len(points)
        values, slopes = gradient(np.concatenate([points, points + _STEP * probe, points - _STEP * probe]))
        product = (slopes[count : 2 * count] - slopes[2 * count :]) / (2 * _STEP)
        return values[:count], slopes[:count], product * probe

    return derivatives
