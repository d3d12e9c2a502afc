"""The value of a measure for every design of a space: measured if available, otherwise predicted and marked as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from explorer import registry
from explorer.contracts.learning_task import LearningTask
from explorer.contracts.measure import Measure
from explorer.contracts.session import Report
from explorer.contracts.skill import Source
from explorer.contracts.space import DesignSpace
from explorer.learning import surrogates
from explorer.learning.trust import caveat
from gnn.surrogate import GraphSurrogate
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement
from graphdb.store import Store

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ValueTable:
    """n designs with embeddings and the values of one measure.

    Attributes:
        architectures: the n designs.
        embeddings: their embeddings by the surrogate's encoder, `(n, d)`.
        values: their values in the unit of the measure, `(n,)`.
        measured: whether each value was measured, `(n,)`.
    """

    architectures: Sequence[Architecture]
    embeddings: NDArray[np.float32]
    values: Array
    measured: NDArray[np.bool_]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {architecture.key: row for row, architecture in enumerate(self.architectures)}

    def value_of(self, key: str) -> tuple[float, bool]:
        """The value of the design with this key, and whether it was measured."""
        row = self._rows[key]
        return float(self.values[row]), bool(self.measured[row])

    def measured_only(self) -> ValueTable:
        """The designs whose value was measured."""
        kept = np.flatnonzero(self.measured)
        chosen = [self.architectures[int(row)] for row in kept]
        return ValueTable(chosen, self.embeddings[kept], self.values[kept], self.measured[kept])


@dataclass(frozen=True)
class KnownValues:
    """The value of a measure for any design of a domain, measured or predicted.

    Attributes:
        measure: the measure.
        measured: choices as JSON -> mean of the measured values, whatever space the design was stored in.
        surrogate: predicts all other values.
        space: the space whose designs were measured; predictions for other designs are extrapolations.
        key: the key of the surrogate in the database.
    """

    measure: Measure
    measured: Mapping[str, float]
    surrogate: GraphSurrogate
    space: DesignSpace
    key: str

    def of(self, architecture: Architecture) -> tuple[float, Source]:
        """The value of a design in the unit of the measure, and its source.

        Designs are predicted one by one, because the last bits of a prediction may depend on the others in a batch.
        """
        known = self.measured.get(architecture.choices_json)
        if known is not None:
            return known, Source.MEASURED
        value = float(_predicted(self.surrogate, self.measure, [architecture])[0])
        outside = self.space.violations(architecture.choices)
        return value, Source.EXTRAPOLATED if outside else Source.PREDICTED

    def many(self, architectures: Sequence[Architecture]) -> Array:
        """The values of n designs, shape `(n,)`; the last bits of predictions may depend on which ones they are."""
        missing = [row for row, one in enumerate(architectures) if one.choices_json not in self.measured]
        values = np.array([self.measured.get(one.choices_json, np.nan) for one in architectures])
        if missing:
            values[missing] = _predicted(self.surrogate, self.measure, [architectures[row] for row in missing])
        return values


def known_values(store: Store, task: LearningTask, measure: str, space: DesignSpace, report: Report) -> KnownValues:
    """The values in the database, and the surrogate for all others, which is trained if necessary.

    The published measurements are loaded if the database has none.

    Args:
        store: the database.
        task: the task of the surrogate; its first role is the one that measured designs play by themselves.
        measure: one of the task's measures.
        space: the space whose designs were measured.
        report: called with a few words about the current work.

    Raises:
        InputError: the task does not learn the measure.
        NotFoundError: there are no measurements that the task learns from.
    """
    learnt, role = task.measure(measure), task.roles[0]
    rows = _known(store, measure, role, space.domain, None, report)
    trained = surrogates.trained(store, task, report)
    architectures = store.architectures.get_many(sorted({row.roles[role] for row in rows}))
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(architectures[row.roles[role]].choices_json, []).append(row.measures[measure])
    measured = {choices: fmean(some) for choices, some in values.items()}
    return KnownValues(learnt, measured, trained.surrogate, space, trained.key)


def value_table(store: Store, task: LearningTask, measure: str, space: DesignSpace, report: Report) -> ValueTable:
    """All designs of a space, with their values and embeddings.

    The surrogate is trained on the data in the database if necessary, and the embeddings of all stored designs of the
    domain are written back. The published measurements are loaded if the database has none. What was measured of the
    same design in another space counts where nothing was measured of it in this one.

    Args:
        store: the database.
        task: the task of the surrogate; its first role is the one that measured designs play by themselves.
        measure: one of the task's measures.
        space: the space of the designs, which must be able to list them.
        report: called with a few words about the current work.

    Raises:
        InputError: the task does not learn the measure, or the space cannot list its designs.
        NotFoundError: there are no measurements that the task learns from.
    """
    learnt, role = task.measure(measure), task.roles[0]
    known = _known(store, measure, role, space.domain, space.name, report)
    trained = surrogates.trained(store, task, report)
    surrogates.embed(store, space.domain, trained, role, report)
    report(f"predicting the {learnt.label} of unmeasured designs. {caveat(space.name, measure)}")
    designs = [space.build(choices) for choices in space.enumerate()]
    values = _predicted(trained.surrogate, learnt, designs)
    rows = {design.key: row for row, design in enumerate(designs)}
    measured = np.zeros(len(designs), dtype=np.bool_)
    for measurement in known:
        row = rows[measurement.roles[role]]
        values[row], measured[row] = measurement.measures[measure], True
    for row, value in _of_twins(store, measure, role, designs).items():
        if not measured[row]:
            values[row], measured[row] = value, True
    return ValueTable(designs, trained.surrogate.embed(designs, role), values, measured)


def _of_twins(store: Store, measure: str, role: str, designs: Sequence[Architecture]) -> dict[int, float]:
    """Row -> the mean of what was measured of the same design in other spaces."""
    rows = {design.choices_json: row for row, design in enumerate(designs)}
    own = {design.key for design in designs}
    every = _measured(store, measure, role, designs[0].domain, None) if designs else []
    elsewhere = [one for one in every if one.roles[role] not in own]
    architectures = store.architectures.get_many(sorted({one.roles[role] for one in elsewhere}))
    values: dict[int, list[float]] = {}
    for one in elsewhere:
        row = rows.get(architectures[one.roles[role]].choices_json)
        if row is not None:
            values.setdefault(row, []).append(one.measures[measure])
    return {row: fmean(some) for row, some in values.items()}


def _predicted(surrogate: GraphSurrogate, measure: Measure, designs: Sequence[Architecture]) -> Array:
    """The predictions, shape `(n,)`; shares are clipped to 0 to 1, a limit that the surrogate does not know."""
    column: Array = surrogate.predict(designs).mean[:, surrogate.measures.index(measure.name)]
    return np.clip(column, 0.0, 1.0) if measure.unit == "%" else column.copy()


def _known(store: Store, measure: str, role: str, domain: str, space: str | None, report: Report) -> list[Measurement]:
    """The measurements of designs by themselves; the published data are loaded if there are none."""
    rows = _measured(store, measure, role, domain, space)
    if not rows:
        report("loading the published data")
        published = registry.published()
        store.architectures.add(published.architectures)
        store.measurements.add(published.measurements)
        rows = _measured(store, measure, role, domain, space)
    return rows


def _measured(store: Store, measure: str, role: str, domain: str, space: str | None) -> list[Measurement]:
    rows = store.measurements.with_measure(measure, domain=domain, space=space)
    return [row for row in rows if set(row.roles) == {role} and measure not in row.predicted]
