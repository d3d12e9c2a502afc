"""The accuracy of every model of a space: measured where somebody has fine-tuned it, else predicted and marked so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer import surrogates
from explorer.domains.transformer.early import EarlyFlexiBertSpace
from explorer.loading import load_published
from explorer.skill import caveat
from explorer.surrogates import MODELS, Report
from graphdb.architecture import Architecture
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


def early_accuracies(store: Store, measure: str, report: Report) -> AccuracyTable:
    """The 2,037 models of the early FlexiBERT space.

    Trains the surrogate on what the database holds unless it did so before, and writes the embeddings of all stored
    Transformers back. The published measurements are loaded where the database has none.

    Args:
        measure: `qnli_accuracy` or `sst2_accuracy`.
        report: told in a few words what is being done.
    """
    known = store.measurements.with_measure(measure, space=EarlyFlexiBertSpace.name)
    if not known:
        report("loading the published data")
        load_published(store)
        known = store.measurements.with_measure(measure, space=EarlyFlexiBertSpace.name)
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
