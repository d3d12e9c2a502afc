"""The FlexiBERT recipe on the real database: known, predicted and trained accuracies, levels, lineage, resuming."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from explorer import registry
from explorer.contracts.recipe import Recipe
from explorer.contracts.session import Progress
from explorer.contracts.simulator import Roles
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.learning import similarity
from explorer.learning.known import KnownValues, known_values
from explorer.recipes.flexibert import recipe as recipe_module
from explorer.recipes.flexibert.recipe import RECIPE
from explorer.recipes.flexibert.simulator import KnownAccuracySimulator
from explorer.recipes.flexibert.training import PretrainingSimulator, folder_of
from explorer.running.study import Study
from explorer.services import studies
from explorer.services.loading import load_published
from gnn.inductive import EncoderSettings
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.records import StudyState, TrialRecord, TrialState
from graphdb.store import Store
from tests.explorer.contracts.recipe import RecipeContract
from tests.explorer.contracts.simulator import SimulatorContract
from tests.explorer.domains.transformer.training.conftest import sentences

QUICK = {"optimiser": "random", "candidates": 300}

OWN = {
    "layers": [2, 4],
    "hidden": [64, 96],
    "heads": [2],
    "head_types": ["l_dct"],
    "feed_forwards": [1, 2],
    "feed_forward_widths": [128, 256],
}


FEW = replace(MODELS, sizes={"members": 1, "steps": 60, "trees": 10})
"""Learns in seconds; nothing here rests on how well."""


def silent(phase: str) -> None:
    """Nobody is told."""


@pytest.fixture(scope="module")
def loaded(session_store: Store) -> Iterator[Store]:
    """A store with the published data; its encoder and surrogate are small, as nothing here rests on their quality."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "SETTINGS", EncoderSettings(width=64, steps=100, group=64))
        patch.setattr(similarity, "DESIGNS_PER_SPACE", 60)
        patch.setattr(recipe_module, "MODELS", FEW)
        session_store.wipe()
        load_published(session_store)
        yield session_store
        session_store.wipe()


@pytest.fixture(scope="module")
def accuracies(loaded: Store) -> KnownValues:
    return known_values(loaded, FEW, "qnli_accuracy", EarlyFlexiBertSpace(), silent)


def run(store: Store, name: str, budget: int, stop_after: int | None = None, **settings: Any) -> list[TrialRecord]:
    """Plan and run a study, or go on with it; `stop_after` ends it as Ctrl-C would once so many trials are done."""

    def progress(now: Progress) -> None:
        if stop_after is not None and now.done >= stop_after:
            raise KeyboardInterrupt

    if name not in {study.name for study in store.studies.list()}:
        studies.plan_study(store, recipe="flexibert", budget=budget, seed=2, name=name, settings=settings)
    with ThreadPoolExecutor(1) as executor:
        study = Study(store, store.studies.get(name), RECIPE, executor, progress)
        if stop_after is None:
            study.run()
        else:
            with pytest.raises(KeyboardInterrupt):
                study.run()
    return store.studies.trials(name)


class TestContract(RecipeContract):
    @pytest.fixture
    def recipe(self) -> Recipe[Any]:
        return RECIPE


class TestKnownAccuracy(SimulatorContract):
    @pytest.fixture
    def simulator(self) -> KnownAccuracySimulator:
        return KnownAccuracySimulator()

    @pytest.fixture
    def architectures(self) -> Roles:
        return {"model": registry.preset("bert-tiny")}

    @pytest.fixture
    def given(self) -> Mapping[str, Any]:
        return {"task": "qnli_accuracy", "accuracy": 0.5, "accuracy_source": "predicted"}


def models(trials: Sequence[TrialRecord]) -> list[str]:
    return [trial.measurement.roles["model"] for trial in trials]


