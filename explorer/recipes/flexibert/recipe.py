"""The FlexiBERT recipe: Transformers from coarse to fine, by a known, predicted or trained accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Candidates, Inputs, Optimiser
from explorer.contracts.options import checked
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Descent, Report
from explorer.contracts.simulator import Roles
from explorer.contracts.skill import Source
from explorer.contracts.space import Choices
from explorer.domains.transformer import transfer
from explorer.domains.transformer.crossing import crossed
from explorer.domains.transformer.hierarchy import LEVELS
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.rules import Rule
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options
from explorer.domains.transformer.transfer import ENOUGH, overlap
from explorer.learning import similarity
from explorer.learning.kept import keep_values, kept_values
from explorer.learning.known import KnownValues, known_values
from explorer.learning.trust import caveat
from explorer.recipes.flexibert.levels import Levels
from explorer.recipes.flexibert.measures import ACCURACY, MEASURES
from explorer.recipes.flexibert.options import NAME, TRAINED, FlexiBertSettings
from explorer.recipes.flexibert.settings import complete, objective, space_of
from explorer.recipes.flexibert.simulator import KnownAccuracySimulator
from explorer.recipes.flexibert.training import PretrainingSimulator, folder_of
from explorer.running.earlier import keep_earlier, kept_earlier
from explorer.search.making import make
from explorer.search.staged import StagedSearch
from graphdb.architecture import Architecture, Scalar
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord
from graphdb.store import Store

_MOST_EARLIER = 300  # each of them is encoded


class FlexiBert(Recipe[Inputs]):
    """Search for one Transformer, level by level, on its decisions or (BOSHNAS, as published) on graph embeddings.

    Source: Tuli and others 2023. There every level has its own embedding; here one encoder serves all levels, so a
    level starts with the results of the previous ones.
    """

    name = NAME
    options = FlexiBertSettings
    measures = MEASURES
    front = ("accuracy", "parameters")
    columns = front

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """All settings, with defaults filled in; those of a training go into `training`."""
        full = complete(given, budget)
        objective(full, self.measures)  # refuses an invalid objective before anything is stored
        return full.model_dump(mode="json")

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe."""
        return objective(checked(FlexiBertSettings, settings, self.name), self.measures)

    def notes(self, settings: Mapping[str, Any], best: Measurement | None) -> list[str]:
        """Notes on where predictions have shown skill, or on where the weights of the best model are."""
        read = checked(FlexiBertSettings, settings, self.name)
        if read.target != TRAINED:
            sentences = [caveat(EarlyFlexiBertSpace.name, read.target)]
            if best is not None and best.settings["accuracy_source"] == Source.EXTRAPOLATED:
                sentences.append(
                    "The best model lies outside that space: no similar model has been measured, so train it."
                )
            return sentences
        return [] if best is None else [f"Its weights: {folder_of(best.key)}, for explorer finetune flexibert."]

    def basis(self, store: Store, record: StudyRecord, report: Report) -> Mapping[str, str]:
        """Train (or load) the encoder and, for a known accuracy, its surrogate, and keep them and what was measured.

        Args:
            store: database.
            record: record of the study.
            report: function called with a few words on the current step.
        """
        settings = checked(FlexiBertSettings, record.settings, self.name)
        kept = {"encoder": similarity.keep_encoder(store, "transformer", report)}
        if settings.recalls:
            kept["earlier"] = _keep_earlier(store, settings)
        if settings.target == TRAINED:
            return kept
        known = known_values(store, MODELS, settings.target, EarlyFlexiBertSpace(), report)
        return kept | {"measured": keep_values(store, known), "surrogate": known.key}

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        """Build the first level, with the encoder, the surrogate and the measured values that the study began with.

        Args:
            store: database.
            record: record of the study.
            report: function called with a few words on the current step.
        """
        settings = checked(FlexiBertSettings, record.settings, self.name)
        accuracies = None
        if settings.target != TRAINED:
            measured, surrogate = record.basis["measured"], record.basis["surrogate"]
            accuracies = kept_values(store, measured, surrogate, MODELS, settings.target, EarlyFlexiBertSpace())
        encoder = similarity.kept_encoder(store, "transformer", record.basis["encoder"])
        space = space_of(settings)
        options = replace(space.options, head_kinds=tuple(settings.heads or ()))
        earlier = _kept_earlier(store, record, space, options, accuracies)
        report("building and encoding the models of a level")
        levels = Levels(
            space,
            options,
            LEVELS[: settings.levels],
            encoder.embed,
            trials=settings.trials_per_level or record.budget,
            most=settings.candidates,
            seed=record.seed,
            earlier=[model for model, _ in earlier],
        )
        aim = self.objective(record.settings)

        def optimiser_of(candidates: Candidates[Inputs], seed: int) -> Optimiser[Inputs]:
            return make(settings.optimiser, settings.search, candidates, seed, aim.goal)

        search = StagedSearch(settings.levels, levels.stage, optimiser_of, record.seed)
        return Plan(
            simulator=PretrainingSimulator.name if accuracies is None else KnownAccuracySimulator.name,
            objective=aim,
            optimiser=search,
            batch=settings.batch,
            architectures=lambda design: {"model": levels.architecture_of(design)},
            design=lambda roles: levels.design_of(roles["model"]),
            pending=lambda roles, done: (
                _to_be_trained(roles, settings, {one.measurement.key: _model(one, levels) for one in done})
                if accuracies is None
                else _known(roles, settings, accuracies)
            ),
            descents=lambda roles, measurement: _descents(roles["model"], measurement, store, levels),
            ahead=settings.ahead,
            earlier=[(levels.design_of(model), aim.outcome(measures)) for model, measures in earlier],
        )


