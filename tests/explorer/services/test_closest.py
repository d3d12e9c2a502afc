"""The closest trial of a search that nothing satisfies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.contracts.objective import Constraint, Linear, Objective, Term
from explorer.services.closest import closest_of, unmet
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord, TrialState
from tests.fault import toy

RECORD = StudyRecord("strict", "toy", 0, 4, {})


class _Two(toy.ToyRecipe):
    """A loss and a gain, each within limits."""

    measures = catalogue(*toy.ToyRecipe.measures.values(), Measure("gain", "gain", "", Direction.MAXIMISE))

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        return Objective(
            (Term("loss", 1.0, Direction.MINIMISE, Linear(10.0)),),
            (Constraint("loss", maximum=4.0), Constraint("gain", minimum=2.0)),
        )


def trials(*figures: tuple[float, float]) -> Sequence[TrialRecord]:
    return [
        TrialRecord(
            index,
            TrialState.DONE,
            "test",
            Measurement("toy", "1", {"point": str(index)}, {}, MappingProxyType({"loss": loss, "gain": gain})),
        )
        for index, (loss, gain) in enumerate(figures)
    ]


def test_it_names_what_is_missed_by_how_much_and_what_was_seen() -> None:
    # shares missed: 1 and 0; 0.25 and 0.25; 0 and 0.75
    tried = trials((8.0, 2.0), (5.0, 1.5), (3.0, 0.5))
    closest = closest_of(_Two(), RECORD, tried)
    assert closest is not None
    assert (closest.trial.index, closest.violation) == (1, 0.5)
    assert closest.json == {
        "trial": 1,
        "violation": 0.5,
        "misses": [
            {"measure": "loss", "value": 5.0, "minimum": None, "maximum": 4.0, "by": 1.0, "share": 0.25},
            {"measure": "gain", "value": 1.5, "minimum": 2.0, "maximum": None, "by": 0.5, "share": 0.25},
        ],
        "ranges": {
            "loss": {"seen": [3.0, 8.0], "feasible": [8.0, 8.0]},  # where the gain suffices
            "gain": {"seen": [0.5, 2.0], "feasible": [0.5, 0.5]},  # where the loss is small enough
        },
    }
    assert unmet(RECORD, closest, tried) == (
        "No trial of strict meets its constraints. The closest is trial 1: loss is 5, above its maximum of 4 by 1 "
        "(25 %); gain is 1.5, below its minimum of 2 by 0.5 (25 %). Seen so far: loss from 3 to 8, with the other "
        "constraints met 8 to 8; gain from 0.5 to 2, with the other constraints met 0.5 to 0.5. Relax the constraints, "
        "or raise the budget."
    )


def test_measures_that_never_come_with_the_other_constraints_met() -> None:
    closest = closest_of(_Two(), RECORD, trials((8.0, 1.0), (9.0, 1.5)))
    assert closest is not None
    assert {one.measure: one.feasible for one in closest.ranges} == {"loss": None, "gain": None}
    assert "loss from 8 to 9, never with the other constraints met" in closest.sentence


def test_there_is_none_if_a_trial_meets_all_constraints_or_nothing_was_measured() -> None:
    assert closest_of(_Two(), RECORD, trials((8.0, 2.0), (4.0, 2.0))) is None
    assert closest_of(_Two(), RECORD, []) is None
    pending = Measurement("toy", "1", {"point": "0"}, {}, {})
    failed = [TrialRecord(at, TrialState.FAILED, "test", pending, "It is too long.") for at in range(2)]
    assert closest_of(_Two(), RECORD, failed) is None
    assert unmet(RECORD, None, failed) == "No trial of strict could be measured; 2 of 2 say: It is too long."
    assert unmet(RECORD, None, []) == "No trial of strict has been measured yet."


@pytest.mark.parametrize(("value", "by"), [(5.0, 1.0), (-1.0, 2.0)])
def test_a_measure_with_both_limits_is_beyond_the_nearer_one(value: float, by: float) -> None:
    class Within(_Two):
        def objective(self, settings: Mapping[str, Any]) -> Objective:
            term = Term("loss", 1.0, Direction.MINIMISE, Linear(10.0))
            return Objective((term,), (Constraint("loss", minimum=1.0, maximum=4.0),))

    closest = closest_of(Within(), RECORD, trials((value, 0.0)))
    assert closest is not None
    assert closest.misses[0].by == by
    assert ("below its minimum of 1" in closest.sentence) is (value < 1)


def test_a_wide_miss_is_told_in_multiples_of_the_limit() -> None:
    closest = closest_of(_Two(), RECORD, trials((404.0, 2.0)))
    assert closest is not None
    assert "loss is 404, above its maximum of 4 by 400 (100 times the limit)" in closest.sentence
