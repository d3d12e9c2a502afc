"""The TransCODE recipe: early FlexiBERT models times ELECTOR accelerators, AccelTran's costs, BOSHCODE's choice."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer import registry
from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Inputs, Optimiser
from explorer.contracts.options import checked
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Report
from explorer.contracts.simulator import Roles
from explorer.domains.accelerator.acceltran.engines.fit import fits
from explorer.domains.accelerator.acceltran.settings.run import Engine, Mode
from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.measures import QNLI_ACCURACY
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.learning.kept import keep_table, kept_table
from explorer.learning.known import ValueTable, value_table
from explorer.recipes.transcode.candidates import PairCandidates
from explorer.recipes.transcode.measures import MEASURES
from explorer.recipes.transcode.objectives import OBJECTIVES, objective
from explorer.recipes.transcode.options import NAME, AccuracySource, Models, SearchBy, TransCodeSettings
from explorer.recipes.transcode.simulator import TransCodeSimulator
from explorer.search.baselines import RandomSearch
from explorer.search.boshcode import Boshcode, BoshcodeSettings
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

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """Settings with defaults filled in; those of AccelTran go into `simulation`."""
        del budget
        own = {name: value for name, value in given.items() if name in TransCodeSettings.model_fields}
        rest = {name: value for name, value in given.items() if name not in own}
        read = checked(TransCodeSettings, own, self.name)
        simulation = AccelTranSimulator().settings({**COSTS, **read.simulation, **rest})
        full = read.model_dump(mode="json") | {"simulation": simulation}
        self.objective(full)  # refuses an invalid objective before anything is stored
        return full

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe."""
        read = checked(TransCodeSettings, settings, self.name)
        return objective(read.objective, read.weights, read.constraints, self.measures)

    def basis(self, store: Store, record: StudyRecord, report: Report) -> Mapping[str, str]:
        """Train (or load) the accuracy surrogate, and keep the accuracy and the embedding of every model.

        Args:
            store: database.
            record: record of the study.
            report: function called with a few words on the current step.
        """
        del record
        table = value_table(store, MODELS, QNLI_ACCURACY.name, EarlyFlexiBertSpace(), report)
        return {"accuracies": keep_table(store, table, f"{QNLI_ACCURACY.label} of {EarlyFlexiBertSpace.name}")}

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        """Set up the search among the models whose accuracies the study began with.

        Args:
            store: database.
            record: record of the study.
            report: function called with a few words on the current step.
        """
        del report
        settings = checked(TransCodeSettings, record.settings, self.name)
        table = kept_table(store, record.basis["accuracies"], EarlyFlexiBertSpace())
        if settings.models is Models.MEASURED:
            table = table.measured_only()
        candidates = _candidates(table, settings)
        return Plan(
            simulator=TransCodeSimulator.name,
            objective=self.objective(record.settings),
            optimiser=_optimiser(candidates, settings, record.seed),
            batch=settings.batch,
            architectures=candidates.architectures_of,
            design=candidates.design_of,
            pending=lambda roles, done: _pending(roles, table, settings),
        )


def _candidates(table: ValueTable, settings: TransCodeSettings) -> PairCandidates:
    return PairCandidates(
        table.architectures,
        np.asarray(table.embeddings, dtype=np.float64),
        registry.space(ElectorSpace.name),
        lambda model, accelerator: fits(model, accelerator, settings.simulation),
    )


def _optimiser(candidates: PairCandidates, settings: TransCodeSettings, seed: int) -> Optimiser[Inputs]:
    if settings.optimiser is SearchBy.RANDOM:
        return RandomSearch(candidates, seed)
    return Boshcode(candidates, seed, BoshcodeSettings())


def _pending(roles: Roles, table: ValueTable, settings: TransCodeSettings) -> Measurement:
    accuracy, measured = table.value_of(roles["model"].key)
    source = AccuracySource.MEASURED if measured else AccuracySource.PREDICTED
    known = {"accuracy": accuracy, "accuracy_source": source.value}
    return TransCodeSimulator().pending(roles, {**settings.simulation, **known})


RECIPE = TransCode()
