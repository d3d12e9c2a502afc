from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from explorer.toolkit.counting import digits, uniform_below


@pytest.mark.parametrize("limit", [1, 2, 3, 255, 256, 257, 10**88])
def test_draws_stay_below_the_limit(limit: int) -> None:
    generator = np.random.default_rng(0)
    assert all(0 <= uniform_below(generator, limit) < limit for _ in range(200))


def test_draws_are_uniform() -> None:
    generator = np.random.default_rng(0)
    counts = Counter(uniform_below(generator, 5) for _ in range(5_000))
    # Chi-squared of 4 degrees of freedom; 28 is about 1 in 10^5.
    assert sum((counts[i] - 1_000) ** 2 / 1_000 for i in range(5)) < 28


def test_draws_reach_the_whole_of_a_huge_range() -> None:
    generator = np.random.default_rng(0)
    draws = [uniform_below(generator, 10**88) / 10**88 for _ in range(2_000)]
    assert np.mean(draws) == pytest.approx(0.5, abs=0.03)
    assert np.std(draws) == pytest.approx(12**-0.5, abs=0.01)


def test_digits_count_like_nested_loops() -> None:
    assert [digits(number, [2, 3]) for number in range(6)] == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
