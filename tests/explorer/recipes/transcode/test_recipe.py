"""The TransCODE recipe on the real database: trained surrogate, measured and predicted accuracies, whole studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.objective import pareto_front
from explorer.contracts.optimiser import Inputs
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.simulator import Roles
from explorer.domains.accelerator.learning import PAIRS
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.learning import surrogates
from explorer.learning.known import ValueTable, value_table
from explorer.recipes.transcode import recipe as recipe_module
from explorer.recipes.transcode.recipe import COSTS, RECIPE
from explorer.recipes.transcode.simulator import TransCodeSimulator
from explorer.running.executor import open_executor
from explorer.running.study import Study
from explorer.services import studies
from explorer.services.loading import load_published
from graphdb.errors import InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, StudyState, TrialState
from graphdb.store import Store
from tests.explorer.contracts.recipe import RecipeContract
from tests.explorer.contracts.simulator import SimulatorContract

FEW = replace(MODELS, sizes={"members": 2, "steps": 200, "trees": 60})
FEW_PAIRS = replace(PAIRS, sizes={"members": 1, "steps": 150, "trees": 0})
"""Learn in seconds, and well enough for what is tested here."""


def silent(phase: str) -> None:
    """Nobody is told."""


class TestContract(RecipeContract):
    @pytest.fixture
    def recipe(self) -> Recipe[Any]:
        return RECIPE

    def test_the_front_is_accurate_fast_frugal_and_small(self) -> None:
        assert list(RECIPE.directions.values()) == [Direction.MAXIMISE] + [Direction.MINIMISE] * 3


class TestSimulatorContract(SimulatorContract):
    later = frozenset({"phase"})

    @pytest.fixture
    def simulator(self) -> TransCodeSimulator:
        return TransCodeSimulator()

    @pytest.fixture
    def architectures(self) -> Roles:
        return {"model": registry.preset("bert-tiny"), "accelerator": registry.preset("edge")}

    @pytest.fixture
    def given(self) -> Mapping[str, Any]:
        return {"engine": "fast", "accuracy": 0.8, "accuracy_source": "predicted"}

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"accuracy": 1.5}, "accuracy of transcode is 1.5; allowed: a number from 0 to 1"),
            ({"accuracy_source": "guessed"}, "accuracy_source of transcode is 'guessed'; allowed: measured, predicted"),
            ({"optimiser": "sgd"}, "no effect without a backward pass"),
            ({"beauty": 1}, "no setting 'beauty' of transcode"),
        ],
    )
    def test_settings_are_checked(self, given: Mapping[str, Any], changed: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            TransCodeSimulator().settings({**given, **changed})
        with pytest.raises(InputError, match="accuracy of transcode is missing"):
            TransCodeSimulator().settings({"accuracy_source": "measured"})


@pytest.fixture(scope="module")
def loaded(session_store: Store) -> Iterator[Store]:
    """A store with the published data and nothing else at first; surrogates of it are small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe_module, "MODELS", FEW)
        patch.setattr(registry, "learning_tasks", lambda: (FEW, FEW_PAIRS))
        session_store.wipe()
        load_published(session_store)
        yield session_store
        session_store.wipe()


@pytest.fixture(scope="module")
def table(loaded: Store) -> ValueTable:
    return value_table(loaded, FEW, "qnli_accuracy", EarlyFlexiBertSpace(), silent)


def run(store: Store, name: str, scheduler: str | None = None, **settings: object) -> list[tuple[str, ...]]:
    constraints = settings.pop("constraints", ())
    assert isinstance(constraints, tuple)
    record = studies.plan_study(
        store, recipe="transcode", budget=14, seed=5, name=name, constraints=constraints, settings=settings
    )
    with open_executor(2, scheduler) as executor:
        Study(store, record, RECIPE, executor).run()
    return [tuple(trial.measurement.roles.values()) for trial in store.studies.trials(name)]


def test_loading_is_idempotent(loaded: Store) -> None:
    counts = load_published(loaded)
    assert all(new == 0 and old > 0 for new, old in counts.values())


