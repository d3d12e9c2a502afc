"""The course of a study over GraphQL."""

from __future__ import annotations

import dataclasses

import pytest

from explorer import registry
from graphdb.records import NewTrial, StudyRecord
from tests.fault import toy

QUERY = """{ study(name: "mine") {
  incumbent hypervolume expectedImprovement
  origins { name proposals feasible median best improvements gain }
  calibration { count within spearman }
  trials { index incumbent expected { mean deviation } expectedImprovement }
} }"""


@pytest.fixture
def study(store):
    """A study of three trials, the last two of them foreseen."""
    toy.register()
    store.studies.create(StudyRecord("mine", "toy", 0, 3, toy.RECIPE.settings({}, 3)))
    yield "mine"
    registry.refresh()


def measure(store):
    simulator = toy.ToySimulator()
    for index, (x, origin, expected) in enumerate(
        [(21, "random", None), (12, "near", (0.9, 0.2)), (31, "near", (1, 0.1))]
    ):
        roles = {"model": toy.architecture(x), "accelerator": toy.architecture(29)}
        store.architectures.add(roles.values())
        pending = simulator.pending(roles, {"task": "a"})
        store.studies.ask("mine", [NewTrial(index, pending, origin, index, expected)], expectation=0.5)
        store.studies.tell(
            "mine", index, dataclasses.replace(pending, measures=simulator.measured(roles, {"task": "a"}))
        )


def test_the_course_of_a_study(store, ask, study):
    measure(store)
    told = ask(QUERY)["data"]["study"]
    first, best, last = (1 - loss / 3200 for loss in (100, 1, 400))
    assert (told["incumbent"], told["expectedImprovement"]) == (best, 0.5)
    assert told["hypervolume"] > 0
    assert told["origins"] == [
        {"name": "random", "proposals": 1, "feasible": 1, "median": first, "best": first, "improvements": 0, "gain": 0},
        {
            "name": "near",
            "proposals": 2,
            "feasible": 2,
            "median": (best + last) / 2,
            "best": best,
            "improvements": 1,
            "gain": best - first,
        },
    ]
    assert told["calibration"] == {"count": 2, "within": 0.5, "spearman": None}
    trials = told["trials"]
    assert [trial["incumbent"] for trial in trials] == [first, best, best]
    assert [trial["expected"] for trial in trials] == [
        None,
        {"mean": 0.9, "deviation": 0.2},
        {"mean": 1.0, "deviation": 0.1},
    ]
    assert [trial["expectedImprovement"] is None for trial in trials] == [True, False, False]


def test_a_study_without_trials(ask, study):
    told = ask(QUERY)["data"]["study"]
    assert told == {
        "incumbent": None,
        "hypervolume": None,
        "expectedImprovement": None,
        "origins": [],
        "calibration": None,
        "trials": [],
    }
