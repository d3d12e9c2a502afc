"""What a user can ask for, whether from the command line or through the API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from explorer import registry
from explorer.contracts.objective import pareto_front
from explorer.contracts.recipe import Recipe
from explorer.running.study import performances
from explorer.services.loading import load_published
from explorer.services.references import resolve_architecture
from graphdb.architecture import Architecture
from graphdb.errors import ConflictError, InputError
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord, TrialState
from graphdb.settings import Settings
from graphdb.store import Store

__all__ = [
    "check_whole",
    "load_published",
    "plan_study",
    "resolve_architecture",
    "simulate",
    "spawn_study",
    "study_front",
    "study_objective",
]


_LARGEST_INTEGER = 2**63 - 1


def simulate(
    store: Store, simulator: str, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]
) -> Measurement:
    """Run a simulator, and store the architectures with the measurement.

    Raises:
        InputError: unknown simulator, setting, or architectures that cannot be simulated together.
    """
    measurement = registry.simulator(simulator).run(architectures, settings)
    store.architectures.add(architectures.values())
    store.measurements.add([measurement])
    return measurement


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
    """Check what a study would be and put it into the store, ready to run.

    Args:
        name: a free one is found where none is given.
        objective: name of one of the recipe's objectives.
        constraints: `max:measure=value` or `min:measure=value`.

    Raises:
        InputError: unknown recipe, objective, measure or setting, or a budget below 1.
        ConflictError: a study of that name exists.
    """
    check_whole("budget", budget, 1)
    check_whole("seed", seed, 0)
    given: dict[str, Any] = dict(settings or {})
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
        except ConflictError:  # another process took the name in between
            continue
        return record


def check_whole(what: str, value: int, least: int) -> None:
    """Refuses an integer that is too small, or that the database cannot hold.

    Raises:
        InputError: `value` is not within `least` to 2^63 - 1.
    """
    if not least <= value <= _LARGEST_INTEGER:
        raise InputError(f"The {what} is {value}; allowed: {least} to {_LARGEST_INTEGER}.")


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= 100 or not all(letter.isalnum() or letter in "-_." for letter in name):
        raise InputError(f"The study name {name[:100]!r} is not 1 to 100 letters, digits, '-', '_' or '.'.")
    return name


def spawn_study(settings: Settings, name: str, *, workers: int = 2) -> int:
    """Run a stored study in a process of its own that outlives this one.

    Returns:
        its process id.
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
    """Performance of each finished trial that meets the study's constraints, by trial index; larger is better."""
    record = store.studies.get(name)
    return performances(registry.recipe(record.recipe), record, store.studies.trials(name))


def study_front(store: Store, name: str) -> list[TrialRecord]:
    """The Pareto-optimal trials among those that meet the study's constraints, best performance first."""
    record = store.studies.get(name)
    return front_of(registry.recipe(record.recipe), record, store.studies.trials(name))


def front_of(recipe: Recipe, record: StudyRecord, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """`study_front` of trials at hand; a pair that was proposed twice appears once."""
    values = performances(recipe, record, trials)
    unique: dict[str, TrialRecord] = {}
    for trial in trials:
        if trial.state is TrialState.DONE and trial.index in values:
            unique.setdefault(trial.measurement.key, trial)
    feasible = list(unique.values())
    chosen = pareto_front([trial.measurement.measures for trial in feasible], recipe.front)
    return sorted((feasible[i] for i in chosen), key=lambda trial: -values[trial.index])