def test_every_model_has_an_accuracy_and_the_measured_ones_are_the_published(table: ValueTable) -> None:
    assert len(table.architectures) == 2037
    assert int(table.measured.sum()) == 660
    assert table.embeddings.shape == (2037, 32)
    published = {
        measurement.roles["model"]: measurement.measures["qnli_accuracy"]
        for measurement in registry.published().measurements
        if "qnli_accuracy" in measurement.measures
    }
    assert all(table.value_of(key) == (accuracy, True) for key, accuracy in published.items())
    assert len(table.measured_only().architectures) == 660


def test_predictions_know_something(table: ValueTable, loaded: Store) -> None:
    """Where deep models were measured they are worse on average or better, and the predictions must agree."""
    depth = np.array([model.choices["l"] for model in table.architectures])
    measured = [table.values[table.measured & (depth == layers)].mean() for layers in (2, 4)]
    predicted = [table.values[~table.measured & (depth == layers)].mean() for layers in (2, 4)]
    assert np.sign(measured[1] - measured[0]) == np.sign(predicted[1] - predicted[0])
    assert table.values[~table.measured].std() > 0.005


def test_the_surrogate_is_trained_once(loaded: Store, table: ValueTable) -> None:
    phases: list[str] = []
    again = value_table(loaded, FEW, "qnli_accuracy", EarlyFlexiBertSpace(), phases.append)
    assert not any("training" in phase for phase in phases)
    np.testing.assert_array_equal(again.values, table.values)
    np.testing.assert_array_equal(again.embeddings, table.embeddings)


def test_every_stored_transformer_has_its_embedding(loaded: Store, table: ValueTable) -> None:
    assert surrogates.trained(loaded, FEW, silent).key
    stored = registry.published().architectures
    keys = [architecture.key for architecture in stored if architecture.domain == "transformer"]
    vectors = loaded.embeddings.read(keys)
    assert set(vectors) == set(keys)
    row = {model.key: index for index, model in enumerate(table.architectures)}
    known = [key for key in keys if key in row]
    np.testing.assert_allclose(
        [vectors[key] for key in known], table.embeddings[[row[key] for key in known]], rtol=1e-5
    )


def test_a_study_measures_stores_and_marks(loaded: Store, table: ValueTable) -> None:
    run(loaded, "whole")
    assert loaded.studies.get("whole").state is StudyState.DONE
    trials = loaded.studies.trials("whole")
    assert [trial.state for trial in trials] == [TrialState.DONE] * 14
    for trial in trials:
        accuracy, measured = table.value_of(trial.measurement.roles["model"])
        assert trial.measurement.measures["accuracy"] == accuracy
        assert trial.measurement.predicted == (frozenset() if measured else {"accuracy"})
    assert {trial.origin for trial in trials} >= {"initial", "optimise"}


def test_the_costs_of_a_trial_are_those_of_acceltran(loaded: Store, table: ValueTable) -> None:
    trial = loaded.studies.trials("whole")[0]
    pair = loaded.architectures.get_many(list(trial.measurement.roles.values()))
    roles = {role: pair[key] for role, key in trial.measurement.roles.items()}
    alone = registry.simulator("acceltran").run(roles, COSTS)
    assert {name: trial.measurement.measures[name] for name in alone.measures} == alone.measures


def test_costs_are_corrected_unless_the_published_ones_are_asked_for() -> None:
    assert {**RECIPE.settings({}, 4)["simulation"], **COSTS} == RECIPE.settings({}, 4)["simulation"]
    assert RECIPE.settings({"mode": "reference"}, 4)["simulation"]["mode"] == "reference"
    began = RECIPE.settings({"mode": "reference"}, 4)
    assert RECIPE.settings(began, 4) == began


def test_the_front_holds_no_dominated_trial_and_misses_none(loaded: Store, table: ValueTable) -> None:
    front = {trial.index for trial in studies.study_front(loaded, "whole")}
    trials = loaded.studies.trials("whole")
    expected = pareto_front([trial.measurement.measures for trial in trials], RECIPE.directions)
    assert {trials[index].measurement.key for index in expected} == {trials[index].measurement.key for index in front}
    values = studies.study_objective(loaded, "whole")
    assert max(values, key=values.__getitem__) in {
        trial.index for trial in trials if values[trial.index] == max(values.values())
    }


