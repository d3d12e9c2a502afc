from __future__ import annotations

import numpy as np
import pytest

from explorer.toolkit.reading import among, finite_vector, is_integer, is_number, key_violations, shown
from graphdb.errors import InputError


def test_shown_is_short_and_can_be_written() -> None:
    for value in (10**10_000, [10**10_000], "x" * 10_000, list(range(10_000)), "\ud800", {"\ud800": [[[[[[[[1]]]]]]]]}):
        assert 0 < len(shown(value)) < 100
        shown(value).encode()


def test_json_types_are_kept_apart() -> None:
    assert [is_integer(value) for value in (1, True, 1.0, "1", None)] == [True, False, False, False, False]
    assert [is_number(value) for value in (1, 1.5, True, float("nan"), 10**400)] == [True, True, False, False, True]
    assert [among(value, [1, "a"]) for value in (1, True, 1.0, "a", [1])] == [True, False, False, True, False]


def test_keys() -> None:
    assert key_violations({"a": 1, "b": 2}, ["a"], ["b"]) == []
    assert key_violations({}, ["a"]) == ["The key a is missing."]
    assert key_violations({"a": 1, "c": 1}, ["a"]) == ["The key 'c' is unknown; allowed: a."]
    assert key_violations([], ["a"]) == ["The choices are []; allowed: an object with the keys a."]


def test_vectors_are_brought_within_bounds() -> None:
    lowest, highest = np.zeros(3), np.ones(3)
    assert finite_vector([np.nan, np.inf, -5], lowest, highest).tolist() == [0, 1, 0]
    with pytest.raises(InputError, match=r"shape \(2,\); allowed: \(3,\)"):
        finite_vector([0, 1], lowest, highest)
