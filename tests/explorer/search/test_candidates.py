"""Tables of candidates."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.search.candidates import TableCandidates
from graphdb.errors import InputError


def test_snaps_to_the_combination_with_the_smallest_sum_of_mean_differences() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.random((9, 3)), generator.random((7, 5))
    candidates = TableCandidates(first, second)
    for _ in range(20):
        point = (generator.random(3), generator.random(5))
        distance = np.abs(first - point[0]).mean(1)[:, None] + np.abs(second - point[1]).mean(1)[None]
        expected = np.unravel_index(distance.argmin(), distance.shape)
        assert candidates.indices(candidates.snap([point])[0]) == tuple(int(i) for i in expected)


def test_samples_are_legal_and_reach_every_pair() -> None:
    candidates = TableCandidates(np.eye(3), np.arange(4.0)[:, None])
    seen = {candidates.key(design) for design in candidates.sample(np.random.default_rng(0), 300)}
    assert len(seen) == candidates.size == 12
    low, high = candidates.bounds()[1]
    assert (low.tolist(), high.tolist()) == ([0.0], [3.0])


def test_equal_rows_are_one_design_and_others_are_refused() -> None:
    candidates = TableCandidates(np.array([[1.0], [1.0], [2.0]]))
    assert candidates.key(candidates.at(1)) == candidates.key(candidates.at(0))
    with pytest.raises(InputError, match="role 0"):
        candidates.key((np.array([1.5]),))
    with pytest.raises(InputError, match=r"\(0, 2\)"):
        TableCandidates(np.empty((0, 2)))
    with pytest.raises(InputError, match="at least one role"):
        TableCandidates()