def test_a_measured_accuracy_counts_in_whatever_space_the_model_is(loaded: Store, accuracies: KnownValues) -> None:
    shared = [json.loads(choices) for choices in accuracies.measured]
    space = registry.space("flexibert")
    both = [choices for choices in shared if not space.violations(choices)]
    assert (len(shared), len(both)) == (660, 260)
    for choices in both[:5]:
        value, source = accuracies.of(space.build(choices))
        assert source == "measured" and value == accuracies.measured[space.build(choices).choices_json]
    unknown = registry.space("flexibert2").build(both[0] | {"f": [[4096]] * both[0]["l"]})
    predicted, source = accuracies.of(unknown)
    assert source == "extrapolated" and 0 < predicted < 1
    early = registry.space("flexibert_early")
    sampled = [early.build(early.sample(np.random.default_rng(seed))) for seed in range(40)]
    sources = {one.choices_json in accuracies.measured: accuracies.of(one)[1] for one in sampled}
    assert sources == {True: "measured", False: "predicted"}


def test_a_study_goes_from_coarse_to_fine(loaded: Store, accuracies: KnownValues) -> None:
    trials = run(loaded, "whole", 14, levels=3, trials_per_level=4, **QUICK)
    assert loaded.studies.get("whole").state is StudyState.DONE
    assert [trial.origin.partition(":")[0] for trial in trials] == ["1"] * 4 + ["2"] * 4 + ["3"] * 6
    stored = loaded.architectures.get_many(models(trials))
    assert len(stored) == 14
    for trial in trials:
        model = stored[trial.measurement.roles["model"]]
        value, source = accuracies.of(model)
        assert trial.measurement.measures["accuracy"] == value
        assert trial.measurement.settings["accuracy_source"] == source
        assert trial.measurement.predicted == (frozenset() if source == "measured" else {"accuracy"})
        assert {kind for layer in layers_of(model.choices) for kind in layer.heads} <= {"sa_sdp", "sa_wma"}
    front = {trial.index for trial in studies.study_front(loaded, "whole")}
    values = studies.study_objective(loaded, "whole")
    assert max(values, key=values.__getitem__) in front


def test_finer_models_are_stored_as_children_of_two(loaded: Store, accuracies: KnownValues) -> None:
    trials = run(loaded, "whole", 14, levels=3, trials_per_level=4, **QUICK)
    parents = loaded.architectures.parents(models(trials), 10)
    for trial in trials:
        crossed = [one for one in parents.get(models([trial])[0], []) if one.how == "crossover"]
        assert len(crossed) == (0 if trial.origin.startswith("1") else 2), trial.origin
        assert all(0 < float(one.properties["ratio"]) <= 1 for one in crossed)
    pair = [one.key for one in parents[models(trials)[-1]]]
    children = loaded.architectures.children(pair, 100)
    assert all(models(trials)[-1] in {one.key for one in children[key]} for key in pair)


