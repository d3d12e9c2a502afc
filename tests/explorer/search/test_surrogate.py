"""The fitted networks predict points that they have not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from explorer.search.surrogate import EnsembleSettings, Surrogate, optimistic
from graphdb.errors import InputError

Points = NDArray[np.float64]


def branin(x: Points) -> Points:
    a, b = 15 * x[:, 0] - 5, 15 * x[:, 1]
    value = (b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6) ** 2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10
    return np.asarray(value)


def zdt(x: Points) -> Points:
    g = 1 + x[:, 1:].mean(1)
    return np.asarray(g * (1 - np.sqrt(x[:, 0] / g)) + 0.5 * x[:, 0])


def correlation(first: Points, second: Points) -> float:
    return float(spearmanr(first, second).statistic)


def fitted(
    x: Points, targets: Points, sizes: list[int], settings: EnsembleSettings, unlabelled: Points | None = None
) -> Surrogate:
    surrogate = Surrogate(sizes, settings, np.random.default_rng(1), targets.shape[1])
    surrogate.fit(x, targets, unlabelled)
    return surrogate


@pytest.mark.parametrize(
    ("function", "sizes", "least"), [(branin, [2], 0.75), (branin, [1, 1], 0.3), (zdt, [4, 3], 0.8)]
)
def test_ranks_points_that_it_has_not_seen(
    function: Callable[[Points], Points], sizes: list[int], least: float
) -> None:
    x = np.random.default_rng(0).random((360, sum(sizes)))
    y = function(x)
    targets = 0.1 + 0.8 * (y - y[:60].min()) / (y[:60].max() - y[:60].min())
    surrogate = fitted(x[:60], targets[:60, None].clip(0, 1), sizes, EnsembleSettings())
    assert correlation(surrogate.predict(x[60:]).mean[:, 0], targets[60:]) > least


def test_student_learns_the_spread_of_the_teacher() -> None:
    x = np.random.default_rng(0).random((260, 7))
    targets = 0.1 + 0.8 * zdt(x[:60]).clip(0, 1)[:, None]
    surrogate = fitted(x[:60], targets, [4, 3], EnsembleSettings(), x[60:160])
    unseen = x[160:]
    spread = np.mean([surrogate.spread(unseen) for _ in range(40)], axis=0)[:, 0]
    learnt = surrogate.predict(unseen).deviation[:, 0]
    assert correlation(learnt, spread) > 0.4
    assert np.abs(learnt - spread).mean() < 0.3 * spread.mean()


def test_the_aleatoric_variance_follows_the_noise() -> None:
    generator = np.random.default_rng(5)
    x = generator.uniform(-3, 3, (300, 1))
    y = np.sin(x) + (0.05 + 0.3 * np.abs(x)) * generator.normal(size=(300, 1))
    targets = 0.1 + 0.8 * (y - y.min()) / (y.max() - y.min())
    surrogate = fitted((x + 3) / 6, targets, [1], EnsembleSettings(repeats=1))
    grid = np.linspace(0, 1, 101)
    assert correlation(surrogate.predict(grid[:, None]).variance[:, 0], np.abs(grid - 0.5)) > 0.7


def test_several_targets_are_learnt_at_once_and_gaps_are_left_out() -> None:
    x = np.random.default_rng(0).random((160, 4))
    targets = 0.1 + 0.8 * np.stack([x[:, 0], 1 - x[:, 1]], axis=1)
    told = targets[:60].copy()
    told[::3, 1] = np.nan
    prediction = fitted(x[:60], told, [4], EnsembleSettings()).predict(x[60:])
    assert prediction.mean.shape == prediction.variance.shape == prediction.deviation.shape == (100, 2)
    for head in range(2):
        assert correlation(prediction.mean[:, head], targets[60:, head]) > 0.8


def test_without_the_heteroscedastic_part_the_teacher_gives_the_mean() -> None:
    x = np.random.default_rng(0).random((12, 3))
    surrogate = fitted(x, x[:, :1], [3], EnsembleSettings(epochs=5, heteroscedastic=False))
    prediction = surrogate.predict(x)
    np.testing.assert_allclose(prediction.mean, surrogate.teacher(2 * x - 1))
    assert (prediction.variance == 0).all()


@pytest.mark.parametrize("heteroscedastic", [True, False])
def test_gradients_agree_with_finite_differences(heteroscedastic: bool) -> None:
    x = np.random.default_rng(0).random((30, 3))
    settings = EnsembleSettings(epochs=30, heteroscedastic=heteroscedastic)
    surrogate = fitted(x, 0.1 + 0.8 * x[:, :1] * x[:, 1:2], [2, 1], settings)
    bound = optimistic(0.5, aleatoric=True)
    points = x[:8]
    _, gradient = surrogate.gradient(points, bound)
    steps = 1e-5 * np.eye(3)
    slopes = [(surrogate.values(points + one, bound) - surrogate.values(points - one, bound)) / 2e-5 for one in steps]
    assert np.linalg.norm(gradient - np.stack(slopes, axis=1)) < 1e-3 * np.linalg.norm(gradient)


def test_fit_repeats() -> None:
    x = np.random.default_rng(0).random((12, 3))
    values = []
    for seed in (3, 3, 4):
        surrogate = Surrogate([2, 1], EnsembleSettings(epochs=5), np.random.default_rng(seed))
        surrogate.fit(x, x[:, :1])
        values.append(surrogate.values(x, optimistic(0.5, aleatoric=True)))
    assert np.array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])


def test_the_bound_is_optimistic() -> None:
    x = np.random.default_rng(0).random((12, 3))
    surrogate = fitted(x, x[:, :1], [2, 1], EnsembleSettings(epochs=5))
    mean, variance, deviation = (part[:, 0] for part in surrogate.predict(x))
    assert (deviation > 0).all()
    np.testing.assert_allclose(surrogate.values(x, optimistic(0.5)), mean - 0.5 * deviation)
    np.testing.assert_allclose(surrogate.values(x, optimistic(0.3, True)), mean - 0.3 * (deviation + np.sqrt(variance)))


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(InputError, match="passes must be at least 2, found 1"):
        EnsembleSettings(passes=1)
