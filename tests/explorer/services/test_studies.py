"""What both the command line and the API ask for: simulate and store, plan a study, and read its front."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer import registry
from explorer.running.study import Study
from explorer.services import studies
from graphdb.errors import ConflictError, InputError, NotFoundError
from graphdb.records import TrialState
from graphdb.store import Store
from tests.fault import toy

INFERENCE = {"task": "inference", "engine": "fast", "mode": "reference"}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    del registry.SIMULATORS["toy"], registry.RECIPES["toy"]
    registry.simulator.cache_clear()


def pair(model: str, accelerator: str) -> dict[str, object]:
    presets = registry.presets()
    return {"model": presets[model], "accelerator": presets[accelerator]}


def test_a_simulation_is_stored_once_with_its_architectures(store: Store) -> None:
    first = studies.simulate(store, "acceltran", pair("bert-tiny", "edge"), INFERENCE)
    assert studies.simulate(store, "acceltran", pair("bert-tiny", "edge"), INFERENCE) == first
    assert store.measurements.get(first.key) == first
    assert first.measures["cycles"] == 167596
    assert sum(store.architectures.counts().values()) == 2


def test_a_simulation_that_is_refused_stores_nothing(store: Store) -> None:
    with pytest.raises(InputError, match="MiB"):
        studies.simulate(store, "acceltran", pair("bert-base", "edge"), INFERENCE)
    with pytest.raises(InputError, match=r"chess.*acceltran"):
        studies.simulate(store, "chess", pair("bert-tiny", "edge"), INFERENCE)
    assert store.architectures.counts() == {}


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
