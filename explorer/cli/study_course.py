"""The course of a study as sentences, a table, JSON and plots; `explorer study show` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.output import print_table, say
from explorer.cli.study_findings import StudyFindings, plot_front
from explorer.contracts.table import Column, Table, number, words

if TYPE_CHECKING:
    from explorer.services.course import Calibration, Kind, Step
    from graphdb.store import Store


def course_json(study: StudyFindings) -> dict[str, Any]:
    """The JSON of a study's course."""
    from explorer.services.course import calibration_of, foreseen, kinds_of

    calibration = calibration_of(foreseen(study.steps))
    return {
        "origins": [_kind_json(kind) for kind in kinds_of(study.steps)],
        "hypervolume": study.volumes[-1] if study.volumes else None,
        "expected_improvement": study.record.expectation,
        "calibration": None if calibration is None else asdict(calibration),
    }


def print_course(study: StudyFindings) -> None:
    """Prints what each kind of proposals brought, the best, how good the predictions were, and what is left."""
    from explorer.services.course import calibration_of, foreseen, kinds_of

    if not study.steps:
        return
    say("")
    print_table(kinds_table(kinds_of(study.steps)))
    if study.best is not None:
        say(f"Best: {study.values[study.best.index]:.4f}, trial {study.best.index} of {len(study.trials)}.")
    calibration = calibration_of(foreseen(study.steps))
    if calibration is not None:
        say(f"Predictions: {calibration_text(calibration)}.")
    if study.record.expectation is not None:
        say(f"Improvement that was expected of the latest choice: {number(study.record.expectation)}.")


def kinds_table(kinds: Sequence[Kind]) -> Table:
    """A row for each kind of proposals."""
    columns = [
        words("origin"),
        Column("proposals"),
        Column("feasible", rank=2),
        Column("median", rank=1),
        Column("best"),
        Column("improvements"),
        Column("gain", rank=1),
    ]
    rows = [
        [kind.origin, kind.proposals, kind.feasible, kind.middle, kind.best, kind.improvements, kind.gain]
        for kind in kinds
    ]
    return Table("What each kind of proposals brought", columns, rows)


def calibration_text(calibration: Calibration) -> str:
    """How good predictions were, in a few words."""
    count, within = calibration.count, f"{100 * calibration.within:.0f} %"
    text = f"{count} design{'s' * (count != 1)}, {within} within one deviation (68 % if errors are normal)"
    return text + ("" if calibration.spearman is None else f", Spearman {calibration.spearman:.2f}")


def write_course(store: Store, study: StudyFindings, folder: Path) -> list[Path]:
    """Writes all plots of a study: front, convergence, decisions, importance and predictions, as far as it has them.

    Args:
        store: the database.
        study: the study.
        folder: the folder, which is created.

    Returns:
        The files written.

    Raises:
        InputError, StorageFullError: the folder cannot be written to.
    """
    steps = study.steps
    if all(step.performance is None for step in steps):
        return []
    files = plot_front(study, folder) + _plot_convergence(study, folder)
    return files + _plot_decisions(store, study, folder) + _plot_predictions(steps, study.record.name, folder)


def _plot_convergence(study: StudyFindings, folder: Path) -> list[Path]:
    from explorer.report import convergence

    name = study.record.name
    marks = [convergence.Mark(step.index, step.origin, step.performance, step.feasible) for step in study.steps]
    best = "no trial meets the constraints" if study.best is None else f"best {study.values[study.best.index]:.4f}"
    title = f"{name}: {len(marks)} trials, {best}"
    return convergence.plot(marks, study.volumes, title, folder / f"{name}-convergence")


def _plot_decisions(store: Store, study: StudyFindings, folder: Path) -> list[Path]:
    from explorer.report import coordinates, importance
    from explorer.services.decisions import decisions_of

    name = study.record.name
    made = decisions_of(store, study.recipe, study.record, study.trials, study.steps)
    if not made.decisions:
        return []
    axes = [coordinates.Axis(one.name, one.values.tolist(), one.labels) for one in made.decisions]
    performances = [step.performance for step in made.steps if step.performance is not None]
    feasible = [step.feasible for step in made.steps]
    title = f"{name}: decisions of {len(performances)} designs"
    files = coordinates.plot(axes, performances, feasible, title, folder / f"{name}-decisions")
    if any(share > 0 for share in made.importance.values()):
        title = f"{name}: importance of decisions"
        files += importance.plot(made.importance, made.measure, title, folder / f"{name}-importance")
    return files


def _plot_predictions(steps: Sequence[Step], name: str, folder: Path) -> list[Path]:
    from explorer.report import predictions
    from explorer.services.course import calibration_of, foreseen

    designs = foreseen(steps)
    calibration = calibration_of(designs)
    if calibration is None:
        return []
    forecasts = [predictions.Forecast(*one) for one in designs]
    return predictions.plot(forecasts, f"{name}: {calibration_text(calibration)}", folder / f"{name}-predictions")


def _kind_json(kind: Kind) -> dict[str, Any]:
    return {
        "origin": kind.origin,
        "proposals": kind.proposals,
        "feasible": kind.feasible,
        "median": kind.middle,
        "best": kind.best,
        "improvements": kind.improvements,
        "gain": kind.gain,
    }
