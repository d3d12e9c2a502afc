"""Moments of each layer against Monte Carlo, and their derivatives against differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.search.npn import (
    MINIMUM_VARIANCE,
    Backward,
    Gaussian,
    npn_linear,
    npn_relu,
    npn_sigmoid,
    sigmoid,
    softplus,
)

SAMPLES = 100_000
Layer = Callable[[Gaussian], tuple[Gaussian, Backward]]


def grid() -> Gaussian:
    mean, deviation = np.meshgrid(np.linspace(-3, 3, 7), [0.02, 0.1, 0.5, 1.0, 2.0, 4.0], indexing="ij")
    return Gaussian(mean.ravel(), deviation.ravel() ** 2)


def draws(x: Gaussian, seed: int = 0) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).standard_normal((SAMPLES, *x.mean.shape))
    return x.mean + np.sqrt(x.variance) * noise


def test_linear_moments_are_exact() -> None:
    generator = np.random.default_rng(1)
    x = Gaussian(np.array([[0.5, -1.0, 2.0, 0.0]]), np.array([[0.3, 0.1, 0.0, 1.0]]))
    weight = Gaussian(generator.normal(size=(4, 3)), np.full((4, 3), 0.3))
    bias = Gaussian(np.zeros(3), np.full(3, 0.1))
    matched = npn_linear(x, weight, bias)
    sampled = np.einsum("si,sio->so", draws(x, 2)[:, 0], draws(weight, 3)) + draws(bias, 4)
    np.testing.assert_allclose(matched.mean[0], sampled.mean(0), atol=0.03)
    np.testing.assert_allclose(matched.variance[0], sampled.var(0), rtol=0.03)


def test_relu_moments_within_the_approximation_of_the_normal_integral() -> None:
    x = grid()
    (mean, variance), _ = npn_relu(x)
    sampled = np.maximum(draws(x), 0)
    assert (np.abs(mean - sampled.mean(0)) / np.sqrt(x.variance)).max() < 0.07
    assert (np.abs(variance - sampled.var(0)) / x.variance).max() < 0.12


def test_sigmoid_moments_within_the_probit_approximation() -> None:
    x = grid()
    (mean, variance), _ = npn_sigmoid(x)
    sampled = sigmoid(draws(x))
    assert np.abs(mean - sampled.mean(0)).max() < 0.02
    assert np.abs(np.log(variance / sampled.var(0))).max() < 0.15  # also where the spread is small


@pytest.mark.parametrize("layer", [npn_relu, npn_sigmoid])
def test_derivatives_agree_with_differences(layer: Layer) -> None:
    x = grid()
    generator = np.random.default_rng(0)
    weights = Gaussian(generator.normal(size=x.mean.shape), generator.normal(size=x.mean.shape))
    gradient = layer(x)[1](weights)
    for place, step in enumerate((1e-6, 1e-7)):
        ends = []
        for sign in (1, -1):
            moved = list(x)
            moved[place] = moved[place] + sign * step
            out = layer(Gaussian(*moved))[0]
            ends.append(weights.mean * out.mean + weights.variance * out.variance)
        np.testing.assert_allclose(gradient[place], (ends[0] - ends[1]) / (2 * step), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [npn_relu, npn_sigmoid])
@pytest.mark.parametrize("mean", [-1e4, -20.0, 0.0, 20.0, 1e4])
@pytest.mark.parametrize("variance", [0.0, 1e8])
def test_no_spread_and_far_values_stay_finite_with_gradients(layer: Layer, mean: float, variance: float) -> None:
    out, backward = layer(Gaussian(np.full(3, mean), np.full(3, variance)))
    assert np.isfinite(out.mean).all()
    assert (out.variance >= MINIMUM_VARIANCE).all()
    assert np.isfinite(backward(Gaussian(np.ones(3), np.ones(3)))).all()


def test_softplus_and_sigmoid_far_out() -> None:
    far = np.array([-1e4, -30.0, 0.0, 30.0, 1e4])
    np.testing.assert_allclose(softplus(far), [0.0, np.exp(-30), np.log(2), 30.0, 1e4], atol=1e-12)
    np.testing.assert_allclose(sigmoid(far), [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-12)
