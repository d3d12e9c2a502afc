"""Moments of each layer against Monte Carlo."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from explorer.search.npn import MINIMUM_VARIANCE, Gaussian, NPNLinear, certain, npn_relu, npn_sigmoid

SAMPLES = 400_000


def grid() -> Gaussian:
    mean, deviation = torch.meshgrid(torch.linspace(-3, 3, 7), torch.tensor([0.1, 0.5, 1.0, 2.0]), indexing="ij")
    return Gaussian(mean.flatten(), deviation.flatten().square())


def draws(x: Gaussian) -> torch.Tensor:
    noise = torch.randn(SAMPLES, *x.mean.shape, generator=torch.Generator().manual_seed(0))
    return x.mean + x.variance.sqrt() * noise


def test_linear_moments_are_exact() -> None:
    generator = torch.Generator().manual_seed(1)
    layer = NPNLinear(4, 3, generator)
    with torch.no_grad():
        layer.weight_raw.fill_(-1.0)
        layer.bias_raw.fill_(-2.0)
        x = Gaussian(torch.tensor([[0.5, -1.0, 2.0, 0.0]]), torch.tensor([[0.3, 0.1, 0.0, 1.0]]))
        matched = layer(x)
        weight = draws(Gaussian(layer.weight_mean, functional.softplus(layer.weight_raw)))
        bias = layer.bias_mean + functional.softplus(layer.bias_raw).sqrt() * torch.randn(
            SAMPLES, 3, generator=generator
        )
        value = x.mean + x.variance.sqrt() * torch.randn(SAMPLES, 4, generator=generator)
        sampled = torch.einsum("si,sio->so", value, weight) + bias
    torch.testing.assert_close(matched.mean[0], sampled.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(matched.variance[0], sampled.var(0), atol=0, rtol=0.02)


def test_relu_moments_within_the_approximation_of_the_normal_integral() -> None:
    x = grid()
    matched, sampled = npn_relu(x), draws(x).relu()
    scale = x.variance.sqrt()
    assert ((matched.mean - sampled.mean(0)).abs() / scale).max() < 0.07
    assert ((matched.variance - sampled.var(0)).abs() / x.variance).max() < 0.12


def test_sigmoid_moments_within_the_probit_approximation() -> None:
    x = grid()
    matched, sampled = npn_sigmoid(x), draws(x).sigmoid()
    assert (matched.mean - sampled.mean(0)).abs().max() < 0.02
    assert (matched.variance - sampled.var(0)).abs().max() < 0.03
    wide = (
        x.variance >= 4
    )  # the published closed form is good for wide inputs, and overstates the spread of narrow ones
    assert (matched.variance.sqrt() - sampled.std(0)).abs()[wide].max() < 0.06


@pytest.mark.parametrize("layer", [npn_relu, npn_sigmoid])
@pytest.mark.parametrize("mean", [-1e4, -20.0, 0.0, 20.0, 1e4])
def test_no_spread_and_far_values_stay_finite_with_gradients(layer: object, mean: float) -> None:
    x = torch.full((3,), mean, requires_grad=True)
    out = layer(certain(x))  # type: ignore[operator]
    assert torch.isfinite(out.mean).all()
    assert (out.variance >= MINIMUM_VARIANCE).all()
    (out.mean.sum() + out.variance.sum()).backward()
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_initial_variances_are_small_and_positive() -> None:
    layer = NPNLinear(16, 32, torch.Generator().manual_seed(0))
    limit = (6 / 48) ** 0.5
    variance = functional.softplus(layer.weight_raw)
    assert layer.weight_mean.abs().max() <= limit
    assert variance.min() > 0
    assert variance.max() <= 0.01 * limit * 1.001
