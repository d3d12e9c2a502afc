"""Studies and their trials: each `ask` and each `tell` is one transaction, and repeating either changes nothing."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphdb import cypher
from graphdb.canonical import canonical_json
from graphdb.errors import ConflictError, InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import NewTrial, StudyRecord, StudyState, TrialRecord, TrialState
from graphdb.store import rows
from graphdb.store.leases import Leased, LeaseStore
from graphdb.store.measurements import PENDING, create_missing, finish

if TYPE_CHECKING:
    from graphdb.database import Database, Rows, Transaction


class StudyStore:
    """The studies. Every transaction on a study locks it first, so that its trials change one transaction at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases = LeaseStore(database, Leased.STUDY)

    def create(self, record: StudyRecord) -> None:
        """Stores a new study; the database sets its time of creation.

        Raises:
            ConflictError: a study with this name exists.
            InputError: the name is empty.
        """
        if not record.name.strip():
            raise InputError("The name of a study is empty; give it one.")

        def work(transaction: Transaction) -> None:
            if transaction.run(cypher.READ_STUDY, name=record.name):
                raise ConflictError(f"A study named {record.name!r} exists already.")
            transaction.run(cypher.CREATE_STUDY, properties=_properties(record))

        self._database.transact(work)

    def get(self, name: str) -> StudyRecord:
        """Returns the study with this name.

        Raises:
            NotFoundError: no study has this name.
        """
        stored = self._database.read(cypher.READ_STUDY, name=name)
        if not stored:
            raise _unknown(name)
        return _study(stored[0])

    def list(self) -> list[StudyRecord]:
        """All studies, the newest first."""
        return [_study(row) for row in self._database.read(cypher.LIST_STUDIES)]

    def set_state(self, name: str, state: StudyState, message: str = "") -> None:
        """Sets the state of a study, and the reason.

        Args:
            name: the name of the study.
            state: the new state.
            message: the reason, if any.

        Raises:
            NotFoundError: no study has this name.
        """
        self._update(name, {"state": StudyState(state).value, "message": message})

    def set_budget(self, name: str, budget: int) -> None:
        """Changes the number of trials that the study may take."""
        self._update(name, {"budget": budget})

    def set_until_converged(self, name: str, until_converged: bool) -> None:
        """Changes whether the study ends when its optimiser expects no further progress."""
        self._update(name, {"until_converged": until_converged})

    def begin_with(self, name: str, basis: Mapping[str, str]) -> None:
        """Records the tables and surrogates that a study began with, so that they stay as they are.

        Args:
            name: the name of the study.
            basis: name -> key of a stored table or surrogate.

        Raises:
            NotFoundError: no study has this name, or a key is not stored; nothing is recorded then.
        """
        pairs = [{"name": item, "key": key} for item, key in basis.items()]

        def work(transaction: Transaction) -> None:
            _lock(transaction, name)
            if pairs and transaction.run(cypher.BEGIN_WITH, name=name, rows=pairs)[0][0] != len(pairs):
                raise NotFoundError(f"A table or surrogate that the study {name!r} begins with is not stored.")

        self._database.transact(work)

    def ask_to_stop(self, name: str) -> None:
        """Asks the process that runs the study to stop once the trials under way have ended."""
        self._update(name, {"stopping": True})

    def begin(self, name: str) -> None:
        """Marks the study as running; nobody has asked it to stop since."""
        self._update(name, {"state": StudyState.RUNNING.value, "message": "", "stopping": False})

    def delete(self, name: str) -> None:
        """Removes the study, its trials, and the tables that no other study began with; the measurements stay.

        Raises:
            NotFoundError: no study has this name.
            ConflictError: a process holds the lease of the study.
        """

        def work(transaction: Transaction) -> None:
            _lock(transaction, name)
            runner = _study(transaction.run(cypher.READ_STUDY, name=name)[0]).runner
            if runner is not None:
                raise ConflictError(f"The study {name!r} is being run by {runner}; stop it first.")
            transaction.run(cypher.DELETE_STUDY, name=name)

        self._database.transact(work)

    def ask(self, name: str, trials: Sequence[NewTrial], expectation: float | None = None) -> None:
        """Records trials to be measured, with their pending measurements, in one transaction.

        A trial whose measurement is already finished is done at once. Asking for the same trial again changes nothing.

        Args:
            name: the name of the study.
            trials: the trials, each with its own index.
            expectation: how much improvement the optimiser expects of them; None if it does not say.

        Raises:
            NotFoundError: no study has this name, or an architecture of a trial is not stored.
            ConflictError: a trial with the same index has another measurement.
        """
        prepared = {trial.pending.key: rows.measurement_row(trial.pending, PENDING) for trial in trials}
        wanted = {trial.index: trial for trial in trials}
        if len(wanted) != len(trials):
            raise InputError("Two trials have the same index; each needs its own.")

        def work(transaction: Transaction) -> None:
            _lock(transaction, name)
            asked = transaction.run(cypher.ASKED_TRIALS, name=name, indices=list(wanted))
            for index, key in asked:
                if wanted[index].pending.key != key:
                    raise ConflictError(f"Trial {index} of the study {name!r} already measures something else ({key}).")
            known = {index for index, _ in asked}
            new = [trial for index, trial in wanted.items() if index not in known]
            if new:
                create_missing(transaction, {trial.pending.key: prepared[trial.pending.key] for trial in new})
                transaction.run(cypher.CREATE_TRIALS, name=name, rows=[_trial_row(trial) for trial in new])
                transaction.run(cypher.UPDATE_STUDY, name=name, properties={"expectation": expectation})

        self._database.transact(work)

    def tell(self, name: str, index: int, measurement: Measurement) -> bool:
        """Records the result of a pending trial in one transaction; False, and no change, if it is not pending.

        Args:
            name: the name of the study.
            index: the index of the trial.
            measurement: the finished measurement.

        Raises:
            NotFoundError: no such study or trial.
            ConflictError: the measurement is not the one that the trial asked for.
        """
        prepared = {measurement.key: rows.measurement_row(measurement, "done")}

        def work(transaction: Transaction) -> bool:
            _lock(transaction, name)
            state, key = _trial(transaction, name, index)
            if key != measurement.key:
                raise ConflictError(f"Trial {index} of the study {name!r} measures {key}, not {measurement.key}.")
            if state != TrialState.PENDING:
                return False
            finish(transaction, prepared)
            transaction.run(cypher.SET_TRIAL, name=name, index=index, state=TrialState.DONE.value, message="")
            return True

        return self._database.transact(work)

    def fail(self, name: str, index: int, message: str) -> bool:
        """Records that a pending trial cannot be measured; False, and no change, if it is not pending.

        Args:
            name: the name of the study.
            index: the index of the trial.
            message: the reason.

        Raises:
            NotFoundError: no such study or trial.
        """

        def work(transaction: Transaction) -> bool:
            _lock(transaction, name)
            state, _ = _trial(transaction, name, index)
            if state != TrialState.PENDING:
                return False
            transaction.run(cypher.SET_TRIAL, name=name, index=index, state=TrialState.FAILED.value, message=message)
            return True

        return self._database.transact(work)

    def trials(self, name: str, *, first: int = 0) -> builtins.list[TrialRecord]:
        """All trials from the index `first` on, in index order, in one query."""
        stored = self._database.read(cypher.READ_TRIALS, name=name, first=first)
        if not stored:
            raise _unknown(name)
        return [_trial_record(name, row) for row in stored if row[0] is not None]

    def counts(self, name: str) -> dict[TrialState, int]:
        """The number of trials in each state."""
        stored = self._database.read(cypher.COUNT_TRIALS, name=name)
        if not stored:
            raise _unknown(name)
        counted = {state: count for state, count in stored if state is not None}
        return {state: counted.get(state.value, 0) for state in TrialState}

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Takes or renews the right to run the study; False while another owner holds it.

        Args:
            name: the name of the study.
            owner: the new owner.
            seconds: the time after which the lease expires.

        Raises:
            NotFoundError: no study has this name.
            InputError: `seconds` is not positive.
        """
        return self._leases.take(name, owner, seconds)

    def lease_owner(self, name: str) -> str | None:
        """The owner of the right to run the study; None if there is none.

        Raises:
            NotFoundError: no study has this name.
        """
        return self._leases.owner(name)

    def release(self, name: str, owner: str) -> None:
        """Gives the right to run the study back; does nothing if `owner` does not hold it."""
        self._leases.release(name, owner)

    def _update(self, name: str, properties: dict[str, Any]) -> None:
        self._require(self._database.write(cypher.UPDATE_STUDY, name=name, properties=properties), name)

    @staticmethod
    def _require(counted: Rows, name: str) -> None:
        if not counted[0][0]:
            raise _unknown(name)


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"No study is named {name!r}.")


def _lock(transaction: Transaction, name: str) -> None:
    if not transaction.run(cypher.LEASES[Leased.STUDY].lock, name=name):
        raise _unknown(name)


def _trial(transaction: Transaction, name: str, index: int) -> tuple[str, str]:
    stored = transaction.run(cypher.READ_TRIAL, name=name, index=index)
    if not stored:
        raise NotFoundError(f"The study {name!r} has no trial {index}.")
    state, key = stored[0]
    return state, key


def _trial_row(trial: NewTrial) -> rows.Row:
    return {
        "index": trial.index,
        "key": trial.pending.key,
        "origin": trial.origin,
        "told": trial.told,
        "expected": None if trial.expected is None else list(trial.expected),
    }


def _properties(record: StudyRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "recipe": record.recipe,
        "seed": record.seed,
        "budget": record.budget,
        "settings": canonical_json(record.settings),
        "state": record.state.value,
        "message": record.message,
        "until_converged": record.until_converged,
    }


def _study(row: Sequence[Any]) -> StudyRecord:
    name, recipe, seed, budget, settings, state, message, created, basis, runner, stopping, until, expectation = row
    try:
        return StudyRecord(
            name,
            recipe,
            seed,
            budget,
            json.loads(settings),
            StudyState(state),
            message,
            created,
            dict(sorted(basis)),
            runner,
            stopping,
            until,
            expectation,
        )
    except (TypeError, ValueError) as error:
        raise rows.CorruptError(f"The study {name!r} in the database is damaged; delete it.") from error


def _trial_record(name: str, row: Sequence[Any]) -> TrialRecord:
    index, state, origin, message, told, expected, properties = row
    try:
        known = None if expected is None else (float(expected[0]), float(expected[1]))
        return TrialRecord(index, TrialState(state), origin, rows.measurement_of(properties), message, told, known)
    except (LookupError, TypeError, ValueError) as error:
        raise rows.CorruptError(f"Trial {index} of the study {name!r} in the database is damaged.") from error
