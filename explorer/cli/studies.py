"""`explorer study`: studies as tables, JSON, plots and files, and what else can be done with them."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.output import AsJson, console, emit, files_heading, print_table, say
from explorer.cli.store import opened
from explorer.contracts.table import Column, Table, words

if TYPE_CHECKING:
    from graphdb.records import StudyRecord

app = typer.Typer(help="Show, export, stop and delete studies.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the study.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of the studies.")]
Plots = Annotated[Path | None, typer.Option(help="Folder for plots of the Pareto front and of the hypervolume.")]
CoursePlots = Annotated[
    Path | None,
    typer.Option(
        "--plots",
        help="Folder for plots of the front, convergence, decisions and their importance, and of predictions.",
    ),
]
ComparedPlots = Annotated[Path | None, typer.Option("--plots", help="Folder for a plot of the convergence of all.")]
Out = Annotated[Path, typer.Option(help="File to write; its suffix, .csv or .parquet, selects the format.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list", epilog="Example: explorer study list")
def list_studies(json: AsJson = False) -> None:
    """List all studies, the newest first."""
    from explorer.services.studies import shown_state

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
        rows.append([record.name, record.recipe, shown_state(record), *numbers, record.created])
    print_table(Table("Studies", columns, rows))


@app.command(epilog="Example: explorer study show my-study --plots figures")
def show(name: Name, plots: CoursePlots = None, json: AsJson = False) -> None:
    """Show a study: its settings, every trial, the best one, and what each kind of proposals brought."""
    from explorer.cli.study_course import course_json, print_course, write_course
    from explorer.cli.study_findings import best_json, closest_json, gather, print_trials, trial_json
    from explorer.services.closest import unmet
    from explorer.toolkit.folder import check_folder

    if plots is not None:
        check_folder(plots)
    with opened() as store:
        study = gather(store, store.studies.get(name))
        files = [] if plots is None else write_course(store, study, plots)
    if json:
        trials = [trial_json(study, trial) for trial in study.trials]
        found = {"trials": trials, "best": best_json(study), "closest": closest_json(study), **course_json(study)}
        emit(_record_json(study.record) | found | {"plots": [str(file) for file in files]})
        return
    record = study.record
    console.print(f"[bold]{record.name}[/]: {record.recipe}, {study.state}, seed {record.seed}, budget {record.budget}")
    say(f"settings: {json_format.dumps(record.settings)}")
    if record.message:
        say(record.message)
    print_trials(study, study.trials, "Trials", course=True)
    print_course(study)
    if study.closest is not None:
        say(unmet(record, study.closest, study.trials))
    if files:
        say(f"\n{files_heading(files)}: {', '.join(map(str, files))}")


@app.command(epilog="Example: explorer study compare my-study your-study --plots figures")
def compare(names: Names, plots: ComparedPlots = None, json: AsJson = False) -> None:
    """Compare the convergence of studies: the best design after 20 trials, 40, 60 and so on."""
    from explorer.cli.study_comparison import comparison_json, print_comparison, write_comparison
    from explorer.cli.study_findings import gather
    from explorer.toolkit.folder import check_folder

    if plots is not None:
        check_folder(plots)
    with opened() as store:
        studies = [gather(store, store.studies.get(name)) for name in dict.fromkeys(names)]
    files = [] if plots is None else write_comparison(studies, plots)
    if json:
        emit(comparison_json(studies) | {"plots": [str(file) for file in files]})
        return
    print_comparison(studies)
    if files:
        say(f"\n{files_heading(files)}: {', '.join(map(str, files))}")


@app.command(epilog="Example: explorer study pareto my-study --plots figures")
def pareto(name: Name, plots: Plots = None, json: AsJson = False) -> None:
    """Show the Pareto-optimal designs of a study as a table, and plot them as PNG and SVG if asked to."""
    from explorer.cli.study_findings import findings_json, gather, show_findings, write_plots
    from explorer.toolkit.folder import check_folder

    if plots is not None:
        check_folder(plots)
    with opened() as store:
        study = gather(store, store.studies.get(name))
    files = [] if plots is None else write_plots(study, plots)
    if json:
        emit(findings_json(study) | {"hypervolume": list(study.volumes), "plots": [str(file) for file in files]})
    else:
        show_findings(study, files)


@app.command(epilog="Example: explorer study export my-study --out trials.csv")
def export(name: Name, out: Out, json: AsJson = False) -> None:
    """Write the trials of a study as CSV or Parquet: one row each, with keys, measures, violations and decisions."""
    from explorer.services.rows import trial_rows
    from explorer.toolkit.row_file import check_row_file, write_rows

    check_row_file(out)
    with opened() as store:
        rows = trial_rows(store, name)
    write_rows(out, rows)
    if json:
        emit({"study": name, "trials": len(rows), "file": str(out)})
    else:
        say(f"{len(rows)} trials of {name}: {out}")


@app.command(epilog="Example: explorer study stop my-study")
def stop(name: Name, json: AsJson = False) -> None:
    """Ask a running study, wherever it runs, to stop once its trials under way have ended; it can be resumed."""
    from explorer.services.studies import stop_study

    with opened() as store:
        record = stop_study(store, name)
    if json:
        emit(_record_json(record))
    else:
        say(f"{name} will stop once its trials under way have ended. Go on with: explorer search --resume {name}")


@app.command(epilog="Example: explorer study delete my-study")
def delete(name: Name, yes: Yes = False, json: AsJson = False) -> None:
    """Delete a study and its trials; the measurements and architectures stay."""
    from explorer.services.studies import delete_study

    with opened() as store:
        trials = sum(store.studies.counts(name).values())
        if not yes:
            typer.confirm(f"Delete the study {name} with its {trials} trials?", abort=True, err=True)
        delete_study(store, name)
    if json:
        emit({"study": name, "trials": trials, "deleted": True})
    else:
        say(f"Deleted {name}; what its {trials} trials measured stays.")


def _record_json(record: StudyRecord) -> dict[str, Any]:
    from explorer.services.studies import shown_state

    return {
        "study": record.name,
        "recipe": record.recipe,
        "state": shown_state(record),
        "stopping": record.stopping,
        "seed": record.seed,
        "budget": record.budget,
        "settings": dict(record.settings),
        "basis": dict(record.basis),
        "created": record.created,
        "message": record.message,
    }


def _counts(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(state): count for state, count in counts.items()}
