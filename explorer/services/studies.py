"""Studies: planned, run in separate processes, and evaluated, for both the command line and the API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from explorer import registry
from explorer.running.lease import LEASE_S, free_if_gone, is_gone, owner_of
from explorer.running.merits import front_of, performances
from graphdb.errors import ConflictError, InputError
from graphdb.records import StudyRecord, StudyState, TrialRecord
from graphdb.settings import Settings
from graphdb.store import Store

_LARGEST_INTEGER = 2**63 - 1
INTERRUPTED = "interrupted"
"""The shown state of a study whose process was interrupted or killed."""


def plan_study(
    store: Store,
    *,
    recipe: str,
    budget: int,
    seed: int,
    name: str | None = None,
    objective: str | None = None,
    constraints: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> StudyRecord:
    """Checks the settings of a study and stores it, ready to run.

    Args:
        store: the database.
        recipe: the registered name of the recipe.
        budget: the number of trials, at least 1.
        seed: the seed of all random choices.
        name: the name of the study; None for an unused one derived from the recipe's.
        objective: the name of one of the recipe's objectives; None for its default.
        constraints: constraints of the form `max:measure=value` or `min:measure=value`.
        settings: the settings of the recipe that differ from their defaults.

    Returns:
        The stored study.

    Raises:
        InputError: the recipe, objective, measure or a setting is unknown, or the budget is below 1.
        ConflictError: a study with this name exists.
    """
    check_whole("budget", budget, 1)
    check_whole("seed", seed, 0)
    given: dict[str, Any] = dict(settings or {})
    if constraints:
        given["constraints"] = list(constraints)
    if objective is not None:
        given["objective"] = objective
    full = registry.recipe(recipe).settings(given, budget)
    if name is not None:
        record = StudyRecord(_checked_name(name), recipe, seed, budget, full)
        store.studies.create(record)
        return record
    taken = {study.name for study in store.studies.list()}
    number = 1
    while True:
        record = StudyRecord(f"{recipe}-{number}", recipe, seed, budget, full)
        number += 1
        if record.name in taken:
            continue
        try:
            store.studies.create(record)
        except ConflictError:  # another process took the name in the meantime
            continue
        return record


def check_whole(what: str, value: int, least: int) -> None:
    """Refuses an integer that is too small, or that the database cannot hold.

    Args:
        what: the name of the value, for the message.
        value: the user's value.
        least: the smallest allowed value.

    Raises:
        InputError: `value` is not within `least` to 2^63 - 1.
    """
    if not least <= value <= _LARGEST_INTEGER:
        raise InputError(f"The {what} is {value}; allowed: {least} to {_LARGEST_INTEGER}.")


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= 100 or not all(letter.isalnum() or letter in "-_." for letter in name):
        raise InputError(f"The study name {name[:100]!r} is not 1 to 100 letters, digits, '-', '_' or '.'.")
    return name


def shown_state(record: StudyRecord) -> str:
    """The state of a study for users: the stored one, but `interrupted` if nobody runs a study that has not ended."""
    alive = record.runner is not None and not is_gone(record.runner)
    return str(record.state) if alive or record.state is not StudyState.RUNNING else INTERRUPTED


def stop_study(store: Store, name: str) -> StudyRecord:
    """Asks a running study, of whatever process, to stop after its current round; it can be resumed.

    Returns:
        The study as stored.

    Raises:
        NotFoundError: no study has this name.
        ConflictError: the study is not running.
    """
    state = shown_state(store.studies.get(name))
    if state != StudyState.RUNNING:
        raise ConflictError(f"The study {name} is not running: its state is {state}.")
    store.studies.ask_to_stop(name)
    return store.studies.get(name)


def delete_study(store: Store, name: str) -> None:
    """Removes a study, its trials and the tables that only it needs; measurements and architectures stay.

    Raises:
        NotFoundError: no study has this name.
        ConflictError: a process is running the study.
    """
    free_if_gone(store, name)
    runner = store.studies.get(name).runner
    if runner is not None:
        raise ConflictError(f"The study {name} is being run by {runner}; stop it first: explorer study stop {name}.")
    store.studies.delete(name)


def hold_study(store: Store, name: str, process: int) -> None:
    """Takes the lease of a study for a process of this machine that has just been started to run it."""
    store.studies.lease(name, owner_of(process), LEASE_S)


def spawn_study(settings: Settings, name: str, *, workers: int = 2) -> int:
    """Runs a stored study in a separate process that outlives this one.

    Args:
        settings: the settings of the database.
        name: the name of the study.
        workers: the number of worker processes.

    Returns:
        The id of the process.
    """
    log = settings.data_directory / "logs" / f"study-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "explorer.cli.main",
        "search",
        "--resume",
        name,
        "--workers",
        str(workers),
        "--json",
    ]
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=settings.environment(),
        )
    return process.pid


def study_objective(store: Store, name: str) -> dict[int, float]:
    """The performance of each finished trial that meets the study's constraints, by trial index; larger is better."""
    record = store.studies.get(name)
    return performances(registry.recipe(record.recipe), record, store.studies.trials(name))


def study_front(store: Store, name: str) -> list[TrialRecord]:
    """The Pareto-optimal trials among those that meet the study's constraints, best performance first."""
    record = store.studies.get(name)
    return front_of(registry.recipe(record.recipe), record, store.studies.trials(name))
