"""What both the command line and the API ask of studies: plan one, and read its front and its progress."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import pytest

from explorer import registry
from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.running.merits import front_of, hypervolumes
from explorer.running.study import Study
from explorer.services import studies
from graphdb.errors import ConflictError, InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord, TrialState
from graphdb.store import Store
from tests.fault import toy


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    registry.refresh()


def test_a_study_without_a_name_gets_the_first_free_one(store: Store) -> None:
    made = [
        studies.plan_study(store, recipe="toy", budget=4, seed=0, name=name) for name in (None, "toy-3", None, None)
    ]
    assert [record.name for record in made] == ["toy-1", "toy-3", "toy-2", "toy-4"]
    assert store.studies.get("toy-2").settings["task"] == "a"


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"budget": 0}, InputError, "budget is 0; allowed: 1 to"),
        ({"budget": 2**63}, InputError, "budget is 9223372036854775808"),
        ({"seed": -1}, InputError, "seed is -1; allowed: 0 to"),
        ({"seed": 10**30}, InputError, "seed is 1000"),
        ({"name": ""}, InputError, "''"),
        ({"name": "a b"}, InputError, "'a b'"),
        ({"name": "x" * 101}, InputError, "100 letters"),
        ({"name": "taken"}, ConflictError, "taken"),
        ({"recipe": "chess"}, InputError, "chess.*transcode"),
    ],
)
def test_a_plan_that_cannot_be_leaves_no_study(
    store: Store, changed: dict[str, object], error: type[Exception], words: str
) -> None:
    studies.plan_study(store, recipe="toy", budget=4, seed=0, name="taken")
    plan = {"recipe": "toy", "budget": 4, "seed": 0} | changed
    with pytest.raises(error, match=words):
        studies.plan_study(store, **plan)  # type: ignore[arg-type]
    assert [study.name for study in store.studies.list()] == ["taken"]


def test_the_front_holds_the_best_feasible_trials_each_once(store: Store) -> None:
    record = studies.plan_study(store, recipe="toy", budget=24, seed=1, settings={"worst": 600.0})
    with ThreadPoolExecutor(2) as executor:
        Study(store, record, toy.RECIPE, executor).run()
    done = [trial for trial in store.studies.trials(record.name) if trial.state is TrialState.DONE]
    feasible = {
        trial.index: trial.measurement.measures["loss"] for trial in done if trial.measurement.measures["loss"] <= 600
    }
    assert 0 < len(feasible) < len(done)
    values = studies.study_objective(store, record.name)
    assert values.keys() == feasible.keys()
    assert max(values, key=values.__getitem__) == min(feasible, key=feasible.__getitem__)
    front = studies.study_front(store, record.name)
    assert {trial.measurement.measures["loss"] for trial in front} == {min(feasible.values())}
    assert len({trial.measurement.key for trial in front}) == len(front)
    with pytest.raises(NotFoundError, match="nothing"):
        studies.study_front(store, "nothing")


def test_the_hypervolume_grows_with_the_front_and_counts_from_the_worst(store: Store) -> None:
    record = studies.plan_study(store, recipe="toy", budget=24, seed=1, settings={"worst": 600.0})
    with ThreadPoolExecutor(2) as executor:
        Study(store, record, toy.RECIPE, executor).run()
    trials = store.studies.trials(record.name)
    values = studies.study_objective(store, record.name)
    losses = {trial.index: trial.measurement.measures["loss"] for trial in trials if trial.index in values}
    expected = []
    for index in range(len(trials)):
        best = min((loss for at, loss in losses.items() if at <= index), default=max(losses.values()))
        expected.append(max(losses.values()) - best)
    assert hypervolumes(toy.RECIPE, record, trials[::-1]) == pytest.approx(expected)
    assert hypervolumes(toy.RECIPE, record, trials[:0]) == []


class _Two(toy.ToyRecipe):
    """Judged by a second measure too, which one trial lacks."""

    measures = catalogue(*toy.ToyRecipe.measures.values(), Measure("gain", "gain", "", Direction.MAXIMISE))
    front = ("loss", "gain")
    worst = MappingProxyType({"loss": 10.0})


def test_a_recipe_says_from_where_the_hypervolume_counts() -> None:
    record = StudyRecord("two", "toy", 0, 4, _Two().settings({}, 4))
    figures = [{"loss": 8.0, "gain": 1.0}, {"loss": 1.0}, {"loss": 4.0, "gain": 3.0}, {"loss": 12.0, "gain": 9.0}]
    trials = [
        TrialRecord(index, TrialState.DONE, "test", Measurement("toy", "1", {"point": str(index)}, {}, measures))
        for index, measures in enumerate(figures)
    ]
    trials.append(TrialRecord(4, TrialState.FAILED, "test", Measurement("toy", "1", {"point": "4"}, {}, {})))
    # gains count from 1, the least of the trials, and losses from 10: only the third is better than both
    assert hypervolumes(_Two(), record, trials) == pytest.approx([0.0, 0.0, 12.0, 12.0, 12.0])
    assert [trial.index for trial in front_of(_Two(), record, trials)] == [2, 3]
