"""Measurements in the database: pending when asked for, done once their measures are known."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphdb import cypher
from graphdb.canonical import canonical_json
from graphdb.errors import NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import Span
from graphdb.store import rows

if TYPE_CHECKING:
    from graphdb.database import Database, Transaction

PENDING = "pending"
DONE = "done"


class MeasurementStore:
    """The measurements, each tied to the architectures that played a role in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, measurements: Iterable[Measurement], *, batch_size: int = 1000) -> int:
        """Stores finished measurements; returns how many were not finished before.

        Raises:
            NotFoundError: an architecture that played a role is not stored; then none of its batch is stored.
            InputError: a measure is not a finite number.
        """
        return sum(self._add(batch) for batch in rows.batches(measurements, batch_size))

    def _add(self, batch: list[Measurement]) -> int:
        by_key = {measurement.key: measurement for measurement in batch}
        # In key order, as two processes that store the same measurements in different orders would block each other.
        prepared = {key: rows.measurement_row(by_key[key], DONE) for key in sorted(by_key)}
        return self._database.transact(lambda transaction: finish(transaction, prepared))

    def get(self, key: str) -> Measurement:
        """Returns the measurement with this key; its measures are empty while it is pending.

        Raises:
            NotFoundError: no measurement has this key.
        """
        stored = self.get_many([key])
        if key not in stored:
            raise NotFoundError(f"No measurement has the key {key!r}.")
        return stored[key]

    def get_many(self, keys: Sequence[str]) -> dict[str, Measurement]:
        """The stored measurements among these keys, in one query."""
        stored = {
            row[0]["key"]: rows.measurement_of(row[0])
            for row in self._database.read(cypher.READ_MEASUREMENTS, keys=list(dict.fromkeys(keys)))
        }
        return {key: stored[key] for key in keys if key in stored}

    def of(self, keys: Sequence[str]) -> dict[str, list[Measurement]]:
        """The finished measurements of each of these architectures, in one query; an empty list if there are none."""
        finished: dict[str, list[Measurement]] = {key: [] for key in keys}
        for key, properties in self._database.read(cypher.MEASUREMENTS_OF, keys=list(finished)):
            finished[key].append(rows.measurement_of(properties))
        return finished

    def spans(self, keys: Sequence[str], measures: Iterable[str]) -> dict[str, dict[str, Span]]:
        """Key -> measure -> the span of its measured values; only what was measured has an entry. One query."""
        names = [rows.identifier(name, "measure") for name in dict.fromkeys(measures)]
        spans: dict[str, dict[str, Span]] = {key: {} for key in keys}
        for key, name, *span in self._database.read(cypher.MEASURE_SPANS, keys=list(spans), measures=names):
            spans[key][name] = Span(*span)
        return spans

    def with_measure(
        self, measure: str, *, domain: str | None = None, space: str | None = None, simulator: str | None = None
    ) -> list[Measurement]:
        """Returns all finished measurements with a measure, in key order: the data that a surrogate learns from.

        Args:
            measure: the name of the measure.
            domain: the domain of an architecture that was measured; None for any.
            space: the space of an architecture that was measured; None for any.
            simulator: the simulator that took the measurements; None for any.

        Raises:
            InputError: the measure's name has characters other than letters, digits and underscores.
        """
        stored = self._database.read(
            cypher.MEASUREMENTS_WITH,
            measure=rows.MEASURE + rows.identifier(measure, "measure"),
            domain=domain,
            space=space,
            simulator=simulator,
        )
        return [rows.measurement_of(row[0]) for row in stored]

    def comparable(
        self,
        simulator: str,
        version: str,
        settings: Mapping[str, Any],
        *,
        varying: Collection[str] = (),
        spaces: Mapping[str, Collection[str]] | None = None,
        most: int = 1000,
    ) -> list[str]:
        """The keys of finished measurements that were taken under the same settings, in one query.

        If there are more than `most`, those that a study asked for come first, and the others are a random sample that
        stays the same: they are in the order of their keys.

        Args:
            simulator: the simulator that took them.
            version: its version.
            settings: the complete settings of a measurement.
            varying: the names of settings whose values may differ.
            spaces: role -> the spaces of the architectures that may have played it; a role that is left out may have
                been played by any.
            most: the largest number of keys.
        """
        parts = [canonical_json({name: value})[1:-1] for name, value in settings.items() if name not in varying]
        roles = [{"name": role, "spaces": sorted(names)} for role, names in (spaces or {}).items()]
        stored = self._database.read(
            cypher.COMPARABLE_MEASUREMENTS, simulator=simulator, version=version, parts=parts, roles=roles, limit=most
        )
        same = _without(settings, varying)
        # The text of a setting might also stand within another one, which the query does not see.
        return [key for key, text in stored if _without(json.loads(text), varying) == same]


def _without(settings: Mapping[str, Any], varying: Collection[str]) -> str:
    return canonical_json({name: value for name, value in settings.items() if name not in varying})


def finish(transaction: Transaction, prepared: dict[str, rows.Row]) -> int:
    """Writes finished measurements, replacing pending ones; returns how many were not finished before."""
    states = create_missing(transaction, prepared)
    pending = [row for key, row in prepared.items() if states.get(key, DONE) != DONE]
    if pending:
        transaction.run(cypher.FINISH_MEASUREMENTS, rows=pending)
    return len(pending) + len(prepared) - len(states)


def create_missing(transaction: Transaction, prepared: dict[str, rows.Row]) -> dict[str, str]:
    """Creates the missing measurements; returns the states of the others, which stay locked until the commit."""
    states: dict[str, str] = dict(transaction.run(cypher.MEASUREMENT_STATES, keys=list(prepared)))
    new = [row for key, row in prepared.items() if key not in states]
    if new:
        keys = sorted({key for row in new for _, key in row["roles"]})
        missing = transaction.run(cypher.MISSING_ARCHITECTURES, keys=keys)
        if missing:
            raise NotFoundError(f"No architecture has the key {missing[0][0]!r}, which a measurement was taken of.")
        transaction.run(cypher.CREATE_MEASUREMENTS, rows=new)
    return states
