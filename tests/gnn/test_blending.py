from __future__ import annotations

import numpy as np
import pytest

from gnn.blending import Estimate, best_weight, blended, calibration


def estimate(mean: np.ndarray, std: float) -> Estimate:
    return Estimate(mean, np.full_like(mean, std), np.zeros_like(mean))


def test_the_better_half_gets_the_larger_weight() -> None:
    generator = np.random.default_rng(0)
    target = generator.normal(size=5000)
    good, poor = target + 0.1 * generator.normal(size=5000), target + 0.3 * generator.normal(size=5000)
    poor[::3] = np.nan
    assert best_weight(poor, good, target) == pytest.approx(0.9, abs=0.02)  # variances 0.01 and 0.09
    assert best_weight(good, poor, target) == pytest.approx(0.1, abs=0.02)
    assert best_weight(target, poor, target) == 0.0
    assert best_weight(np.full(3, np.nan), np.ones(3), np.ones(3)) == 0.0


def test_disagreement_counts_as_epistemic() -> None:
    mixed = blended(estimate(np.array([0.0]), 1.0), estimate(np.array([2.0]), 1.0), 0.5)
    assert (mixed.mean[0], mixed.aleatoric[0], mixed.epistemic[0]) == pytest.approx((1.0, 1.0, 1.0))
    assert mixed.std[0] == pytest.approx(np.sqrt(2.0))
    unknown = estimate(np.array([np.nan]), 1.0)
    assert blended(unknown, estimate(np.array([2.0]), 1.0), 1.0).mean[0] == 2.0


def test_calibrated_intervals_hold_ninety_percent() -> None:
    generator = np.random.default_rng(0)
    target = generator.standard_t(3, size=4000)
    target[::7] = np.nan
    factor = calibration(estimate(np.zeros(4000), 0.2), target)
    assert np.nanmean((np.abs(target) <= 1.645 * 0.2 * factor)[~np.isnan(target)]) == pytest.approx(0.9, abs=0.005)
    assert calibration(estimate(np.zeros(3), 0.2), np.full(3, np.nan)) == 1.0