def test_a_study_on_a_dask_cluster_measures_the_same(loaded: Store, table: ValueTable) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        # Other sequences, so that nothing is known from the study above.
        asked = run(loaded, "cluster", cluster.scheduler_address, sequence_length=96)
    initial = 5  # designs that do not depend on any result
    first = loaded.studies.trials("whole")[:initial]
    assert asked[:initial] == [tuple(trial.measurement.roles.values()) for trial in first]
    for trial in loaded.studies.trials("cluster"):
        pair = loaded.architectures.get_many(list(trial.measurement.roles.values()))
        roles = {role: pair[key] for role, key in trial.measurement.roles.items()}
        assert registry.simulator("transcode").run(roles, trial.measurement.settings).measures == dict(
            trial.measurement.measures
        )


def test_accelerators_are_embedded_by_the_surrogate_of_pairs(loaded: Store, table: ValueTable) -> None:
    """One decision away is nearer than a random design, for most."""
    space, generator = registry.space("elector"), np.random.default_rng(3)
    centre = space.sample(generator)
    near = [space.build(choices) for choices in space.neighbours(centre)][::4]
    far = [space.build(space.sample(generator)) for _ in range(60)]
    key = space.build(centre).key
    loaded.architectures.add([space.build(centre), *near, *far])
    surrogates.ensure_embedding(loaded, key, silent)
    similar = {other for other, _ in loaded.embeddings.similar(key, len(near))}
    assert len(similar & {architecture.key for architecture in near}) > len(near) / 2
    phases: list[str] = []
    surrogates.ensure_embedding(loaded, key, phases.append)
    assert phases == []


def test_constraints_hold_for_what_counts_as_found(loaded: Store, table: ValueTable) -> None:
    run(loaded, "small", constraints=("max:area_mm2=300",), optimiser="random")  # the default keeps the limit at once
    trials = loaded.studies.trials("small")
    values = studies.study_objective(loaded, "small")
    areas = [trial.measurement.measures["area_mm2"] for trial in trials]
    assert {index for index, area in enumerate(areas) if area <= 300} == set(values)
    assert max(areas) > 300


def prepared(store: Store, name: str) -> Plan[Inputs]:
    return RECIPE.prepare(store, store.studies.get(name), silent)


def test_a_second_study_learns_from_the_first_whatever_its_weights(loaded: Store, table: ValueTable) -> None:
    first = loaded.studies.trials("whole")
    pairs = {frozenset(trial.measurement.roles.values()) for trial in first}
    second = run(loaded, "second", weights={"area": 0.9})
    plan = prepared(loaded, "second")
    earlier = {
        frozenset(one.key for one in plan.architectures(design).values()): outcome for design, outcome in plan.earlier
    }
    assert pairs <= earlier.keys()
    for trial in first:
        assert earlier[frozenset(trial.measurement.roles.values())].values == (
            plan.objective.value(trial.measurement.measures),
        )
    assert loaded.studies.trials("second")[0].origin == "recalled"
    assert frozenset(second[0]) == max(earlier, key=lambda pair: earlier[pair].values)
    run(loaded, "cold", weights={"area": 0.9}, cold=True)
    assert "earlier" not in loaded.studies.get("cold").basis
    assert prepared(loaded, "cold").earlier == []
    assert "recalled" not in {trial.origin for trial in loaded.studies.trials("cold")}


def test_a_role_is_held_fixed_and_only_what_can_play_it_is(loaded: Store, table: ValueTable) -> None:
    model, edge, base = table.architectures[3], registry.preset("edge"), registry.preset("bert-base")
    loaded.architectures.add([model, edge, base])
    half = run(loaded, "half", fixed={"accelerator": edge.key}, optimiser="local-search")
    assert {accelerator for accelerator, _ in half} == {edge.key}
    assert len({other for _, other in half}) == 14
    half = run(loaded, "other-half", fixed={"model": model.key}, optimiser="random")
    assert {other for _, other in half} == {model.key}
    with pytest.raises(InputError, match="none of those"):
        run(loaded, "misfit", fixed={"model": base.key}, optimiser="random")


def test_models_beyond_the_measured_ones_are_marked_as_extrapolated(loaded: Store, table: ValueTable) -> None:
    run(loaded, "beyond", models="flexibert2", optimiser="random")
    trials = loaded.studies.trials("beyond")
    assert {trial.measurement.settings["accuracy_source"] for trial in trials} == {"extrapolated"}
    assert all(trial.measurement.predicted == {"accuracy"} for trial in trials)
    sentences = RECIPE.notes(loaded.studies.get("beyond").settings, trials[0].measurement)
    assert "no demonstrated skill" in sentences[0]
    assert "extrapolated" in sentences[1]
    assert RECIPE.notes(loaded.studies.get("whole").settings, trials[0].measurement) == []


