"""The fitted networks predict points that they have not seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.search.surrogate import EnsembleSettings, Surrogate
from graphdb.errors import InputError


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rank_correlation(first: torch.Tensor, second: torch.Tensor) -> float:
    ranks = [values.detach().argsort().argsort().double() for values in (first, second)]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])


def branin(x: torch.Tensor) -> torch.Tensor:
    a, b = 15 * x[:, 0] - 5, 15 * x[:, 1]
    return (b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6) ** 2 + 10 * (1 - 1 / (8 * np.pi)) * a.cos() + 10


def zdt(x: torch.Tensor) -> torch.Tensor:
    g = 1 + x[:, 1:].mean(1)
    return g * (1 - (x[:, 0] / g).sqrt()) + 0.5 * x[:, 0]


@pytest.mark.parametrize(
    ("function", "sizes", "least"), [(branin, [2], 0.75), (branin, [1, 1], 0.3), (zdt, [4, 3], 0.8)]
)
def test_ranks_points_that_it_has_not_seen(function: object, sizes: list[int], least: float) -> None:
    x = torch.rand(360, sum(sizes), generator=seeded(0))
    y = function(x)  # type: ignore[operator]
    targets = 0.1 + 0.8 * (y - y[:60].min()) / (y[:60].max() - y[:60].min())
    surrogate = Surrogate(sizes, EnsembleSettings(), seeded(1))
    surrogate.fit(x[:60], targets[:60].clamp(0, 1))
    assert rank_correlation(surrogate.predict(x[60:]).mean, targets[60:]) > least


def test_student_learns_the_spread_of_the_teacher() -> None:
    x = torch.rand(260, 7, generator=seeded(0))
    surrogate = Surrogate([4, 3], EnsembleSettings(), seeded(1))
    surrogate.fit(x[:60], 0.1 + 0.8 * zdt(x[:60]).clamp(0, 1), x[60:160])
    unseen = x[160:]
    spread = torch.stack([surrogate.spread(unseen) for _ in range(40)]).mean(0)
    learnt = surrogate.deviation(unseen).detach()
    assert rank_correlation(learnt, spread) > 0.4
    assert (learnt - spread).abs().mean() < 0.3 * spread.mean()


def test_fit_repeats_and_leaves_global_random_state_alone() -> None:
    x = torch.rand(12, 3, generator=seeded(0))
    state = torch.random.get_rng_state()
    values = []
    for seed in (3, 3, 4):
        surrogate = Surrogate([2, 1], EnsembleSettings(epochs=5), seeded(seed))
        surrogate.fit(x, x[:, 0])
        values.append(surrogate.acquisition(x, aleatoric=True))
    assert torch.equal(values[0], values[1])
    assert not torch.equal(values[0], values[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_acquisition_is_the_optimistic_bound() -> None:
    x = torch.rand(12, 3, generator=seeded(0))
    for published in (False, True):
        surrogate = Surrogate([2, 1], EnsembleSettings(epochs=5, add_variance=published), seeded(3))
        surrogate.fit(x, x[:, 0])
        mean, variance, deviation = surrogate.predict(x)
        assert (deviation > 0).all()
        torch.testing.assert_close(surrogate.acquisition(x), mean - 0.5 * deviation)
        more = variance if published else variance.sqrt()
        torch.testing.assert_close(surrogate.acquisition(x, True), mean - 0.5 * (deviation + more))


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(InputError, match="passes must be at least 2, found 1"):
        EnsembleSettings(passes=1)
