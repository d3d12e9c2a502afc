"""Maps of a space: the embeddings and a measure of all stored designs, and the designs of a study in order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from explorer import registry
from explorer.contracts.session import Report
from explorer.learning import surrogates
from explorer.report.space_map import SpaceMap, plane
from explorer.running.merits import performances
from graphdb.errors import InputError, NotFoundError
from graphdb.records import ArchitectureFilter, TrialRecord
from graphdb.store import Store


def space_map(
    store: Store, domain: str, measure: str, report: Report, *, space: str | None = None, study: str | None = None
) -> SpaceMap:
    """Maps the stored architectures of a domain, or of one of its spaces, by the embedding of the domain's surrogate.

    If a design was measured more than once (with several partners or settings), the mean counts; predicted values do
    not.

    Args:
        store: the database.
        domain: the domain whose designs are mapped.
        measure: any stored measure.
        report: called with a few words about the current work.
        space: the space to restrict the map to; None for all of the domain.
        study: the study whose designs form the path; None for no path.

    Raises:
        NotFoundError: there is no such study, no stored design of the domain or space, or no surrogate for it.
        InputError: the name of the measure is malformed, or no design of the study is on the map.
    """
    keys = store.architectures.keys(ArchitectureFilter(domain=domain, space=space))
    if not keys:
        where = f"the domain {domain!r}" + (f" and the space {space!r}" if space else "")
        raise NotFoundError(f"No architecture of {where} is stored; run `explorer load` first.")
    if study is not None:
        store.studies.get(study)
    surrogates.ensure_embedding(store, keys[0], report)
    vectors = store.embeddings.read(keys)
    row = {key: index for index, key in enumerate(vectors)}
    points, explained = plane(np.array(list(vectors.values())))
    return SpaceMap(points, explained, _values(store, domain, measure, row), *_path(store, domain, study, row))


def _values(store: Store, domain: str, measure: str, row: Mapping[str, int]) -> NDArray[np.float64]:
    sums, counts = np.zeros(len(row)), np.zeros(len(row))
    for measurement in store.measurements.with_measure(measure, domain=domain):
        if measure in measurement.predicted:
            continue
        for key in set(measurement.roles.values()) & row.keys():
            sums[row[key]] += measurement.measures[measure]
            counts[row[key]] += 1
    means = np.full(len(row), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _path(store: Store, domain: str, study: str | None, row: Mapping[str, int]) -> tuple[list[int], int | None]:
    """The rows of the designs of a study in the order of its trials, and that of its best design.

    Args:
        store: the database.
        domain: the domain of the map, for the message that none of its designs is there.
        study: the name of the study; None for no path.
        row: key -> row of the designs on the map.

    Raises:
        InputError: no design of the study is on the map.
    """
    if study is None:
        return [], None
    record, trials = store.studies.get(study), store.studies.trials(study)
    rows = {trial.index: _rows(trial, row) for trial in trials}
    visited = [at for trial in trials for at in rows[trial.index]]
    if not visited:
        raise InputError(f"The study {study!r} has no design of the domain {domain!r} that is on this map.")
    values = performances(registry.recipe(record.recipe), record, trials)
    best = max((trial for trial in trials if trial.index in values), key=lambda one: values[one.index], default=None)
    return visited, None if best is None else next(iter(rows[best.index]), None)


def _rows(trial: TrialRecord, row: Mapping[str, int]) -> list[int]:
    return [row[key] for key in trial.measurement.roles.values() if key in row]
