"""The findings of a study, as JSON, tables and plots; `explorer search` and `explorer study` print them."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.output import console, print_table, say
from explorer.contracts.table import (
    Cell,
    Column,
    Table,
    architecture_json,
    keys,
    number,
    short,
    value_of,
    values,
    words,
)

if TYPE_CHECKING:
    from explorer.contracts.measure import Measure
    from explorer.contracts.recipe import Recipe
    from explorer.services.closest import Closest
    from explorer.services.course import Step
    from graphdb.architecture import Architecture
    from graphdb.records import StudyRecord, TrialRecord
    from graphdb.store import Store


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
        closest: the trial closest to meeting the constraints, if no trial meets them.
        state: the state of the study for users.
        volumes: the hypervolume of the front after each trial.
        architectures: key -> architecture, for all trials.
    """

    record: StudyRecord
    recipe: Recipe[Any]
    trials: Sequence[TrialRecord]
    values: Mapping[int, float]
    front: Sequence[TrialRecord]
    best: TrialRecord | None
    closest: Closest | None
    state: str
    volumes: Sequence[float]
    architectures: Mapping[str, Architecture]

    @property
    def over(self) -> Sequence[Measure]:
        """The measures of the Pareto front."""
        return [self.recipe.measures[name] for name in self.recipe.front_under(self.record.settings)]

    @cached_property
    def steps(self) -> list[Step]:
        """What each trial brought, in their order."""
        from explorer.services.course import course_of

        return course_of(self.recipe, self.record, self.trials)

    @cached_property
    def by_trial(self) -> Mapping[int, tuple[Step, float]]:
        """Index of a trial -> what it brought, and the hypervolume after it."""
        return {step.index: (step, volume) for step, volume in zip(self.steps, self.volumes, strict=True)}

    @property
    def notes(self) -> list[str]:
        """Sentences that readers of the results must know."""
        return self.recipe.notes(self.record.settings, None if self.best is None else self.best.measurement)


def gather(store: Store, record: StudyRecord) -> StudyFindings:
    """Reads everything that reports of a study need, in two queries."""
    from explorer import registry
    from explorer.running.merits import front_of, hypervolumes, performances
    from explorer.services.closest import closest_of
    from explorer.services.studies import shown_state

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
        closest=closest_of(recipe, record, trials),
        state=shown_state(record),
        volumes=hypervolumes(recipe, record, trials),
        architectures=store.architectures.get_many(sorted(keys)),
    )


def findings_json(study: StudyFindings) -> dict[str, Any]:
    """The JSON of `explorer search --json`."""
    return {
        "study": study.record.name,
        "trials": len(study.trials),
        "state": study.state,
        "best": best_json(study),
        "closest": closest_json(study),
        "pareto": [trial_json(study, trial) for trial in study.front],
        "notes": study.notes,
    }


def show_findings(study: StudyFindings, plots: Sequence[Path]) -> None:
    """Prints the Pareto table, the best design in full, the paths of the plots, and commands to continue with."""
    record, best = study.record, study.best
    if best is None:
        from explorer.services.closest import unmet

        say(unmet(record, study.closest, study.trials))
        _print_state(study)
        return
    print_trials(study, study.front, f"Pareto-optimal designs of {record.name}")
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
    _print_state(study)
    _print_next(record, short(best.measurement.roles[_roles(best)[0]]))


def write_plots(study: StudyFindings, folder: Path) -> list[Path]:
    """Writes the Pareto plot of a study and the growth of its hypervolume; nothing if no trial meets the constraints.

    Returns:
        The files written, those of the Pareto plot first.
    """
    from explorer.report import hypervolume

    files = plot_front(study, folder)
    if files and study.volumes and study.volumes[-1] > 0:
        name = study.record.name
        title = f"{name}: hypervolume of the Pareto front"
        files += hypervolume.plot(study.volumes, title, folder / f"{name}-hypervolume")
    return files


