"""Tables of distances: they converge, whatever their size and scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gnn.table import classical_scaling, distance_table, mean_squared_error
from graphdb.errors import InputError


def realisable(count: int, scale: float, seed: int = 0) -> NDArray[np.float64]:
    points = scale * np.random.default_rng(seed).normal(size=(count, 16))
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))


@pytest.mark.parametrize("scale", [0.01, 5.0, 1000.0])
def test_distances_between_points_are_found_from_any_start(scale: float) -> None:
    distances, generator = realisable(60, scale), np.random.default_rng(1)
    start = generator.normal(size=(60, 16))
    table = distance_table(distances, 16, generator, updates=800, start=scale * start)
    assert mean_squared_error(table, distances) < 1e-3 * distances.var()
    assert mean_squared_error(classical_scaling(distances, 16), distances) < 1e-9 * distances.var()


def test_training_improves_on_classical_scaling_where_distances_are_not_euclidean() -> None:
    points = np.random.default_rng(2).integers(0, 9, size=(60, 20))
    distances = np.abs(points[:, None] - points[None]).sum(axis=-1).astype(np.float64)
    scaled = mean_squared_error(classical_scaling(distances, 8), distances)
    trained = mean_squared_error(distance_table(distances, 8, np.random.default_rng(0), updates=500), distances)
    assert trained < 0.5 * scaled


def test_more_dimensions_than_points_leave_zeros() -> None:
    table = classical_scaling(realisable(3, 1.0), 5)
    assert table.shape == (3, 5)
    assert not table[:, 3:].any()
    assert distance_table(np.zeros((1, 1)), 4, np.random.default_rng(0)).shape == (1, 4)


@pytest.mark.parametrize(
    ("distances", "said"),
    [
        (np.zeros((2, 3)), "shape .2, 3.; it must be square"),
        (np.array([[0.0, -1.0], [-1.0, 0.0]]), "negative or not finite"),
        (np.array([[0.0, np.nan], [np.nan, 0.0]]), "negative or not finite"),
        (np.array([[0.0, 1.0], [2.0, 0.0]]), "not symmetric"),
        (np.array([[1.0, 1.0], [1.0, 0.0]]), "diagonal of 0"),
    ],
)
def test_what_is_no_table_of_distances_is_refused(distances: NDArray[np.float64], said: str) -> None:
    with pytest.raises(InputError, match=said):
        classical_scaling(distances, 2)
