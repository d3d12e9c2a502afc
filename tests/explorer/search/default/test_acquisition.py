import math

import moocore
import numpy as np
import pytest
import torch
from scipy.stats import norm

from explorer.search.default.acquisition import (
    log_expected_improvement,
    log_within,
    positive_directions,
    volume_gain,
)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("ratio", [-20.0, -6.0, -1.0, -0.2, 0.0, 0.3, 2.0, 8.0, 40.0])
def test_the_expected_improvement_is_that_of_its_integral(ratio):
    if ratio < -5:  # Mills' ratio: phi(u) / u^2 (1 - 3 / u^2 + 15 / u^4)
        expected = (
            norm.logpdf(ratio) - 2 * math.log(-ratio) + math.log1p(-3 / ratio**2 + 15 / ratio**4 - 105 / ratio**6)
        )
    else:
        expected = math.log(norm.pdf(ratio) + ratio * norm.cdf(ratio))
    found = float(log_expected_improvement(tensor(1.0 + 2.0 * ratio), tensor(2.0), 1.0)) - math.log(2.0)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_the_far_tail_can_be_climbed():
    means = torch.linspace(-1000.0, 50.0, 2000, dtype=torch.float64).requires_grad_()
    gain = log_expected_improvement(means, torch.ones_like(means), 0.0)
    (slope,) = torch.autograd.grad(gain.sum(), means)
    assert torch.isfinite(gain).all()
    assert (gain.diff() > 0).all()
    assert (slope[torch.abs(means.abs() - 30) > 1] > 0).all()


def test_the_probability_of_a_range():
    mean, deviation = tensor(0.0, 1.0, -3.0), tensor(1.0, 2.0, 0.5)
    for low, high in ((-math.inf, 1.0), (-0.5, math.inf), (-1.0, 2.0)):
        expected = norm.cdf(high, mean, deviation) - norm.cdf(low, mean, deviation)
        assert log_within(mean, deviation, low, high).exp().numpy() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("values", [2, 3])
def test_the_growth_is_proportional_to_that_of_the_hypervolume(values):
    generator = np.random.default_rng(0)
    front, designs = generator.random((5, values)), generator.random((40, values)) * 1.3
    directions = positive_directions(20_000, values, torch.Generator().manual_seed(0))
    gain = volume_gain(
        torch.from_numpy(designs)[None], torch.from_numpy(front), torch.zeros(values, dtype=torch.float64), directions
    )
    before = moocore.hypervolume(-front, ref=np.zeros(values))
    true = [moocore.hypervolume(-np.vstack([front, one]), ref=np.zeros(values)) - before for one in designs]
    assert np.corrcoef(gain.numpy(), true)[0, 1] > 0.995
    assert ((gain.numpy() < 1e-12) == (np.array(true) < 1e-12)).mean() > 0.9


def test_every_design_that_counts_grows_an_empty_front():
    directions = positive_directions(50, 2, torch.Generator().manual_seed(0))
    origin = torch.zeros(2, dtype=torch.float64)
    samples = torch.tensor([[[0.5, 0.5], [-0.1, 2.0]]], dtype=torch.float64)
    gain = volume_gain(samples, torch.zeros(0, 2, dtype=torch.float64), origin, directions)
    assert gain[0] > 0
    assert gain[1] == 0
