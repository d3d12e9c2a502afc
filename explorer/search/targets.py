"""Targets of the surrogate, made of what was told: within the unit interval, smaller is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.contracts.optimiser import Observation, Vector


def losses(observations: Sequence[Observation[Any]], penalty: float = 1.0) -> Vector:
    """1 - performance for each observation, with infeasible and failed designs put where the surrogate steers away.

    A feasible design keeps its loss. An infeasible one gets at least the median of the feasible losses, plus `penalty`
    times its violation (capped at 1): worse than mediocre however good it would be, with a slope back to the feasible
    side. As long as nothing is feasible all infeasible ones share one base, so that the violation alone counts. A
    design that could not be measured gets the worst loss of all.

    Args:
        observations: all that was told.
        penalty: what a violation of 1 adds.

    Returns:
        shape `(n,)`.
    """
    values = np.array([observation.value for observation in observations])
    violations = np.array([observation.violation for observation in observations])
    raw = 1.0 - values
    failed = np.isnan(values)
    infeasible = (violations > 0) & ~failed
    feasible = ~infeasible & ~failed
    if infeasible.any():
        base = np.maximum(raw, np.median(raw[feasible])) if feasible.any() else np.full_like(raw, raw[~failed].max())
        raw = np.where(infeasible, base + penalty * np.minimum(violations, 1.0), raw)
    return np.where(failed, 1.0 if failed.all() else raw[~failed].max(), raw)


def normalised_by_initial(raw: Vector, initial: int) -> Vector:
    """Published form: divided by the largest of the first `initial` losses, and cut to the interval 0 to 1.

    The published targets may leave the interval, which no sigmoid can follow.
    """
    largest = raw[:initial].max()
    return np.clip(raw / largest if largest > 0 else raw, 0.0, 1.0)


def normalised_by_range(raw: Vector) -> Vector:
    """The best loss so far becomes 0.1 and the worst 0.9: the surrogate sees the differences between designs."""
    low, high = raw.min(), raw.max()
    if not math.isfinite(high - low) or high <= low:
        return np.full_like(raw, 0.5)
    scaled: Vector = 0.1 + 0.8 * (raw - low) / (high - low)
    return scaled
