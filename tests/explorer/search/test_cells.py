"""The synthetic cells of the benchmarks: a space like any other, with a known optimum."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from explorer.contracts.space import DesignSpace
from scripts.searching.cells import EDGES, OPERATIONS, RANGES, Cells, Scorer, topologies
from tests.explorer.contracts.space import SpaceContract


class TestCells(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return Cells()

    def reversible(self, space: DesignSpace, first, second) -> bool:
        return len(first["operations"]) == len(second["operations"])  # taking out a node may join many pairs


def test_the_size_counts_all_cells() -> None:
    assert [len(topologies(size)) for size in range(2, 7)] == [10, 121, 1545, 4793, 2803]
    assert Cells().size == sum(len(topologies(size)) * 5**size for size in range(2, 7))
    assert max(len(links) for links in topologies(6)) == EDGES


@pytest.mark.parametrize("instance", sorted(RANGES))
def test_the_best_cell_scores_one_and_no_other_of_its_topology_more(instance: int) -> None:
    score = Scorer(instance)
    assert Cells().violations(score.best) == []
    assert score(score.best) == pytest.approx(1.0, abs=1e-12)
    links = tuple(tuple(edge) for edge in score.best["edges"])
    every = score._all(len(score.best["operations"]), links)
    assert every.max() == pytest.approx(RANGES[instance][1], abs=1e-12)


def test_all_assignments_at_once_score_as_one_by_one() -> None:
    score = Scorer(1)
    links = topologies(3)[7]
    edges = [list(link) for link in links]
    one_by_one = [
        score.raw({"operations": list(operations), "edges": edges}) for operations in product(OPERATIONS, repeat=3)
    ]
    assert np.allclose(score._all(3, links), one_by_one, atol=1e-12)


def test_another_drawing_of_a_cell_scores_the_same() -> None:
    first = {"operations": ["pool", "wide"], "edges": [[0, 1], [0, 2], [1, 3], [2, 3]]}
    second = first | {"operations": ["wide", "pool"]}
    cells, score = Cells(), Scorer(0)
    assert cells.build(first).fingerprint == cells.build(second).fingerprint
    assert score(first) == pytest.approx(score(second), abs=1e-12)
