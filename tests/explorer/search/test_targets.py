"""What the surrogate learns from feasible, infeasible and failed designs."""

from __future__ import annotations

import math

import numpy as np

from explorer.contracts.optimiser import Observation, Outcome
from explorer.search.targets import losses, normalised_by_initial, normalised_by_range


def observed(*pairs: tuple[float, float]) -> list[Observation[int]]:
    return [
        Observation(index, index, Outcome((value,), (violation,))) for index, (value, violation) in enumerate(pairs)
    ]


def test_feasible_designs_keep_their_loss() -> None:
    np.testing.assert_allclose(losses(observed((0.9, 0), (0.5, 0), (1.2, 0))), [0.1, 0.5, -0.2])


def test_infeasible_designs_are_worse_than_mediocre_however_good() -> None:
    told = losses(observed((0.9, 0), (0.5, 0), (0.3, 0), (0.99, 0.1), (0.99, 0.4), (0.1, 5.0)))
    np.testing.assert_allclose(told[3:], [0.6, 0.9, 1.9])


def test_without_a_feasible_design_the_violation_alone_counts() -> None:
    told = losses(observed((0.9, 0.5), (0.1, 0.2), (0.4, 0.3)))
    assert np.argsort(told).tolist() == [1, 2, 0]


def test_failed_designs_share_the_worst_loss() -> None:
    told = losses(observed((0.9, 0), (0.5, 0.3), (math.nan, 0)))
    assert told[2] == told[:2].max()
    np.testing.assert_array_equal(losses(observed((math.nan, 0), (math.nan, 0))), [1.0, 1.0])


def test_normalisers_stay_within_the_unit_interval() -> None:
    raw = np.array([0.2, 0.5, 0.9, -0.1])
    np.testing.assert_allclose(normalised_by_initial(raw, 2), [0.4, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(normalised_by_range(raw), [0.34, 0.58, 0.9, 0.1])
    np.testing.assert_array_equal(normalised_by_range(np.array([3.0, 3.0])), [0.5, 0.5])
    np.testing.assert_array_equal(normalised_by_initial(np.array([0.0, 0.0]), 2), [0.0, 0.0])
