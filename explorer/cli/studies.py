"""`explorer study`: the results of studies as tables, JSON and plots."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.output import AsJson, console, drawn, emit, say
from explorer.cli.store import opened
from explorer.contracts.table import Column, Table, architecture_json, number, short, words

if TYPE_CHECKING:
    from explorer.contracts.measure import Measure
    from explorer.contracts.recipe import Recipe
    from graphdb.architecture import Architecture
    from graphdb.records import StudyRecord, TrialRecord
    from graphdb.store import Store

app = typer.Typer(help="Show the results of studies.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the study.")]
Plots = Annotated[Path, typer.Option(help="Folder for the plots of the Pareto front and of the hypervolume.")]


@dataclass(frozen=True)
class StudyFindings:
    """A study with everything that its reports need.

    Attributes:
        record: the stored study.
        recipe: the recipe of the study.
        trials: the trials, in order.
        values: index of a trial that meets the constraints -> its performance.
        front: the Pareto-optimal trials, the best first.
        best: the best trial under the objective; None if no trial meets the constraints.
        volumes: the hypervolume of the front after each trial.
        architectures: key -> architecture, for all trials.
    """

    record: StudyRecord
    recipe: Recipe[Any]
    trials: Sequence[TrialRecord]
    values: Mapping[int, float]
    front: Sequence[TrialRecord]
    best: TrialRecord | None
    volumes: Sequence[float]
    architectures: Mapping[str, Architecture]

    @property
    def over(self) -> Sequence[Measure]:
        """The measures of the Pareto front."""
        return [self.recipe.measures[name] for name in self.recipe.front]

    @property
    def notes(self) -> list[str]:
        """Sentences that readers of the results must know."""
        return self.recipe.notes(self.record.settings, None if self.best is None else self.best.measurement)


@app.command("list", epilog="Example: explorer study list")
def list_studies(json: AsJson = False) -> None:
    """List all studies, the newest first."""
    with opened() as store:
        studies = [(record, store.studies.counts(record.name)) for record in store.studies.list()]
    if json:
        emit([_record_json(record) | {"counts": _counts(counts)} for record, counts in studies])
        return
    columns = [
        *map(words, ("study", "recipe", "state")),
        *map(Column, ("trials", "budget", "seed")),
        words("created"),
    ]
    rows = []
    for record, counts in studies:
        done = sum(count for state, count in counts.items() if state != "pending")
        numbers = (str(done), str(record.budget), str(record.seed))
        rows.append([record.name, record.recipe, str(record.state), *numbers, record.created])
    console.print(drawn(Table("Studies", columns, rows)))


@app.command(epilog="Example: explorer study show my-study")
def show(name: Name, json: AsJson = False) -> None:
    """Show a study: its settings, every trial, and the best one."""
    with opened() as store:
        study = gather(store, store.studies.get(name))
    if json:
        trials = [_trial_json(study, trial) for trial in study.trials]
        emit(_record_json(study.record) | {"trials": trials, "best": _best_json(study)})
        return
    record = study.record
    console.print(
        f"[bold]{record.name}[/]: {record.recipe}, {record.state}, seed {record.seed}, budget {record.budget}"
    )
    say(f"settings: {json_format.dumps(record.settings)}")
    _print_trials(study, study.trials, "Trials")


@app.command(epilog="Example: explorer study pareto my-study --plots figures")
def pareto(name: Name, plots: Plots = Path("results"), json: AsJson = False) -> None:
    """Show the Pareto-optimal designs of a study as a table, and plot them as PNG and SVG."""
    from explorer.toolkit.folder import check_folder

    check_folder(plots)
    with opened() as store:
        study = gather(store, store.studies.get(name))
    files = write_plots(study, plots)
    if json:
        emit(findings_json(study) | {"hypervolume": list(study.volumes), "plots": [str(file) for file in files]})
    else:
        show_findings(study, files)


def gather(store: Store, record: StudyRecord) -> StudyFindings:
    """Reads everything that reports of a study need, in two queries."""
    from explorer import registry
    from explorer.running.study import performances
    from explorer.services.studies import front_of, hypervolumes

    recipe = registry.recipe(record.recipe)
    trials = store.studies.trials(record.name)
    values = performances(recipe, record, trials)
    front = front_of(recipe, record, trials)
    shown = {trial.index for trial in front}
    feasible = [trial for trial in trials if trial.index in values]
    # Among equal trials, the one that no other dominates.
    best = max(feasible, key=lambda trial: (values[trial.index], trial.index in shown), default=None)
    keys = {key for trial in trials for key in trial.measurement.roles.values()}
    return StudyFindings(
        record=record,
        recipe=recipe,
        trials=trials,
        values=values,
        front=front,
        best=best,
        volumes=hypervolumes(recipe, record, trials),
        architectures=store.architectures.get_many(sorted(keys)),
    )


def findings_json(study: StudyFindings) -> dict[str, Any]:
    """The JSON of `explorer search --json`."""
    return {
        "study": study.record.name,
        "trials": len(study.trials),
        "state": str(study.record.state),
        "best": _best_json(study),
        "pareto": [_trial_json(study, trial) for trial in study.front],
        "notes": study.notes,
    }


def show_findings(study: StudyFindings, plots: Sequence[Path]) -> None:
    """Prints the Pareto table, the best design in full, the paths of the plots, and commands to continue with."""
    record, best = study.record, study.best
    if best is None:
        say(f"No trial of {record.name} meets its constraints; relax them, or raise the budget.")
        return
    _print_trials(study, study.front, f"Pareto-optimal designs of {record.name}")
    say(_volume_text(study))
    console.print(f"\n[bold]Best under the objective[/] ({study.values[best.index]:.4f}):", highlight=False)
    for role in _roles(best):
        architecture = study.architectures[best.measurement.roles[role]]
        console.print(f"  [bold]{role}[/] {architecture.key} ({architecture.space})", highlight=False, soft_wrap=True)
        for choice, value in architecture.choices.items():
            say(f"    {choice}: {json_format.dumps(value)}")
    console.print(f"  [bold]measures[/] {_whole_text(study, best)}", highlight=False, soft_wrap=True)
    for note in study.notes:
        say(f"\n{note}")
    if plots:
        say(f"\nPlots: {', '.join(map(str, plots))}")
    _print_next(record, short(best.measurement.roles[_roles(best)[0]]))


def write_plots(study: StudyFindings, folder: Path) -> list[Path]:
    """Writes the Pareto plot of a study and the growth of its hypervolume; nothing if no trial meets the constraints.

    Returns:
        The files written, those of the Pareto plot first.
    """
    from explorer.report import hypervolume, pareto

    front = {trial.index for trial in study.front}
    points = [
        pareto.Point(
            trial.index,
            trial.measurement.measures,
            trial.index in front,
            study.best is not None and trial.index == study.best.index,
            trial.measurement.predicted,
        )
        for trial in study.trials
        if trial.index in study.values and trial.measurement.measures.keys() >= set(study.recipe.front)
    ]
    if not points:
        return []
    name = study.record.name
    title = f"{name}: {len(points)} trials that meet the constraints"
    files = pareto.plot(points, study.over, title, folder / f"{name}-pareto")
    if study.volumes and study.volumes[-1] > 0:
        title = f"{name}: hypervolume of the Pareto front"
        files += hypervolume.plot(study.volumes, title, folder / f"{name}-hypervolume")
    return files


def _print_trials(study: StudyFindings, trials: Sequence[TrialRecord], title: str) -> None:
    shown = study.recipe.columns
    roles = _roles(trials[0]) if trials else []
    columns = [
        Column("trial"),
        *map(words, roles),
        Column("objective"),
        *(Column(study.recipe.measures[name].stored_heading) for name in shown),
        words("origin"),
    ]
    rows = []
    for trial in trials:
        measurement = trial.measurement
        rows.append(
            [
                str(trial.index),
                *(short(measurement.roles[role]) for role in roles),
                _performance(study, trial),
                *(number(measurement.measures.get(name), name in measurement.predicted) for name in shown),
                trial.origin,
            ]
        )
    console.print(drawn(Table(title, columns, rows)))
    if any(trial.measurement.predicted for trial in trials):
        say("~ predicted by the surrogate, not measured")


def _performance(study: StudyFindings, trial: TrialRecord) -> str:
    """The value of the objective, or the reason why there is none."""
    value = study.values.get(trial.index)
    if value is not None:
        return number(value)
    return "infeasible" if trial.state == "done" else str(trial.state)


def _volume_text(study: StudyFindings) -> str:
    """The hypervolume that the study reached, as one line."""
    units = "·".join(measure.stored_unit for measure in study.over if measure.stored_unit)
    volume = f"{number(study.volumes[-1])} {units}".rstrip()
    return f"Hypervolume of {', '.join(measure.label for measure in study.over)}: {volume}"


def _whole_text(study: StudyFindings, trial: TrialRecord) -> str:
    """The measures of a trial, without those that are parts of others."""
    known, measurement = study.recipe.measures, trial.measurement
    return ", ".join(
        f"{name} {number(value, name in measurement.predicted)}"
        for name, value in measurement.measures.items()
        if name not in known or not known[name].group
    )


def _print_next(record: StudyRecord, first: str) -> None:
    """Prints commands to continue with after a study.

    Args:
        record: the stored study.
        first: the short key of a design of its best trial.
    """
    say("\nNext:")
    for command, does in (
        (f"explorer show {first}", "its graph and all its measurements"),
        (f"explorer similar {first}", "architectures like it"),
        (f"explorer study show {record.name}", "every trial"),
        (f"explorer search --resume {record.name} --budget {record.budget + 40}", "search on"),
        ("explorer serve", "query everything over GraphQL"),
    ):
        say(f"  {command:<60} {does}")


def _trial_json(study: StudyFindings, trial: TrialRecord) -> dict[str, Any]:
    from explorer.contracts.measure import nested

    return {
        "index": trial.index,
        "state": str(trial.state),
        "origin": trial.origin,
        "objective": study.values.get(trial.index),
        "roles": {
            role: architecture_json(study.architectures[trial.measurement.roles[role]]) for role in _roles(trial)
        },
        "measures": nested(trial.measurement.measures, study.recipe.measures),
        "predicted": sorted(trial.measurement.predicted),
        "message": trial.message,
    }


def _roles(trial: TrialRecord) -> list[str]:
    """The roles in the order of their simulator, which the store does not keep."""
    from explorer import registry

    return list(registry.simulator(trial.measurement.simulator).roles)


def _best_json(study: StudyFindings) -> dict[str, Any] | None:
    return None if study.best is None else _trial_json(study, study.best)


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
    return {str(state): count for state, count in counts.items()}