def test_a_space_of_ones_own_is_kept_with_the_study(loaded: Store, accuracies: KnownValues, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(json.dumps(OWN))
    settings = {"space": str(file), "levels": 2, "trials_per_level": 2, "batch": 2, **QUICK}
    run(loaded, "own", 4, stop_after=2, **settings)
    file.unlink()
    trials = run(loaded, "own", 4)
    stored = loaded.architectures.get_many(models(trials))
    assert len(stored) == 4 and {model.space for model in stored.values()} == {"transformer_free"}
    assert {width for model in stored.values() for width in model.choices["h"]} <= {64, 96}
    assert {kind for model in stored.values() for o in model.choices["o"] for kind in o} <= {"l_dct_32", "l_dct_48"}


def test_a_stopped_study_goes_on_with_the_same_trials(loaded: Store, accuracies: KnownValues) -> None:
    settings = {"optimiser": "boshnas", "candidates": 300, "levels": 2, "trials_per_level": 8, "batch": 3}
    whole = run(loaded, "undisturbed", 14, **settings)
    run(loaded, "stopped", 14, stop_after=5, **settings)
    run(loaded, "stopped", 14, stop_after=11)
    parts = run(loaded, "stopped", 14)
    assert models(parts) == models(whole) and len(set(models(whole))) == 14
    assert [trial.origin for trial in parts] == [trial.origin for trial in whole]
    assert "1: initial" in {trial.origin for trial in whole} and "2: optimise" in {trial.origin for trial in whole}


def test_parameters_can_be_limited_and_weighed(loaded: Store, accuracies: KnownValues) -> None:
    record = studies.plan_study(
        loaded,
        recipe="flexibert",
        budget=8,
        seed=0,
        name="small",
        constraints=["max:parameters=9000000"],
        settings={"weights": {"parameters": 1.0}, **QUICK},
    )
    with ThreadPoolExecutor(1) as executor:
        Study(loaded, record, RECIPE, executor).run()
    values = studies.study_objective(loaded, "small")
    trials = loaded.studies.trials("small")
    assert {t.index for t in trials if t.measurement.measures["parameters"] <= 9e6} == set(values)
    lean = min(values, key=lambda index: trials[index].measurement.measures["parameters"])
    alike = [i for i in values if abs(_accuracy(trials[i]) - _accuracy(trials[lean])) < 0.01]
    assert all(values[lean] >= values[index] - 0.01 for index in alike)


def _accuracy(trial: TrialRecord) -> float:
    return trial.measurement.measures["accuracy"]


@pytest.mark.parametrize(("source", "told"), [("measured", False), ("predicted", False), ("extrapolated", True)])
def test_readers_are_told_what_predictions_are_worth(loaded: Store, source: str, told: bool) -> None:
    model = registry.preset("bert-tiny")
    given = {"task": "qnli_accuracy", "accuracy": 0.5, "accuracy_source": source}
    best = KnownAccuracySimulator().run({"model": model}, given)
    notes = RECIPE.notes(RECIPE.settings({}, 10), best)
    assert "R²" in notes[0]
    assert ("lies outside" in notes[-1]) is told
    with pytest.raises(InputError, match=r"guessed.*extrapolated"):
        KnownAccuracySimulator().settings(given | {"accuracy_source": "guessed"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "beauty"}, "beauty.*qnli_accuracy"),
        ({"levels": 4}, "levels"),
        ({"levels": 0}, "levels"),
        ({"space": "elector"}, "space is 'elector'.*flexibert_large"),
        ({"space": "missing.yaml"}, "missing.yaml"),
        ({"space": {"layers": [2]}}, "hidden"),
        ({"space": OWN | {"layers": [3]}}, "stacks of 2"),
        ({"heads": "sa_sdp,c_13"}, "c_13.*c_9"),
        ({"heads": []}, "heads"),
        ({"colour": 1}, "colour.*levels"),
        ({"steps": 10}, "steps.*mlm_accuracy"),
        ({"transfer": "ordered"}, "transfer.*mlm_accuracy"),
        ({"weights": {"speed": 1.0}}, "speed.*parameters"),
        ({"weights": {"accuracy": 0.0}}, "All weights"),
        ({"target": "mlm_acc"}, "corpus"),
        ({"target": "mlm_acc", "corpus": "missing.txt"}, "missing.txt"),
        ({"target": "mlm_acc", "corpus": "missing.txt", "batch_size": 0}, "batch_size"),
        ({"target": "mlm_acc", "training": {}}, "training"),
    ],
)
def test_bad_settings_leave_no_study(loaded: Store, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        studies.plan_study(loaded, recipe="flexibert", budget=4, seed=0, name="bad", settings=settings)
    assert "bad" not in {study.name for study in loaded.studies.list()}


@pytest.fixture
def corpus(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text of simple rules; weights and caches go to the test's own folders."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("hugging-face")))
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "data"))
    file = tmp_path / "corpus.txt"
    file.write_text("\n\n".join(sentence for sentence, _ in sentences(300, 0)))
    return file


