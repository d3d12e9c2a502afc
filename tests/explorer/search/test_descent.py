"""The walk of GOBI, and its second derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.search.descent import AdaHessian, GobiSettings, by_differences, walk

CURVATURES = np.array([1.0, 10.0, 0.1])
TARGET = np.array([0.3, 0.7, 0.5])


def bowl(x: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """A separable quadratic function, and its gradient."""
    return ((x - TARGET) ** 2 @ CURVATURES) / 2, CURVATURES * (x - TARGET)


def test_the_diagonal_of_a_separable_quadratic_function_is_exact() -> None:
    generator = np.random.default_rng(0)
    points = generator.random((5, 3))
    probe = generator.choice([-1.0, 1.0], size=(5, 3))
    values, gradient, diagonal = by_differences(bowl)(points, probe)
    assert diagonal is not None
    np.testing.assert_allclose(diagonal, np.tile(CURVATURES, (5, 1)), rtol=1e-9)
    np.testing.assert_array_equal(gradient, bowl(points)[1])
    np.testing.assert_array_equal(values, bowl(points)[0])


def test_the_first_step_is_that_of_newton() -> None:
    points = np.random.default_rng(0).random((4, 3))
    step = AdaHessian(points).direction(bowl(points)[1], np.tile(CURVATURES, (4, 1)))
    np.testing.assert_allclose(points + step, np.tile(TARGET, (4, 1)), atol=1e-3)


def test_walks_to_the_bottom_within_the_box_and_keeps_what_is_frozen() -> None:
    starts = np.random.default_rng(1).random((6, 3))
    frozen = np.array([False, False, True])
    ends = walk(by_differences(bowl), starts, GobiSettings(), np.random.default_rng(0), frozen)
    np.testing.assert_allclose(ends[:, :2], np.tile(TARGET[:2], (6, 1)), atol=0.02)
    np.testing.assert_array_equal(ends[:, 2], starts[:, 2])
    plain = walk(by_differences(bowl), starts, GobiSettings(second_order=False, first_order_rate=0.05),
                 np.random.default_rng(0))  # fmt: skip
    assert (bowl(plain)[0] < bowl(starts)[0]).all()
