"""The course of a study: improvements, kinds of proposals, and how good predictions were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from explorer.services.course import (
    Calibration,
    Kind,
    best_after,
    calibration_of,
    course_of,
    expected_gain,
    first_best,
    foreseen,
    kinds_of,
    spearman,
)
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord, TrialState
from tests.fault import toy

RECORD = StudyRecord("mine", "toy", 0, 6, {"worst": 1600.0})
"""Losses above 1,600 break the constraint; the performance is 1 - loss / 3,200."""


def trial(
    index: int,
    origin: str,
    loss: float | None,
    told: int | None = None,
    expected: tuple[float, float] | None = None,
    state: TrialState = TrialState.DONE,
) -> TrialRecord:
    measures: Mapping[str, float] = {} if loss is None else {"loss": loss}
    roles = {"model": "a" * 64, "accelerator": "b" * 64}
    return TrialRecord(index, state, origin, Measurement("toy", "1", roles, {}, measures), "", told, expected)


TRIALS = [
    trial(0, "random", 3200.0),  # breaks the constraint
    trial(1, "random", 1600.0),  # 0.5, the first
    trial(2, "near", None, state=TrialState.FAILED),
    trial(3, "near", 800.0, 2, (0.6, 0.2)),  # 0.75
    trial(4, "near", 320.0, 2, (0.85, 0.1)),  # 0.9
    trial(5, "random", 960.0, 4, (0.9, 0.1)),  # 0.7
    trial(6, "near", None, 6, (0.95, 0.01), TrialState.PENDING),
]


def test_each_trial_is_set_beside_the_best_before_it() -> None:
    steps = course_of(toy.RECIPE, RECORD, list(reversed(TRIALS)))
    assert [step.index for step in steps] == list(range(7))
    assert [step.performance for step in steps] == [0.0, 0.5, None, 0.75, 0.9, 0.7, None]
    assert [step.feasible for step in steps] == [False, True, False, True, True, True, False]
    assert [step.incumbent for step in steps] == [None, 0.5, 0.5, 0.75, 0.9, 0.9, 0.9]
    assert [step.gain for step in steps] == pytest.approx([0, 0, 0, 0.25, 0.15, 0, 0])
    assert best_after(steps, (1, 2, 4, 7, 8, 0)) == [None, 0.5, 0.75, 0.9, None, None]
    assert [first_best(steps[:count]) for count in (0, 1, 3, 7)] == [None, None, 1, 4]


def test_the_expected_improvement_is_over_what_was_known_at_the_choice() -> None:
    steps = course_of(toy.RECIPE, RECORD, TRIALS)
    expected = [step.expected_gain for step in steps]
    # Trial 4 was chosen when trials 0 and 1 were known, though trial 3 is better than both.
    assert expected == [None, None, None, *(expected_gain(*case) for case in CHOICES)]
    assert expected_gain((0.7, 0.0), 0.5) == pytest.approx(0.2)
    assert expected_gain((0.3, 0.0), 0.5) == 0.0
    assert expected_gain(None, 0.5) is None and expected_gain((0.3, 0.1), None) is None


CHOICES = [((0.6, 0.2), 0.5), ((0.85, 0.1), 0.5), ((0.9, 0.1), 0.75), ((0.95, 0.01), 0.9)]


@pytest.mark.parametrize(("expected", "incumbent"), CHOICES)
def test_the_expected_improvement_is_that_of_a_normal_value(expected: tuple[float, float], incumbent: float) -> None:
    values = norm(*expected).ppf((np.arange(100_000) + 0.5) / 100_000)
    mean = float(np.maximum(values - incumbent, 0).mean())
    assert expected_gain(expected, incumbent) == pytest.approx(mean, rel=1e-3)


def test_improvements_are_counted_by_the_kind_of_proposal() -> None:
    near, random = Kind("near", 4, 2, 0.825, 0.9, 2, 0.4), Kind("random", 3, 2, 0.6, 0.7, 0, 0.0)
    made = kinds_of(course_of(toy.RECIPE, RECORD, TRIALS))
    assert [kind.origin for kind in made] == ["random", "near"]
    for kind, wanted in zip(made, (random, near), strict=True):
        assert (kind.proposals, kind.feasible, kind.improvements) == (
            wanted.proposals,
            wanted.feasible,
            wanted.improvements,
        )
        assert (kind.middle, kind.best, kind.gain) == pytest.approx((wanted.middle, wanted.best, wanted.gain))
    (nothing,) = kinds_of(course_of(toy.RECIPE, RECORD, TRIALS[:1]))
    assert nothing == Kind("random", 1, 0, None, None, 0, 0.0)


def test_predictions_are_compared_with_what_was_measured() -> None:
    known = foreseen(course_of(toy.RECIPE, RECORD, TRIALS))
    assert [one.trial for one in known] == [3, 4, 5]
    assert [one.measured for one in known] == [0.75, 0.9, 0.7]
    # 0.75 and 0.9 lie within one deviation of 0.6 and 0.85, 0.7 does not of 0.9; the ranks are 1 2 3 and 2 3 1.
    assert calibration_of(known) == Calibration(3, pytest.approx(2 / 3), pytest.approx(-0.5))
    assert calibration_of(known[:2]) == Calibration(2, 1.0, None)
    assert calibration_of([]) is None


@pytest.mark.parametrize("others", [[3.0, 1.0, 2.0, 2.0, 9.0], [0.0, 0.0, 0.0, 1.0, 1.0]])
def test_ranks_agree_with_scipy(others: Sequence[float]) -> None:
    one, other = np.array([1.0, 2.0, 2.0, 4.0, 3.0]), np.array(others)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert spearman(one, np.zeros(5)) is None
    assert spearman(one, -one) == pytest.approx(-1)