def _known(roles: Roles, settings: FlexiBertSettings, accuracies: KnownValues) -> Measurement:
    accuracy, source = accuracies.of(roles["model"])
    given = {"task": settings.target, "accuracy": accuracy, "accuracy_source": str(source)}
    return KnownAccuracySimulator().pending(roles, given)


def _keep_earlier(store: Store, settings: FlexiBertSettings) -> str:
    """Keeps which models had been measured under the same settings; whose weights they inherited does not matter."""
    if settings.target == TRAINED:
        given = {name: value for name, value in (settings.training or {}).items() if name not in ("parent", "rule")}
        simulator, varying = PretrainingSimulator.name, ("parent", "rule")
    else:
        given, simulator = {"task": settings.target}, KnownAccuracySimulator.name
        varying = ("accuracy", "accuracy_source")
    return keep_earlier(store, simulator, given, varying=varying, most=_MOST_EARLIER)


def _kept_earlier(
    store: Store, record: StudyRecord, space: LayeredSpace, options: Options, accuracies: KnownValues | None
) -> list[tuple[Architecture, Mapping[str, float]]]:
    """The models of the space that had been measured when the study began, each once, with their measures.

    Args:
        store: database.
        record: record of the study.
        space: space of the study's models.
        options: options of the space that the study chooses from.
        accuracies: accuracies that the study began with; None if they are trained.
    """
    if "earlier" not in record.basis:
        return []
    models: dict[str, tuple[Architecture, Mapping[str, float]]] = {}
    for roles, measurement in kept_earlier(store, record.basis["earlier"]):
        choices = roles["model"].choices
        if space.violations(choices) or not _head_kinds(choices) <= set(options.head_kinds):
            continue
        model = space.build(choices)
        known = {} if accuracies is None else {ACCURACY.name: accuracies.of(model)[0]}
        models.setdefault(model.key, (model, {**measurement.measures, **known}))
    return list(models.values())


def _head_kinds(choices: Choices) -> set[str]:
    return {kind for layer in layers_of(choices) for kind in layer.heads}


def _to_be_trained(roles: Roles, settings: FlexiBertSettings, done: Mapping[str, Architecture]) -> Measurement:
    """The training to be done, with the weights of the trained model that sets the largest share, if that is enough.

    Args:
        roles: role -> architecture, with the model.
        settings: settings of the study.
        done: key of a measurement -> model that was trained.
    """
    given = dict(settings.training or {})
    if settings.transfer != "none":
        rule: Rule = settings.transfer
        trained = {key: other.choices for key, other in done.items()}
        best = transfer.best_source(roles["model"].choices, trained, rule)
        if best is not None and best[1] >= ENOUGH:
            given |= {"parent": best[0], "rule": rule}
    return PretrainingSimulator().pending(roles, given)


def _model(trial: TrialRecord, levels: Levels) -> Architecture:
    return levels.model(trial.measurement.roles["model"])


def _descents(model: Architecture, measurement: Measurement, store: Store, levels: Levels) -> Sequence[Descent]:
    """Descents from the models between which it lies, and from the one whose weights it inherits."""
    descents = [crossed(model, parent) for parent in levels.parents_of(model)]
    source = measurement.settings.get("parent")
    if source is not None:
        parent = levels.model(store.measurements.get(source).roles["model"])
        rule = measurement.settings["rule"]
        about: dict[str, Scalar] = {"rule": rule, "ratio": overlap(parent.choices, model.choices, rule)}
        descents.append(Descent(model, parent, transfer.HOW, about))
    return descents


RECIPE = FlexiBert()
