from __future__ import annotations

import numpy as np
import pytest

from gnn.bagging import MEMBERS, BaggedTrees, fit_trees, tree_shapes
from gnn.network import SurrogateSettings
from graphdb.errors import InputError

SETTINGS = SurrogateSettings(trees=40, tree_depth=3, tree_rate=0.2)


def noisy(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, values, and their noise: 1 where the second column is 1, else 0.1."""
    generator = np.random.default_rng(seed)
    rows = np.stack([generator.integers(0, 6, n), generator.integers(0, 2, n)], axis=1).astype(float)
    noise = np.where(rows[:, 1] > 0, 1.0, 0.1)
    return rows, rows[:, 0] + noise * generator.normal(size=n), noise


def test_it_knows_where_the_noise_is() -> None:
    rows, values, _ = noisy(600, 0)
    trees, _ = fit_trees(rows, values, SETTINGS, np.random.default_rng(0))
    unseen, expected, noise = noisy(400, 1)
    estimate = trees.predict(unseen)
    assert np.square(estimate.mean - unseen[:, 0])[noise < 1].mean() < 0.02
    assert estimate.aleatoric[noise == 1].mean() > 3 * estimate.aleatoric[noise < 1].mean()
    assert np.mean(np.abs(estimate.mean - expected) <= 1.645 * estimate.std) == pytest.approx(0.9, abs=0.07)


def test_estimates_of_designs_are_by_members_that_have_not_seen_them() -> None:
    """Values that the columns say nothing of: who had seen them would have memorised them."""
    generator = np.random.default_rng(0)
    rows, values = generator.normal(size=(200, 3)), generator.normal(size=200)
    values[:50] = np.nan
    settings = SurrogateSettings(trees=30, tree_depth=7, tree_rate=0.5)
    trees, unseen = fit_trees(rows, values, settings, generator)
    known = ~np.isnan(values)
    assert np.isnan(unseen.mean[:50]).all() and np.isfinite(unseen.std[known]).all()
    assert np.square(trees.predict(rows[known]).mean - values[known]).mean() < 0.3
    assert np.square(unseen.mean - values)[known].mean() > 1.0


def test_as_tensors_and_back() -> None:
    rows, values, _ = noisy(100, 0)
    trees, _ = fit_trees(rows, values, SETTINGS, np.random.default_rng(0))
    tensors = trees.to_tensors()
    assert {name: value.shape for name, value in tensors.items()} == tree_shapes(SETTINGS)
    again = BaggedTrees.from_tensors(tensors, 2, trees.floor, trees.weight)
    assert len(again.means) == MEMBERS
    assert np.array_equal(again.predict(rows).mean, trees.predict(rows).mean)
    assert np.array_equal(again.predict(rows).std, trees.predict(rows).std)
    with pytest.raises(InputError, match="column"):
        BaggedTrees.from_tensors(tensors, 1, trees.floor, trees.weight)
