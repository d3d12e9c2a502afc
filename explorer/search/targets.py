"""Targets of the surrogate, derived from the observations: within the unit interval, smaller is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.contracts.optimiser import Observation, Vector


def losses(observations: Sequence[Observation[Any]], penalty: float = 1.0) -> Vector:
    """The loss, 1 - performance, of each observation, with losses of infeasible and failed designs that steer away.

    A feasible design keeps its loss. An infeasible one gets at least the median of the feasible losses, plus `penalty`
    times its violation (capped at 1): this is worse than mediocre however good the design would be, and slopes back to
    the feasible side. As long as no design is feasible, all infeasible ones share one base, so that only the violation
    counts. A design that could not be measured gets the worst loss of all.

    Args:
        observations: all observations so far.
        penalty: amount that a violation of 1 adds.

    Returns:
        The losses, of shape `(n,)`.
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
    """The published form: losses divided by the largest of the first `initial` ones, and clipped to 0 to 1.

    The published targets may leave this interval, in which a sigmoid cannot follow them.
    """
    largest = raw[:initial].max()
    return np.clip(raw / largest if largest > 0 else raw, 0.0, 1.0)


def normalised_by_range(raw: Vector) -> Vector:
    """Losses scaled so that the best becomes 0.1 and the worst 0.9, which shows the surrogate their differences."""
    low, high = raw.min(), raw.max()
    if not math.isfinite(high - low) or high <= low:
        return np.full_like(raw, 0.5)
    scaled: Vector = 0.1 + 0.8 * (raw - low) / (high - low)
    return scaled
