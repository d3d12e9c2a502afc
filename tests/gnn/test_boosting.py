from __future__ import annotations

import numpy as np
import pytest

from gnn.boosting import MAXIMUM_BINS, BinnedRows, Trees, boosted


def interaction(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values that are high where two columns are; the third says nothing."""
    rows = np.random.default_rng(seed).integers(0, 4, size=(n, 3)).astype(float)
    return rows, np.where((rows[:, 0] > 1) & (rows[:, 1] > 1), 11.0, 9.0)


def test_it_learns_what_two_columns_say_together() -> None:
    rows, values = interaction(400, 0)
    trees = boosted(BinnedRows.of(rows), values, 150, 3, 0.1, np.random.default_rng(0))
    unseen, expected = interaction(200, 1)
    assert np.abs(trees.predict(unseen) - expected).max() < 0.1


def test_a_single_split_gives_the_means_of_both_sides() -> None:
    rows = np.repeat([[0.0], [1.0]], 50, axis=0)
    values = np.where(rows[:, 0] > 0, 3.0, 1.0)
    trees = boosted(BinnedRows.of(rows), values, 1, 1, 1.0, np.random.default_rng(0))
    assert trees.columns[0, 0] == 0 and trees.thresholds[0, 0] == 0.5
    assert trees.predict(np.array([[-5.0], [0.5], [0.6], [7.0]])) == pytest.approx([1.0, 1.0, 3.0, 3.0])


def test_thresholds_choose_the_same_leaves_as_bins() -> None:
    """Values that are not whole, more of them than bins: what training says of its rows, prediction repeats."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(500, 2))
    values = np.sin(3 * rows[:, 0])
    data = BinnedRows.of(rows)
    assert data.bins.max() < MAXIMUM_BINS and data.edges.shape[0] == 2
    for column in range(2):
        below = rows[:, column][data.bins[:, column] == 10]
        assert (below > data.edges[column, 9]).all() and (below <= data.edges[column, 10]).all()
    trees = boosted(data, values, 200, 4, 0.1, generator)
    assert np.square(trees.predict(rows) - values).mean() < 0.02


def test_values_without_a_split_give_their_mean() -> None:
    rows = np.ones((30, 2))
    trees = boosted(BinnedRows.of(rows), np.linspace(0.0, 1.0, 30), 20, 3, 0.0, np.random.default_rng(0))
    assert trees.predict(np.array([[0.0, 5.0], [1.0, 1.0]])) == pytest.approx([0.5, 0.5])
    assert np.isfinite(trees.thresholds).all()


def test_the_same_generator_gives_the_same_trees() -> None:
    rows, values = interaction(100, 0)

    def grown(seed: int) -> Trees:
        return boosted(BinnedRows.of(rows), values, 10, 3, 0.1, np.random.default_rng(seed))

    assert np.array_equal(grown(1).leaves, grown(1).leaves)
    assert not np.array_equal(grown(1).leaves, grown(2).leaves)
    assert grown(1).depth == 3