def short(corpus: Path, **more: Any) -> dict[str, Any]:
    """A training of a second or two."""
    length = {"steps": 4, "warmup_steps": 0, "batch_size": 4, "sequence_length": 16, "held_out_sequences": 20}
    return {"target": "mlm_acc", "corpus": str(corpus), "vocabulary": 300, **length, **QUICK, "batch": 2, **more}


def test_every_trial_is_a_training_whose_weights_the_next_may_take(loaded: Store, corpus: Path) -> None:
    run(loaded, "trained", 5, stop_after=3, **short(corpus, transfer="ordered", levels=2, trials_per_level=3))
    trials = run(loaded, "trained", 5)
    assert [trial.state for trial in trials] == [TrialState.DONE] * 5
    by_key = {trial.measurement.key: trial for trial in trials}
    for trial in trials:
        folder = folder_of(trial.measurement.key)
        assert (folder / "model.safetensors").exists() and not (folder / "checkpoint.safetensors").exists()
        assert trial.measurement.measures["mlm_loss"] > 1 and not trial.measurement.predicted
    inherited = [trial for trial in trials if trial.measurement.settings["parent"]]
    assert inherited
    for trial in inherited:
        source = by_key[trial.measurement.settings["parent"]]
        assert source.index < trial.index
        parents = loaded.architectures.parents(models([trial]), 10)[models([trial])[0]]
        weights = [one for one in parents if one.how == "weight transfer"]
        assert [one.key for one in weights] == models([source])
        assert float(weights[0].properties["ratio"]) >= 0.8
    (note,) = RECIPE.notes(loaded.studies.get("trained").settings, trials[0].measurement)
    assert str(folder_of(trials[0].measurement.key)) in note


def test_a_training_that_was_finished_is_not_done_again(corpus: Path) -> None:
    settings = RECIPE.settings(short(corpus), 4)["training"]
    model = registry.preset("bert-tiny")
    first = PretrainingSimulator().run({"model": model}, settings)
    weights = folder_of(first.key) / "model.safetensors"
    written = weights.stat().st_mtime_ns
    assert PretrainingSimulator().run({"model": model}, settings) == first
    assert weights.stat().st_mtime_ns == written
    (folder_of(first.key) / "measures.json").write_text("{")
    with pytest.raises(InputError, match=r"measures\.json is damaged"):
        PretrainingSimulator().run({"model": model}, settings)


def test_another_text_than_the_study_began_with_is_refused(corpus: Path) -> None:
    settings = RECIPE.settings(short(corpus), 4)["training"]
    corpus.write_text(corpus.read_text() + "\n\none more")
    with pytest.raises(InputError, match="has changed"):
        PretrainingSimulator().run({"model": registry.preset("bert-tiny")}, settings)


def test_an_interrupted_study_goes_on_with_the_accuracies_it_began_with(loaded: Store, accuracies: KnownValues) -> None:
    settings = {"levels": 2, "trials_per_level": 4, **QUICK}
    undisturbed = run(loaded, "steady", 12, **settings)
    run(loaded, "shaken", 12, stop_after=5, **settings)
    basis = loaded.studies.get("shaken").basis
    # What is stored in between is another accuracy of a model that the study has yet to try.
    untried = loaded.architectures.get(models(undisturbed)[10])
    taken = [("mlm_loss", registry.preset("bert-tiny"), 9.5), (accuracies.measure.name, untried, 0.99)]
    loaded.architectures.add([architecture for _, architecture, _ in taken])
    loaded.measurements.add(
        Measurement("later", "1", {"model": architecture.key}, {}, {name: value}) for name, architecture, value in taken
    )
    trials = run(loaded, "shaken", 12)
    assert [trial.measurement.key for trial in trials] == [trial.measurement.key for trial in undisturbed]
    assert loaded.studies.get("shaken").basis == basis
    assert basis.keys() == {"encoder", "measured", "surrogate"}
