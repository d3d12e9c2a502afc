"""The TransCODE recipe: Transformers times ELECTOR accelerators, and AccelTran's costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from explorer import registry
from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Inputs, Outcome
from explorer.contracts.options import checked
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Report
from explorer.contracts.simulator import Role, Roles
from explorer.contracts.skill import Source
from explorer.domains.accelerator.acceltran.engines.fit import needed_mib
from explorer.domains.accelerator.acceltran.settings.run import Engine, Mode
from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.measures import QNLI_ACCURACY
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from explorer.learning.kept import keep_table, keep_values, kept_table, kept_values
from explorer.learning.known import known_values, value_table
from explorer.learning.trust import caveat
from explorer.recipes.transcode.areas import Areas
from explorer.recipes.transcode.candidates import Fixed, PairCandidates
from explorer.recipes.transcode.measures import ACCURACY, MEASURES
from explorer.recipes.transcode.models import LegalModels, TableModels
from explorer.recipes.transcode.objectives import OBJECTIVES, objective
from explorer.recipes.transcode.options import BEYOND, NAME, Models, TransCodeSettings
from explorer.recipes.transcode.simulator import TransCodeSimulator
from explorer.recipes.transcode.space_models import SpaceModels
from explorer.running.earlier import keep_earlier, kept_earlier
from explorer.search.making import make
from explorer.search.options import with_search
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord
from graphdb.store import Store

COSTS = MappingProxyType({"engine": Engine.FAST.value, "mode": Mode.CORRECTED.value})
"""Settings of AccelTran where a study names no others; the published co-design has the mode `reference`."""


class TransCode(Recipe[Inputs]):
    """Transformers with a measured accuracy (otherwise predicted and marked as such) on any ELECTOR accelerator.

    Source: Tuli and Jha 2023. There the accuracy is that of gradient-boosted trees fitted to 16 models, which have no
    demonstrated skill; here it is the measured QNLI accuracy of the early FlexiBERT models.
    """

    name = NAME
    options = TransCodeSettings
    measures = MEASURES
    objectives = tuple(OBJECTIVES)
    front = ("accuracy", "latency_s", "energy_j", "area_mm2")
    columns = (*front, "peak_power_w")
    roles: ClassVar[Mapping[str, Role]] = TransCodeSimulator.roles

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """Settings with defaults filled in; options of the optimiser go into `search`, others into `simulation`."""
        del budget
        known = with_search(given, TransCodeSettings.model_fields, self.name)
        own = {name: value for name, value in known.items() if name in TransCodeSettings.model_fields}
        rest = {name: value for name, value in known.items() if name not in own}
        read = checked(TransCodeSettings, own, self.name)
        simulation = AccelTranSimulator().settings({**COSTS, **read.simulation, **rest})
        full = read.model_dump(mode="json") | {"simulation": simulation}
        self.objective(full)  # refuses an invalid objective before anything is stored
        return full

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe."""
        read = checked(TransCodeSettings, settings, self.name)
        return objective(read.objective, read.weights, read.constraints, self.measures, read.front)

    def notes(self, settings: Mapping[str, Any], best: Measurement | None) -> list[str]:
        """That accuracies beyond the measured space have shown no skill, and whether the best has such a one."""
        read = checked(TransCodeSettings, settings, self.name)
        if read.models not in BEYOND:
            return []
        sentences = [caveat(FlexiBert2Space.name, QNLI_ACCURACY.name)]
        if best is not None and best.settings["accuracy_source"] == Source.EXTRAPOLATED:
            sentences.append(
                "The accuracy of the best model is extrapolated: no similar model has been measured, so train it."
            )
        return sentences

    def basis(self, store: Store, record: StudyRecord, report: Report) -> Mapping[str, str]:
        """Train (or load) the accuracy surrogate, and keep what is known of every model and what was measured before.

        Args:
            store: database.
            record: record of the study.
            report: function called with a few words on the current step.
        """
        settings = checked(TransCodeSettings, record.settings, self.name)
        early, measure = EarlyFlexiBertSpace(), QNLI_ACCURACY
        if settings.models in BEYOND:
            known = known_values(store, MODELS, measure.name, early, report)
            kept = {"measured": keep_values(store, known), "surrogate": known.key}
        else:
            table = value_table(store, MODELS, measure.name, early, report)
            kept = {"accuracies": keep_table(store, table, f"{measure.label} of {early.name}")}
        if settings.recalls:
            kept["earlier"] = keep_earlier(
                store, TransCodeSimulator.name, settings.simulation, varying=("accuracy", "accuracy_source")
            )
        return kept

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        """Set up the search among the models whose accuracies the study began with.

        Args:
            store: database.
            record: record of the study.
            report: function called with a few words on the current step.
        """
        del report
        settings = checked(TransCodeSettings, record.settings, self.name)
        models, accuracy_of = (
            _space_models(store, record) if settings.models in BEYOND else _table_models(store, record)
        )
        candidates = _candidates(store, models, settings)
        aim = self.objective(record.settings)
        return Plan(
            simulator=TransCodeSimulator.name,
            objective=aim,
            optimiser=make(settings.optimiser, settings.search, candidates, record.seed, aim.goal),
            batch=settings.batch,
            architectures=candidates.architectures_of,
            design=candidates.design_of,
            pending=lambda roles, done: _pending(roles, accuracy_of(roles["model"]), settings),
            ahead=settings.ahead,
            earlier=_earlier(store, record, candidates, aim, accuracy_of),
        )


