"""Exact distances: what is refused, and what is known when time runs out."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.distance.exact import MOST_VARIABLES, edit_distance
from explorer.distance.graph import PlacedGraph
from graphdb.errors import InputError
from tests.explorer.distance.test_bounds import models


def test_a_graph_too_large_is_refused_in_one_sentence() -> None:
    nothing = np.zeros(0, dtype=np.intp)
    large = PlacedGraph(np.ones(300), nothing, nothing)
    with pytest.raises(InputError, match=rf"300 and 300 blocks needs 90000 variables; allowed: up to {MOST_VARIABLES}"):
        edit_distance(large, large)


def test_when_time_runs_out_the_bounds_are_given() -> None:
    first, second = models(2, seed=3)
    exact = edit_distance(first, second)
    bounds = edit_distance(first, second, time_limit_s=0.0)
    assert exact.exact
    assert not bounds.exact
    assert bounds.lower <= exact.upper <= bounds.upper


def test_distances_of_published_models_obey_the_triangle_inequality() -> None:
    first, second, third = models(3, seed=4)
    direct = edit_distance(first, third).upper
    assert direct <= edit_distance(first, second).upper + edit_distance(second, third).upper + 1e-6
