"""The recipe for trained networks: objectives, candidates, and studies on the real database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from explorer.contracts.recipe import Recipe
from explorer.recipes.nasbench.candidates import candidates
from explorer.recipes.nasbench.recipe import RECIPE
from explorer.running.executor import open_executor
from explorer.running.merits import front_of, hypervolumes
from explorer.running.study import Study
from explorer.services import studies
from graphdb.errors import InputError
from graphdb.records import StudyRecord, TrialRecord
from graphdb.store import Store
from tests.explorer.contracts.recipe import RecipeContract


class TestContract(RecipeContract):
    @pytest.fixture
    def recipe(self) -> Recipe[Any]:
        return RECIPE


class TestContractOnADevice(RecipeContract):
    @pytest.fixture
    def recipe(self) -> Recipe[Any]:
        return RECIPE

    @pytest.fixture
    def given(self) -> Mapping[str, Any]:
        return {"device": "pixel_3", "front": True}


def shares(**given: Any) -> dict[str, float]:
    objective = RECIPE.objective(RECIPE.settings(given, 10))
    return {term.measure: round(term.weight, 6) for term in objective.terms}


def test_weights_follow_the_device_and_the_user() -> None:
    assert shares() == {"cifar10_accuracy": 1.0}
    assert shares(device="pixel_3") == {"cifar10_accuracy": 0.95, "latency_s": 0.05}
    assert shares(front=True) == {"cifar10_accuracy": 0.5, "multiplications_per_image": 0.5}
    assert shares(device="pixel_3", weights={"latency": 0.0}) == {"cifar10_accuracy": 1.0}
    assert shares(weights={"accuracy": 3.0, "parameters": 1.0}) == {"cifar10_accuracy": 0.75, "parameters": 0.25}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": {"beauty": 1.0}}, "no weight for 'beauty'; allowed: accuracy, latency, parameters"),
        ({"weights": {"accuracy": -1.0}}, "weight of accuracy is -1.0; a number of at least 0"),
        ({"weights": {"accuracy": 0.0}}, "All weights are 0"),
        ({"weights": {"latency": 0.1}}, "reads latency_s, and there is no device; allowed: a --device"),
        ({"constraints": ["max:latency_s=0.01"]}, "reads latency_s, and there is no device"),
        ({"space": "nasbench_macro", "device": "pixel_3"}, "reads latency_s, which was not measured of nasbench_macro"),
        (
            {"space": "nasbench_macro", "constraints": ["min:cifar10_noisy_accuracy=0.5"]},
            "cifar10_noisy_accuracy, which was not measured of nasbench_macro; allowed: cifar10_accuracy, parameters",
        ),
        ({"space": "nasbench101"}, "space of nasbench is 'nasbench101'; allowed: nasbench201, nasbench_macro"),
        ({"optimiser": "evolution", "population": 0}, "population of the optimiser evolution is 0"),
    ],
)
def test_settings_that_make_no_search_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RECIPE.settings(given, 10)


@pytest.mark.parametrize(("space", "size"), [("nasbench201", 15_625), ("nasbench_macro", 6_561)])
def test_sizes_are_known_of_all_candidates(space: str, size: int) -> None:
    every = candidates(space)
    library = every.library()
    assert library is not None and len(library) == size
    drawn = [library[row] for row in np.random.default_rng(0).integers(size, size=20)]
    known = every.known(drawn)
    for row, design in enumerate(drawn):
        measures = RECIPE.objective(RECIPE.settings({"space": space}, 1)).measures
        assert measures == {"cifar10_accuracy"}
        facts = _facts(every.architecture(design))
        assert {name: values[row] for name, values in known.items()} == facts
    assert {name: len(values) for name, values in every.known([]).items()} == dict.fromkeys(known, 0)


def _facts(architecture: Any) -> dict[str, float]:
    from explorer.domains.cnn.nasbench.facts import facts

    return facts(architecture)


def run(store: Store, name: str, budget: int, **settings: Any) -> tuple[StudyRecord, list[TrialRecord]]:
    record = studies.plan_study(store, recipe="nasbench", budget=budget, seed=3, name=name, settings=settings)
    with open_executor(1, None) as executor:
        Study(store, record, RECIPE, executor).run()
    return store.studies.get(name), store.studies.trials(name)


def test_a_study_by_accuracy_finds_a_good_network_and_the_next_begins_there(store: Store) -> None:
    _, trials = run(store, "first", 12)
    accuracies = [trial.measurement.measures["cifar10_accuracy"] for trial in trials]
    assert len(accuracies) == 12
    assert max(accuracies) > max(accuracies[:5])
    _, again = run(store, "second", 6)
    assert again[0].measurement.measures["cifar10_accuracy"] == max(accuracies)
    assert {trial.measurement.key for trial in again[1:]}.isdisjoint(trial.measurement.key for trial in trials)
    _, cold = run(store, "third", 5, cold=True)
    assert [trial.measurement.key for trial in cold] == [trial.measurement.key for trial in trials[:5]]


def test_a_study_on_a_device_has_a_front_of_accuracy_and_latency(store: Store) -> None:
    record, trials = run(store, "device", 10, device="pixel_3", front=True, constraints=["max:parameters=1000000"])
    assert RECIPE.front_under(record.settings) == ("cifar10_accuracy", "latency_s")
    assert all("latency_s" in trial.measurement.measures for trial in trials)
    assert front_of(RECIPE, record, trials)
    assert hypervolumes(RECIPE, record, trials)[-1] > 0


def test_any_optimiser_searches_either_space(store: Store) -> None:
    for optimiser in ("random", "evolution", "local-search"):
        record, trials = run(store, f"macro-{optimiser}", 6, space="nasbench_macro", optimiser=optimiser)
        assert RECIPE.front_under(record.settings) == ("cifar10_accuracy", "multiplications_per_image")
        assert len(front_of(RECIPE, record, trials)) >= 1
