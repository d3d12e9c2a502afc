"""`explorer study`: what studies found, as tables, JSON and plots."""

from __future__ import annotations

import json as json_format
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from explorer.cli.output import AsJson, architecture_json, console, emit, nested_measures, number, short, table
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.records import StudyRecord, TrialRecord
from graphdb.settings import Settings
from graphdb.store import Store

app = typer.Typer(help="What studies found.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the study.")]
Plots = Annotated[Path, typer.Option(help="Folder for the Pareto plot.")]


@dataclass(frozen=True)
class Findings:
    """A study with all that its reports are made of."""

    record: StudyRecord
    trials: Sequence[TrialRecord]
    values: Mapping[int, float]
    front: Sequence[TrialRecord]
    best: TrialRecord | None
    architectures: Mapping[str, Architecture]


@app.command("list", epilog="Example: explorer study list")
def list_studies(json: AsJson = False) -> None:
    """All studies, the newest first."""
    with open_store(Settings.from_environment()) as store:
        found = [(record, store.studies.counts(record.name)) for record in store.studies.list()]
    if json:
        emit([_record_json(record) | {"counts": _counts(counts)} for record, counts in found])
        return
    rows = table("Studies", "study", "recipe", "state", "trials", "budget", "seed", "created")
    for record, counts in found:
        done = sum(n for state, n in counts.items() if state != "pending")
        rows.add_row(
            record.name, record.recipe, record.state, str(done), str(record.budget), str(record.seed), record.created
        )
    console.print(rows)


@app.command(epilog="Example: explorer study show transcode-1")
def show(name: Name, json: AsJson = False) -> None:
    """One study: settings, every trial, the best."""
    with open_store(Settings.from_environment()) as store:
        found = gather(store, store.studies.get(name))
    if json:
        trials = [_trial_json(found, trial) for trial in found.trials]
        emit(_record_json(found.record) | {"trials": trials, "best": _best_json(found)})
        return
    record = found.record
    console.print(
        f"[bold]{record.name}[/]: {record.recipe}, {record.state}, seed {record.seed}, budget {record.budget}"
    )
    console.print(f"settings: {json_format.dumps(record.settings)}", highlight=False, soft_wrap=True)
    _print_trials(found, found.trials, "Trials")


@app.command(epilog="Example: explorer study pareto transcode-1 --plots figures")
def pareto(name: Name, plots: Plots = Path("results"), json: AsJson = False) -> None:
    """The Pareto-optimal designs of a study, as a table and as PNG and SVG."""
    with open_store(Settings.from_environment()) as store:
        record = store.studies.get(name)
        found = gather(store, record)
    files = write_plots(found, plots)
    if json:
        emit(findings_json(found) | {"plots": [str(file) for file in files]})
    else:
        show_findings(found, files)


def gather(store: Store, record: StudyRecord) -> Findings:
    """Everything that reports of a study need, in two queries."""
    from explorer import registry
    from explorer.running.study import performances
    from explorer.services.studies import front_of

    recipe = registry.recipe(record.recipe)
    trials = store.studies.trials(record.name)
    values = performances(recipe, record, trials)
    front = front_of(recipe, record, trials)
    shown = {trial.index for trial in front}
    feasible = [trial for trial in trials if trial.index in values]
    # Of equal ones the one that nothing dominates: as accurate, and smaller.
    best = max(feasible, key=lambda trial: (values[trial.index], trial.index in shown), default=None)
    keys = {key for trial in trials for key in trial.measurement.roles.values()}
    return Findings(record, trials, values, front, best, store.architectures.get_many(sorted(keys)))


def findings_json(found: Findings) -> dict[str, Any]:
    """What `explorer search --json` prints."""
    return {
        "study": found.record.name,
        "trials": len(found.trials),
        "state": str(found.record.state),
        "best": _best_json(found),
        "pareto": [_trial_json(found, trial) for trial in found.front],
        "notes": _notes(found),
    }


def show_findings(found: Findings, plots: Sequence[Path]) -> None:
    """The Pareto table, the best pair spelt out, where the plots are, and what to do next."""
    record = found.record
    if found.best is None:
        console.print(f"No trial of {record.name} meets its constraints; relax them, or raise the budget.")
        return
    _print_trials(found, found.front, f"Pareto-optimal designs of {record.name}")
    console.print(f"\n[bold]Best under the objective[/] ({found.values[found.best.index]:.4f}):", highlight=False)
    for role in _roles(found.best):
        architecture = found.architectures[found.best.measurement.roles[role]]
        console.print(f"  [bold]{role}[/] {architecture.key} ({architecture.space})", highlight=False, soft_wrap=True)
        for choice, value in architecture.choices.items():
            console.print(f"    {choice}: {json_format.dumps(value)}", highlight=False, soft_wrap=True)
    measurement = found.best.measurement
    shown = ", ".join(
        f"{name} {number(value, name in measurement.predicted)}"
        for name, value in measurement.measures.items()
        if not name.startswith("energy_") or name in {"energy_j", "energy_dynamic_j", "energy_leakage_j"}
    )
    console.print(f"  [bold]measures[/] {shown}", highlight=False, soft_wrap=True)
    for note in _notes(found):
        console.print(f"\n{note}", highlight=False, soft_wrap=True)
    if plots:
        console.print(f"\nPareto plot: {', '.join(str(file) for file in plots)}", highlight=False, soft_wrap=True)
    first = short(measurement.roles[_roles(found.best)[0]])
    console.print("\nNext:")
    for command, does in (
        (f"explorer show {first}", "its graph and all its measurements"),
        (f"explorer similar {first}", "architectures like it"),
        (f"explorer study show {record.name}", "every trial"),
        (f"explorer search --resume {record.name} --budget {record.budget + 40}", "search on"),
        ("explorer serve", "query everything over GraphQL"),
    ):
        console.print(f"  {command:<60} {does}", highlight=False, soft_wrap=True)


