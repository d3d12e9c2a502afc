"""The TransCODE recipe: early FlexiBERT models times ELECTOR accelerators, AccelTran's costs, BOSHCODE's choice."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from explorer import registry
from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Optimiser
from explorer.contracts.recipe import Plan, Recipe, Report, Roles, checked
from explorer.domains.accelerator.acceltran.engines.fit import fits
from explorer.learning.known import AccuracyTable, early_accuracies
from explorer.recipes.transcode.candidates import PairCandidates
from explorer.recipes.transcode.objectives import objective
from explorer.recipes.transcode.simulator import TransCodeSimulator
from explorer.search.baselines import RandomSearch
from explorer.search.boshcode import Boshcode, BoshcodeSettings
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord
from graphdb.store import Store

MEASURE = "qnli_accuracy"
PUBLISHED_COSTS = MappingProxyType({"engine": "fast", "mode": "reference"})
"""What the co-design was published with, and what its data set of pairs holds; both can be set otherwise."""


class TransCodeSettings(BaseModel):
    """All that the trials of a study depend on, besides its seed and the data in the database.

    Attributes:
        objective: `decades` or `published`.
        weights: term -> weight, in place of the published ones.
        constraints: `max:measure=value`, `min:measure=value`.
        models: `all` 2,037 models of the space, or the `measured` 660.
        optimiser: `boshcode`, or `random` to compare with.
        batch: proposals asked for at a time (published: 4).
        simulation: settings of AccelTran.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    objective: str = "decades"
    weights: dict[str, float] = Field(default_factory=dict)
    constraints: list[str] = Field(default_factory=list)
    models: Literal["all", "measured"] = "all"
    optimiser: Literal["boshcode", "random"] = "boshcode"
    batch: int = Field(default=4, ge=1, le=64)
    simulation: dict[str, Any] = Field(default_factory=dict)


class TransCode(Recipe):
    """Transformers whose accuracy was measured (or, if not, is predicted and marked so) on any ELECTOR accelerator.

    Published: Tuli and Jha 2023. There the accuracy is that of gradient-boosted trees on 16 models, which have no
    demonstrated skill; here it is the measured QNLI accuracy of the early FlexiBERT models.
    """

    name = "transcode"
    description = "The best pair of a Transformer and its accelerator."
    front = MappingProxyType(
        {"accuracy": "maximise", "latency_s": "minimise", "energy_j": "minimise", "area_mm2": "minimise"}
    )
    columns = ("accuracy", "latency_s", "energy_j", "area_mm2", "peak_power_w")

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """Settings with defaults filled in; names that are AccelTran's go into `simulation`."""
        own = {name: value for name, value in given.items() if name in TransCodeSettings.model_fields}
        rest = {name: value for name, value in given.items() if name not in own}
        read = checked(TransCodeSettings, own, self.name)
        simulation = registry.simulator("acceltran").settings({**PUBLISHED_COSTS, **read.simulation, **rest})
        full = read.model_dump() | {"simulation": simulation}
        self.objective(full)  # refuses what cannot be an objective before anything is stored
        return full

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe."""
        return objective(
            settings["objective"],
            settings["weights"],
            settings["constraints"],
            registry.simulator("transcode").measures,
        )

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan:
        """Train (or find) the accuracy surrogate, embed the models, and set the search up."""
        settings = checked(TransCodeSettings, record.settings, self.name)
        table = early_accuracies(store, MEASURE, report)
        if settings.models == "measured":
            table = table.measured_only()
        candidates = _candidates(table, settings)
        return Plan(
            simulator="transcode",
            objective=self.objective(record.settings),
            optimiser=_optimiser(candidates, settings, record.seed),
            batch=settings.batch,
            architectures=candidates.architectures_of,
            inputs=candidates.inputs_of,
            pending=lambda roles, done: _pending(roles, table, settings),
        )


def _candidates(table: AccuracyTable, settings: TransCodeSettings) -> PairCandidates:
    return PairCandidates(
        table.architectures,
        np.asarray(table.embeddings, dtype=np.float64),
        registry.space("elector"),
        lambda model, accelerator: fits(model, accelerator, settings.simulation),
    )


def _optimiser(candidates: PairCandidates, settings: TransCodeSettings, seed: int) -> Optimiser:
    if settings.optimiser == "random":
        return RandomSearch(candidates, seed)
    return Boshcode(candidates, seed, BoshcodeSettings())


def _pending(roles: Roles, table: AccuracyTable, settings: TransCodeSettings) -> Measurement:
    accuracy, measured = table.accuracy_of(roles["model"].key)
    source = "measured" if measured else "predicted"
    return TransCodeSimulator().pending(roles, {**settings.simulation, "accuracy": accuracy, "accuracy_source": source})


RECIPE = TransCode()