def plot_front(study: StudyFindings, folder: Path) -> list[Path]:
    """Writes the Pareto plot of a study; nothing if no trial meets the constraints."""
    from explorer.report import pareto

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
        if trial.index in study.values and trial.measurement.measures.keys() >= {measure.name for measure in study.over}
    ]
    if not points:
        return []
    name = study.record.name
    title = f"{name}: {len(points)} trials that meet the constraints"
    return pareto.plot(points, study.over, title, folder / f"{name}-pareto")


def print_trials(study: StudyFindings, trials: Sequence[TrialRecord], title: str, *, course: bool = False) -> None:
    """Prints a table of trials.

    Args:
        study: their study.
        trials: some of its trials.
        title: the title of the table.
        course: whether to show what was predicted, and the best so far.
    """
    shown = study.recipe.columns
    roles = _roles(trials[0]) if trials else []
    columns = [
        Column("trial"),
        *map(keys, roles),
        Column("objective"),
        *(values(known, rank=int(known not in study.over)) for known in map(study.recipe.measures.__getitem__, shown)),
        words("origin", rank=2),
        *((words("foreseen", rank=2), Column("best so far", rank=2)) if course else ()),
    ]
    steps = study.by_trial if course else {}
    rows: list[list[Cell]] = [
        [
            trial.index,
            *(trial.measurement.roles[role] for role in roles),
            _performance(study, trial),
            *(value_of(name, trial.measurement) for name in shown),
            trial.origin,
            *((_foreseen(steps[trial.index][0]), steps[trial.index][0].incumbent) if course else ()),
        ]
        for trial in trials
    ]
    print_table(Table(title, columns, rows))
    if any(trial.measurement.predicted for trial in trials):
        say("~ predicted by the surrogate, not measured")


def _foreseen(step: Step) -> str | None:
    """The prediction by which a design was chosen, with its deviation."""
    if step.expected is None:
        return None
    mean, deviation = step.expected
    return f"{number(mean)} ± {deviation:.2g}"


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
    from explorer.contracts.measure import unlabelled
    from explorer.contracts.units import quantity

    known, measurement = study.recipe.measures, trial.measurement
    return ", ".join(
        f"{one.label} {'~' * (name in measurement.predicted)}{quantity(value, one.stored_unit)}"
        for name, value in measurement.measures.items()
        if not (one := known.get(name) or unlabelled(name)).group
    )


def _print_state(study: StudyFindings) -> None:
    """Prints the reason of the state, such as that the study was asked to stop."""
    if study.record.message:
        say(f"\n{study.record.message}")


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


def trial_json(study: StudyFindings, trial: TrialRecord) -> dict[str, Any]:
    """The JSON of one trial."""
    from explorer.contracts.measure import nested

    return {
        "index": trial.index,
        "state": str(trial.state),
        "origin": trial.origin,
        "objective": study.values.get(trial.index),
        **_course_json(study, trial.index),
        "roles": {
            role: architecture_json(study.architectures[trial.measurement.roles[role]]) for role in _roles(trial)
        },
        "measures": nested(trial.measurement.measures, study.recipe.measures),
        "predicted": sorted(trial.measurement.predicted),
        "message": trial.message,
    }


def _course_json(study: StudyFindings, index: int) -> dict[str, Any]:
    """What a trial brought, and what was expected of it."""
    step, volume = study.by_trial[index]
    expected = None if step.expected is None else dict(zip(("mean", "deviation"), step.expected, strict=True))
    return {
        "incumbent": step.incumbent,
        "hypervolume": volume,
        "expected": expected,
        "expected_improvement": step.expected_gain,
    }


def _roles(trial: TrialRecord) -> list[str]:
    """The roles in the order of their simulator, which the store does not keep."""
    from explorer import registry

    return list(registry.simulator(trial.measurement.simulator).roles)


def best_json(study: StudyFindings) -> dict[str, Any] | None:
    """The JSON of the best trial."""
    return None if study.best is None else trial_json(study, study.best)


def closest_json(study: StudyFindings) -> dict[str, Any] | None:
    """The JSON of the closest trial, the constraints it misses and the ranges seen; None if a trial meets them all."""
    return None if study.closest is None else study.closest.json
