"""The accuracy of every model of a space: measured where somebody has fine-tuned it, else predicted and marked so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.skill import Source, caveat
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.learning import surrogates
from explorer.learning.surrogates import MODELS, Report
from explorer.services.loading import load_published
from gnn.surrogate import GraphSurrogate
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement
from graphdb.store import Store


@dataclass(frozen=True)
class AccuracyTable:
    """n models with embeddings and accuracies.

    Attributes:
        architectures: n models.
        embeddings: `(n, d)`, of the surrogate's encoder.
        accuracies: `(n,)`, 0 to 1.
        measured: `(n,)`, whether the accuracy was measured.
    """

    architectures: Sequence[Architecture]
    embeddings: NDArray[np.float32]
    accuracies: NDArray[np.float64]
    measured: NDArray[np.bool_]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {architecture.key: row for row, architecture in enumerate(self.architectures)}

    def accuracy_of(self, key: str) -> tuple[float, bool]:
        """Accuracy of a model, and whether it was measured."""
        row = self._rows[key]
        return float(self.accuracies[row]), bool(self.measured[row])

    def measured_only(self) -> AccuracyTable:
        """The models whose accuracy was measured."""
        kept = np.flatnonzero(self.measured)
        chosen = [self.architectures[int(row)] for row in kept]
        return AccuracyTable(chosen, self.embeddings[kept], self.accuracies[kept], self.measured[kept])


@dataclass(frozen=True)
class Accuracies:
    """The accuracy of any Transformer, by measurement or by surrogate.

    Attributes:
        measure: `qnli_accuracy` or `sst2_accuracy`.
        measured: choices as JSON -> mean of what was measured, whatever space the model was stored in.
        surrogate: for the rest.
    """

    measure: str
    measured: Mapping[str, float]
    surrogate: GraphSurrogate

    def of(self, model: Architecture) -> tuple[float, Source]:
        """Accuracy of a model, 0 to 1, and where it comes from.

        Predicted one by one, as the last bits of a prediction may depend on what is predicted beside it.
        """
        known = self.measured.get(model.choices_json)
        if known is not None:
            return known, Source.MEASURED
        column = self.surrogate.measures.index(self.measure)
        value = float(np.clip(self.surrogate.predict([model]).mean[0, column], 0.0, 1.0))
        outside = EarlyFlexiBertSpace().violations(model.choices)
        return value, Source.EXTRAPOLATED if outside else Source.PREDICTED


def transformer_accuracies(store: Store, measure: str, report: Report) -> Accuracies:
    """What the database and the surrogate of it know; the surrogate is trained unless it was before.

    Args:
        measure: `qnli_accuracy` or `sst2_accuracy`.
        report: told in a few words what is being done.
    """
    rows = _known(store, measure, report)
    found = surrogates.trained(store, MODELS, report)
    architectures = store.architectures.get_many(sorted({row.roles["model"] for row in rows}))
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(architectures[row.roles["model"]].choices_json, []).append(row.measures[measure])
    return Accuracies(measure, {choices: fmean(some) for choices, some in values.items()}, found.surrogate)


def early_accuracies(store: Store, measure: str, report: Report) -> AccuracyTable:
    """The 2,037 models of the early FlexiBERT space.

    Trains the surrogate on what the database holds unless it did so before, and writes the embeddings of all stored
    Transformers back. The published measurements are loaded where the database has none.

    Args:
        measure: `qnli_accuracy` or `sst2_accuracy`.
        report: told in a few words what is being done.
    """
    known = _known(store, measure, report, EarlyFlexiBertSpace.name)
    found = surrogates.trained(store, MODELS, report)
    surrogates.embed(store, "transformer", found, MODELS.embeds["transformer"], report)
    space = EarlyFlexiBertSpace()
    report(f"predicting the accuracy of unmeasured models. {caveat(space.name, measure)}")
    models = [space.build(choices) for choices in space.enumerate()]
    column = found.surrogate.measures.index(measure)
    accuracies = np.clip(found.surrogate.predict(models).mean[:, column], 0.0, 1.0)
    rows = {model.key: row for row, model in enumerate(models)}
    measured = np.zeros(len(models), dtype=np.bool_)
    for measurement in known:
        row = rows[measurement.roles["model"]]
        accuracies[row], measured[row] = measurement.measures[measure], True
    return AccuracyTable(models, found.surrogate.embed(models), accuracies, measured)


def _known(store: Store, measure: str, report: Report, space: str | None = None) -> list[Measurement]:
    """What somebody has measured on a model alone; the published data are loaded where there is nothing."""
    found = _measured(store, measure, space)
    if not found:
        report("loading the published data")
        load_published(store)
        found = _measured(store, measure, space)
    return found


def _measured(store: Store, measure: str, space: str | None) -> list[Measurement]:
    rows = store.measurements.with_measure(measure, space=space)
    return [row for row in rows if set(row.roles) == {"model"} and measure not in row.predicted]
