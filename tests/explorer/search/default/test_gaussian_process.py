import numpy as np
import pytest
import torch
from scipy.optimize import check_grad

from explorer.search.default.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    _Likelihood,
    _Prior,
    _squared_differences,
    learn,
)

GROUPS = np.array([0, 1, 1, 2])


def observed(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    points = np.random.default_rng(seed).random((count, 4))
    return points, np.sin(5 * points[:, 0]) + points[:, 1] ** 2


@pytest.mark.parametrize("smooth", [False, True])
def test_the_gradient_of_the_likelihood_is_that_of_finite_differences(smooth):
    points, values = observed(15)
    likelihood = _Likelihood(
        _squared_differences(points, GROUPS, 3).reshape(3, -1),
        (points - 0.5) @ (points - 0.5).T,
        (values - values.mean()) / values.std(),
        _Prior(1.0, 1.5),
        smooth,
    )
    at = np.array([0.1, -0.4, 0.8, -1.5, -5.0])
    error = check_grad(lambda x: likelihood.loss(x)[0], lambda x: likelihood.loss(x)[1], at)
    assert error < 1e-4 * np.linalg.norm(likelihood.loss(at)[1])


def test_a_group_that_does_not_matter_gets_the_longest_length():
    points, values = observed(40)
    lengths = learn(points, GROUPS, values).lengths
    assert lengths.argmax() == 2
    assert lengths[2] > 5 * lengths[0]


def process(points: np.ndarray, values: np.ndarray, learnt: Hyperparameters) -> GaussianProcess:
    return GaussianProcess.conditioned(learnt, torch.from_numpy(points), GROUPS, torch.from_numpy(values))


@pytest.mark.parametrize("smooth", [False, True])
def test_predictions_pass_through_the_observations_and_generalise(smooth):
    points, values = observed(60)
    fit = process(points, values, learn(points, GROUPS, values, smooth=smooth))
    mean, variance = fit.predict(torch.from_numpy(points))
    assert np.abs(mean.numpy() - values).max() < 0.02
    assert float(variance.max()) < 1e-3
    others, truth = observed(100, seed=1)
    mean, variance = fit.predict(torch.from_numpy(others))
    assert np.corrcoef(mean.numpy(), truth)[0, 1] > 0.98
    outside = np.abs(mean.numpy() - truth) > 3 * variance.sqrt().numpy()
    assert outside.mean() < 0.1


def test_a_linear_function_is_extrapolated():
    points = np.random.default_rng(0).random((12, 4)) * 0.4
    values = 3 * points[:, 0] - 2 * points[:, 3]
    fit = process(points, values, learn(points, GROUPS, values))
    far = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert fit.predict(torch.from_numpy(far))[0].numpy() == pytest.approx([3.0, -2.0], abs=0.3)


def test_extending_is_conditioning_on_all_with_the_same_variance():
    points, values = observed(20)
    learnt = learn(points, GROUPS, values)
    part = process(points[:15], values[:15], learnt)
    extended = part.extended(torch.from_numpy(points[15:]), torch.from_numpy(values[15:]))
    whole = process(points, values, learnt)
    at = torch.from_numpy(observed(10, seed=2)[0])
    (mean, variance), (expected, other) = extended.predict(at), whole.predict(at)
    assert torch.allclose(mean, expected, atol=1e-6)
    ratio = variance / other
    assert torch.allclose(ratio, ratio[:1].expand_as(ratio), rtol=1e-4)


def test_left_out_predictions_are_those_without_the_observation():
    points, values = observed(12)
    learnt = Hyperparameters(np.array([0.7, 1.0, 2.0]), trend=0.1, noise=0.01)
    whole = process(points, values, learnt)
    mean, variance = whole.left_out
    kept = np.arange(12) != 4
    part = GaussianProcess._of(
        whole._kernel.__class__(learnt, whole._kernel.scales, torch.from_numpy(points[kept])),
        torch.linalg.cholesky(_covariance(whole, points[kept])),
        torch.from_numpy(values[kept]),
        whole._variance,
    )
    expected, spread = part.predict(torch.from_numpy(points[4:5]))
    # The constant mean is estimated once from all, so the two agree only nearly
    assert mean[4] == pytest.approx(float(expected), abs=0.05)
    assert variance[4] == pytest.approx(float(spread) + 0.01 * whole._variance, rel=1e-6)


def _covariance(whole: GaussianProcess, points: np.ndarray) -> torch.Tensor:
    kernel = whole._kernel.__class__(whole._kernel.learnt, whole._kernel.scales, torch.from_numpy(points))
    return kernel(torch.from_numpy(points)) + whole._kernel.learnt.noise * torch.eye(len(points), dtype=torch.float64)


def test_equal_points_and_equal_values_are_no_fault():
    points = np.full((6, 4), 0.3)
    for values in (np.ones(6), np.arange(6.0)):
        mean, variance = process(points, values, learn(points, GROUPS, values)).predict(torch.from_numpy(points[:1]))
        assert np.isfinite(float(mean))
        assert float(variance) > 0


def test_predictions_can_be_differentiated_twice_at_an_observation():
    points, values = observed(10)
    fit = process(points, values, learn(points, GROUPS, values))
    at = torch.from_numpy(points[:1].copy()).requires_grad_()
    mean, variance = fit.predict(at)
    (gradient,) = torch.autograd.grad(mean.sum() + variance.sum(), at, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum(), at)
    assert torch.isfinite(gradient).all()
    assert torch.isfinite(second).all()
