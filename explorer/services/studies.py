"""Studies: planned, run in separate processes, and evaluated, for both the command line and the API."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from explorer import registry
from explorer.contracts.objective import Constraint
from explorer.running.lease import LEASE_S, free_if_gone, is_gone, owner_of
from explorer.running.merits import front_of, performances
from graphdb.architecture import Architecture
from graphdb.errors import ConflictError, InputError
from graphdb.records import StudyRecord, StudyState, TrialRecord
from graphdb.settings import Settings
from graphdb.store import Store

T = TypeVar("T")

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
    fixed: Mapping[str, Architecture] | None = None,
    until_converged: bool = False,
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
        fixed: role -> the architecture that is held fixed in it, as `fixed_architectures` returns them; they are
            stored with the study.
        until_converged: whether the study ends before its budget is spent if its optimiser expects no further progress.

    Returns:
        The stored study.

    Raises:
        InputError: the recipe, objective, measure or a setting is unknown, the budget is below 1, or constraints
            exclude each other.
        ConflictError: a study with this name exists.
    """
    check_whole("budget", budget, 1)
    check_whole("seed", seed, 0)
    given: dict[str, Any] = dict(settings or {})
    if constraints:
        given["constraints"] = list(constraints)
    if objective is not None:
        given["objective"] = objective
    if fixed:
        given["fixed"] = {role: architecture.key for role, architecture in fixed.items()}
    made = registry.recipe(recipe)
    full = made.settings(given, budget)
    _check_constraints(made.objective(full).constraints)
    store.architectures.add((fixed or {}).values())
    plan = partial(StudyRecord, recipe=recipe, seed=seed, budget=budget, settings=full, until_converged=until_converged)
    if name is not None:
        record = plan(_checked_name(name))
        store.studies.create(record)
        return record
    taken = {study.name for study in store.studies.list()}
    number = 1
    while True:
        record = plan(f"{recipe}-{number}")
        number += 1
        if record.name in taken:
            continue
        try:
            store.studies.create(record)
        except ConflictError:  # another process took the name in the meantime
            continue
        return record


def fixed_architectures(
    recipe: str, given: Mapping[str, T], read: Callable[[T, str], Architecture]
) -> dict[str, Architecture]:
    """The architectures that a search holds fixed.

    Args:
        recipe: the registered name of the recipe.
        given: role -> the user's reference.
        read: (a reference, the required domain) -> the architecture.

    Raises:
        InputError: the recipe has no such role, no role would be left free, or an architecture cannot play its role.
    """
    roles = registry.recipe(recipe).roles
    if given and not roles:
        raise InputError(f"--fix {next(iter(given))}: the recipe {recipe} can hold no role fixed.")
    for role in given:
        if role not in roles:
            raise InputError(f"--fix {role[:80]}: the recipe {recipe} has no such role; allowed: {', '.join(roles)}.")
    if given and len(given) == len(roles):
        raise InputError(f"--fix holds every role of the recipe {recipe} ({', '.join(roles)}); leave one of them free.")
    fixed = {role: read(reference, roles[role].domain) for role, reference in given.items()}
    for role, architecture in fixed.items():
        if not roles[role].admits(architecture):
            raise InputError(f"--fix {role}: the design is of the space {architecture.space}; allowed: {roles[role]}.")
    return fixed


def _check_constraints(constraints: Sequence[Constraint]) -> None:
    """Refuses constraints that no value of a measure can meet."""
    for measure in dict.fromkeys(one.measure for one in constraints):
        own = [one for one in constraints if one.measure == measure]
        low = max((one.minimum for one in own if one.minimum is not None), default=-math.inf)
        high = min((one.maximum for one in own if one.maximum is not None), default=math.inf)
        if low > high:
            raise InputError(f"The constraints on {measure} exclude each other: at least {low:g} and at most {high:g}.")


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
    """Asks a running study, of whatever process, to stop once its trials under way have ended; it can be resumed.

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


def spawn_study(settings: Settings, name: str, *, workers: int = 2, time_limit_s: float | None = None) -> int:
    """Runs a stored study in a separate process that outlives this one.

    Args:
        settings: the settings of the database.
        name: the name of the study.
        workers: the number of worker processes.
        time_limit_s: the time after which it asks for no more trials; None for no limit.

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
        *([] if time_limit_s is None else ["--time-limit", str(time_limit_s)]),
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
