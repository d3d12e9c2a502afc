"""Outcomes and observations: what counts as better, and what is no outcome."""

from __future__ import annotations

import math

import pytest

from explorer.contracts.optimiser import Observation, Outcome
from graphdb.errors import InputError


def seen(*values: float, violation: float = 0.0) -> Observation[str]:
    return Observation("design", "design", Outcome(values, (violation,)))


@pytest.mark.parametrize(
    ("values", "violations"),
    [((math.inf,), ()), ((), ()), ((0.5,), (-1.0,)), ((0.5,), (math.nan,)), ((0.5,), (0.0, math.inf))],
)
def test_nonsense_is_no_outcome(values: tuple[float, ...], violations: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="told to an optimiser"):
        Outcome(values, violations)


def test_a_design_that_lacks_one_value_is_not_measured() -> None:
    assert not Outcome((0.5, math.nan)).measured
    assert not Outcome.failed(2).measured and len(Outcome.failed(2).values) == 2
    assert math.isnan(seen(0.5, math.nan).value)
    assert seen(0.1, 0.1).rank > seen(0.9, math.nan).rank


def test_domination_asks_for_better_under_one_objective_and_worse_under_none() -> None:
    assert seen(1.0, 2.0).dominates(seen(1.0, 1.0))
    assert not seen(1.0, 1.0).dominates(seen(1.0, 1.0))
    assert not seen(1.0, 2.0).dominates(seen(2.0, 1.0)) and not seen(2.0, 1.0).dominates(seen(1.0, 2.0))
    assert seen(0.0, 0.0).dominates(seen(9.0, 9.0, violation=0.1))
    assert seen(0.0, 0.0, violation=5.0).dominates(seen(math.nan, 9.0))
    assert not seen(math.nan, 0.0).dominates(seen(math.nan, 9.0))