AccuracyOf = Callable[[Architecture], tuple[float, Source]]
"""Model -> its accuracy, and where it comes from."""


def _table_models(store: Store, record: StudyRecord) -> tuple[LegalModels, AccuracyOf]:
    """The models of the early space, or those of them that were measured."""
    space = EarlyFlexiBertSpace()
    table = kept_table(store, record.basis["accuracies"], space)
    if record.settings["models"] == Models.MEASURED:
        table = table.measured_only()
    embeddings = np.asarray(table.embeddings, dtype=np.float64)

    def accuracy_of(model: Architecture) -> tuple[float, Source]:
        accuracy, measured = table.value_of(model.key)
        return accuracy, Source.MEASURED if measured else Source.PREDICTED

    return TableModels(table.architectures, embeddings, table.values, space), accuracy_of


def _space_models(store: Store, record: StudyRecord) -> tuple[LegalModels, AccuracyOf]:
    """The models of FlexiBERT 2.0, alone or mixed with those of the early space."""
    early, measured, surrogate = EarlyFlexiBertSpace(), record.basis["measured"], record.basis["surrogate"]
    accuracies = kept_values(store, measured, surrogate, MODELS, QNLI_ACCURACY.name, early)
    inner = early if record.settings["models"] == Models.MIXED else None
    return SpaceModels(FlexiBert2Space(), accuracies, inner), accuracies.of


def _candidates(store: Store, models: LegalModels, settings: TransCodeSettings) -> PairCandidates:
    accelerators = registry.space(ElectorSpace.name)
    assert isinstance(accelerators, ElectorSpace)
    return PairCandidates(
        models,
        accelerators,
        lambda first_hidden: needed_mib(first_hidden, settings.simulation),
        Areas(accelerators, settings.simulation),
        _fixed(store, models, accelerators, settings.fixed),
    )


def _fixed(store: Store, models: LegalModels, accelerators: ElectorSpace, fixed: Mapping[str, str]) -> dict[str, Fixed]:
    """What is held fixed in each role.

    Raises:
        InputError: there is no such role, or the architecture cannot play it.
    """
    held = {}
    for role, key in fixed.items():
        architecture = store.architectures.get(key)
        if role == "model":
            try:
                held[role] = Fixed(architecture, models.vector(architecture))
            except KeyError:
                raise InputError(
                    f"--fix model: the model {architecture.key[:12]} of {architecture.space} is none of those that "
                    f"this study chooses from; allowed: one of {', '.join(models.spaces)}."
                ) from None
        else:
            inside = not accelerators.violations(architecture.choices)
            vector = accelerators.to_vector(architecture.choices) if inside else np.zeros(accelerators.dimensions)
            held[role] = Fixed(architecture, vector, inside)
    return held


def _earlier(
    store: Store, record: StudyRecord, candidates: PairCandidates, aim: Objective, accuracy_of: AccuracyOf
) -> list[tuple[Inputs, Outcome]]:
    """The pairs that had been measured when the study began, with the accuracies that it began with.

    Args:
        store: database.
        record: record of the study.
        candidates: pairs of the study.
        aim: objective of the study.
        accuracy_of: function from a model to its accuracy and the source of that.
    """
    if "earlier" not in record.basis:
        return []
    earlier = []
    for roles, measurement in kept_earlier(store, record.basis["earlier"]):
        try:
            design = candidates.design_of(roles)
        except KeyError:
            continue
        accuracy = accuracy_of(roles["model"])[0]
        earlier.append((design, aim.outcome({**measurement.measures, ACCURACY.name: accuracy})))
    return earlier


def _pending(roles: Roles, accuracy: tuple[float, Source], settings: TransCodeSettings) -> Measurement:
    known = {"accuracy": accuracy[0], "accuracy_source": str(accuracy[1])}
    return TransCodeSimulator().pending(roles, {**settings.simulation, **known})


RECIPE = TransCode()