def test_settings_of_the_time_before_optimisers_had_options_still_open(loaded: Store, table: ValueTable) -> None:
    settings = RECIPE.settings({"optimiser": "boshcode"}, 4)
    old = {name: value for name, value in settings.items() if name not in ("ahead", "cold", "front", "fixed", "search")}
    basis = {"accuracies": loaded.studies.get("whole").basis["accuracies"]}
    plan = RECIPE.prepare(loaded, StudyRecord("old", "transcode", 3, 4, old, basis=basis), silent)
    assert type(plan.optimiser).__name__ == "Boshcode"
    assert (plan.ahead, plan.earlier) == (0, [])
    assert len(plan.optimiser.ask(2)) == 2


def test_options_reach_the_optimiser_and_a_front_is_of_the_terms_that_count() -> None:
    settings = RECIPE.settings({"initial": 9, "sequence_length": 64, "front": True, "weights": {"area": 0}}, 4)
    assert settings["search"] == {"initial": 9}
    assert settings["simulation"]["sequence_length"] == 64
    assert RECIPE.settings(settings, 4) == settings
    aim = RECIPE.objective(settings)
    assert aim.count == 4
    assert "area_mm2" not in aim.measures
    with pytest.raises(InputError, match="front of transcode"):
        RECIPE.settings({"front": True, "optimiser": "boshcode"}, 4)
    with pytest.raises(InputError, match="initial"):
        RECIPE.settings({"initial": 0}, 4)


def test_measured_models_only(loaded: Store, table: ValueTable) -> None:
    run(loaded, "measured", models="measured", optimiser="random")
    assert not any(trial.measurement.predicted for trial in loaded.studies.trials("measured"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": "some"}, "models"),
        ({"batch": 0}, "batch"),
        ({"sequence_length": 0}, "sequence_length"),
        ({"beauty": 1}, "beauty"),
        ({"objective": "best"}, "decades, published"),
        ({"task": "play"}, "inference, training"),
    ],
)
def test_bad_settings_leave_no_study(loaded: Store, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        studies.plan_study(loaded, recipe="transcode", budget=4, seed=0, name="bad", settings=settings)
    assert "bad" not in {study.name for study in loaded.studies.list()}


def test_nothing_to_learn_from_is_said(store: Store) -> None:
    with pytest.raises(NotFoundError, match="explorer load"):
        surrogates.trained(store, MODELS, silent)


def test_an_interrupted_study_goes_on_with_the_accuracies_it_began_with(loaded: Store, table: ValueTable) -> None:
    run(loaded, "undisturbed", optimiser="random")
    undisturbed = loaded.studies.trials("undisturbed")
    settings = {"optimiser": "random"}
    studies.plan_study(loaded, recipe="transcode", budget=12, seed=5, name="disturbed", settings=settings)
    with ThreadPoolExecutor(1) as executor:
        Study(loaded, loaded.studies.get("disturbed"), RECIPE, executor).run()
        basis = loaded.studies.get("disturbed").basis
        # Both change what a new study would learn from; the second is another value of a model that is tried later.
        model = loaded.architectures.get(undisturbed[13].measurement.roles["model"])
        taken = [("mlm_loss", registry.preset("bert-tiny"), 9.5), ("qnli_accuracy", model, 0.99)]
        loaded.architectures.add([architecture for _, architecture, _ in taken])
        loaded.measurements.add(
            Measurement("later", "1", {"model": architecture.key}, {}, {name: value})
            for name, architecture, value in taken
        )
        loaded.studies.set_budget("disturbed", 14)
        Study(loaded, loaded.studies.get("disturbed"), RECIPE, executor).run()
    trials = loaded.studies.trials("disturbed")
    assert [trial.measurement.key for trial in trials] == [trial.measurement.key for trial in undisturbed]
    assert loaded.studies.get("disturbed").basis == basis == loaded.studies.get("undisturbed").basis
    assert len(loaded.tables.get(basis["accuracies"])) < 300_000