def write_plots(found: Findings, folder: Path) -> list[Path]:
    """The Pareto plot of a study; none where no trial meets its constraints."""
    from explorer import registry
    from explorer.report.pareto import Point, plot

    front = {trial.index for trial in found.front}
    costs = [name for name, way in registry.recipe(found.record.recipe).front.items() if way == "minimise"]
    points = []
    for trial in found.trials:
        measures = trial.measurement.measures
        if trial.index in found.values and {"accuracy", *costs} <= measures.keys():
            points.append(
                Point(
                    measures["accuracy"],
                    {name: measures[name] for name in costs},
                    trial.index in front,
                    found.best is not None and trial.index == found.best.index,
                    "accuracy" in trial.measurement.predicted,
                )
            )
    if not points:
        return []
    title = f"{found.record.name}: {len(points)} trials that meet the constraints"
    return plot(points, title, folder / f"{found.record.name}-pareto")


def check_folder(folder: Path, flag: str = "--plots") -> None:
    """Refuses a folder for plots that could not be written to, before the work that goes into them.

    Args:
        folder: it need not exist.
        flag: by which it was given, for the message.

    Raises:
        InputError: a part of the path is no folder, or is not ours to write in.
    """
    path = folder.absolute()
    try:
        while not path.exists():
            path = path.parent
    except OSError as error:
        raise _no_folder(folder, error.strerror or str(error), flag) from error
    if not path.is_dir():
        raise _no_folder(folder, f"{path} is not a folder", flag)
    if not os.access(path, os.W_OK | os.X_OK):
        raise _no_folder(folder, "Permission denied", flag)


def _no_folder(folder: Path, reason: str, flag: str = "--plots") -> InputError:
    return InputError(f"{flag} {folder} cannot be written to: {reason}.")


def _print_trials(found: Findings, trials: Sequence[TrialRecord], title: str) -> None:
    from explorer import registry

    columns = registry.recipe(found.record.recipe).columns
    roles = _roles(trials[0]) if trials else []
    rows = table(title, "trial", *roles, "objective", *(_heading(name) for name in columns), "origin")
    for trial in trials:
        measurement = trial.measurement
        value = found.values.get(trial.index)
        rows.add_row(
            str(trial.index),
            *(short(measurement.roles[role]) for role in roles),
            number(value) if value is not None else str(trial.state) if trial.state != "done" else "infeasible",
            *(number(measurement.measures.get(name), name in measurement.predicted) for name in columns),
            trial.origin,
        )
    console.print(rows)
    if any(trial.measurement.predicted for trial in trials):
        console.print("~ predicted by the surrogate, not measured", highlight=False)


def _trial_json(found: Findings, trial: TrialRecord) -> dict[str, Any]:
    return {
        "index": trial.index,
        "state": str(trial.state),
        "origin": trial.origin,
        "objective": found.values.get(trial.index),
        "roles": {
            role: architecture_json(found.architectures[trial.measurement.roles[role]]) for role in _roles(trial)
        },
        "measures": nested_measures(trial.measurement.measures),
        "predicted": sorted(trial.measurement.predicted),
        "message": trial.message,
    }


def _notes(found: Findings) -> list[str]:
    from explorer import registry

    best = None if found.best is None else found.best.measurement
    return list(registry.recipe(found.record.recipe).notes(found.record.settings, best))


def _heading(measure: str) -> str:
    """`latency_s` as `latency (s)`."""
    name, _, unit = measure.rpartition("_")
    return f"{name.replace('_', ' ')} ({unit})" if unit in {"s", "j", "mm2", "w"} else measure


def _roles(trial: TrialRecord) -> list[str]:
    """The roles in the order of their simulator; the store knows none."""
    from explorer import registry

    return list(registry.simulator(trial.measurement.simulator).roles)


def _best_json(found: Findings) -> dict[str, Any] | None:
    return None if found.best is None else _trial_json(found, found.best)


def _record_json(record: StudyRecord) -> dict[str, Any]:
    return {
        "study": record.name,
        "recipe": record.recipe,
        "state": str(record.state),
        "seed": record.seed,
        "budget": record.budget,
        "settings": dict(record.settings),
        "created": record.created,
        "message": record.message,
    }


def _counts(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(state): n for state, n in counts.items()}
