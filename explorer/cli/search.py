"""`explorer search`: run a study, with its progress and its findings."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from explorer.cli.output import AsJson, emit, errors
from explorer.cli.studies import check_folder, findings_json, gather, show_findings, write_plots
from graphdb.connection import open_store
from graphdb.errors import InputError, UnavailableError
from graphdb.records import StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store

if TYPE_CHECKING:
    from explorer.running.study import Progress

BUDGET = 60


def search(
    recipe: Annotated[str | None, typer.Argument(help="What to search: transcode, flexibert.")] = None,
    budget: Annotated[int | None, typer.Option(help=f"Evaluations in all. [default: {BUDGET}]")] = None,
    seed: Annotated[int | None, typer.Option(help="One seed gives the same trials. [default: 0]")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the study. [default: a free one]")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this study after an interruption.")] = None,
    target: Annotated[
        str | None, typer.Option(help="What flexibert looks for: qnli_acc, sst2_acc, mlm_acc. [default: qnli_acc]")
    ] = None,
    levels: Annotated[
        int | None, typer.Option(help="Levels of flexibert, from coarse to fine: 1 to 3. [default: 3]")
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help="Objective of the recipe: decades, published ... [default: decades]")
    ] = None,
    maxima: Annotated[
        list[str] | None, typer.Option("--max", help="Constraint measure=value, for example area_mm2=200; repeatable.")
    ] = None,
    minima: Annotated[
        list[str] | None, typer.Option("--min", help="Constraint measure=value, for example accuracy=0.8; repeatable.")
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option("--weight", help="term=value, for example accuracy=0.7; repeatable.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, a setting of the recipe or simulator; repeatable.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that evaluate.")] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler to evaluate on, tcp://host:port.")] = None,
    plots: Annotated[Path, typer.Option(help="Folder for the Pareto plot.")] = Path("results"),
    json: AsJson = False,
) -> None:
    """Search for the best architectures, and store every trial.

    Example: explorer search transcode --budget 60 --seed 0 --max area_mm2=200

    Example: explorer search flexibert --target qnli_acc --levels 2
    """
    from explorer.running.executor import open_executor
    from explorer.services import studies

    check_folder(plots)
    own = {"target": target, "levels": levels}
    # The executor first: what it refuses must not leave a study behind.
    with open_executor(workers, scheduler) as executor, open_store(Settings.from_environment()) as store:
        if resume is None:
            if recipe is None:
                raise InputError("No recipe was given: name one (`explorer search transcode`), or a study by --resume.")
            record = studies.plan_study(
                store,
                recipe=recipe,
                budget=BUDGET if budget is None else budget,
                seed=0 if seed is None else seed,
                name=name,
                objective=objective,
                constraints=[f"max:{text}" for text in maxima or []] + [f"min:{text}" for text in minima or []],
                settings=_settings(weights, overrides, own),
            )
        else:
            fixed = [name, target, levels, objective, maxima, minima, weights, overrides]
            flags = ["--name", "--target", "--levels", "--objective", "--max", "--min", "--weight", "--set"]
            given = [flag for flag, value in zip(flags, fixed, strict=True) if value]
            record = _resumed(store, resume, recipe, budget, seed, given)
        _run(store, record, executor)
        found = gather(store, store.studies.get(record.name))
    files = write_plots(found, plots)
    if json:
        emit(findings_json(found))
    else:
        show_findings(found, files)


def _settings(weights: list[str] | None, overrides: list[str] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    from explorer.services.references import parse_settings

    given = parse_settings(overrides or [])
    for setting, value in own.items():
        if value is not None:
            if setting in given:
                raise InputError(f"--{setting} and --set {setting} say the same; give one of them.")
            given[setting] = value
    if weights:
        given["weights"] = parse_settings(weights, "--weight")
    return given


def _resumed(
    store: Store, name: str, recipe: str | None, budget: int | None, seed: int | None, fixed: list[str]
) -> StudyRecord:
    from explorer.services.studies import check_whole

    record = store.studies.get(name)
    if fixed:
        raise InputError(f"{', '.join(fixed)} cannot change in a study that exists; only --budget can grow.")
    if recipe is not None and recipe != record.recipe:
        raise InputError(f"The study {name} is of the recipe {record.recipe}, not {recipe}.")
    if seed is not None and seed != record.seed:
        raise InputError(f"The study {name} has the seed {record.seed}; it cannot go on with {seed}.")
    if budget is not None and budget != record.budget:
        check_whole("budget", budget, 1)
        if budget < record.budget:
            raise InputError(f"The study {name} has a budget of {record.budget}; --budget {budget} is smaller.")
        store.studies.set_budget(name, budget)
        record = store.studies.get(name)
    return record


def _run(store: Store, record: StudyRecord, executor: Executor) -> None:
    from explorer import registry
    from explorer.running.study import Study

    bars = Bars(
        TextColumn("[bold]{task.fields[study]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("best {task.fields[best]}"),
        TextColumn("{task.fields[left]}"),
        TextColumn("[dim]{task.description}"),
        console=errors,
    )
    with bars:
        bar = bars.add_task("", total=record.budget, study=record.name, best="-", left="")
        study = Study(
            store, record, registry.recipe(record.recipe), executor, lambda progress: _advance(bars, bar, progress)
        )
        try:
            study.run()
        except KeyboardInterrupt:
            bars.stop()
            errors.print(f"Interrupted; nothing is lost. Go on with: explorer search --resume {record.name}")
            raise typer.Exit(130) from None
        except UnavailableError as error:
            raise UnavailableError(
                f"{error} Nothing is lost; go on with: explorer search --resume {record.name}"
            ) from error


def _advance(bars: Bars, bar: TaskID, progress: Progress) -> None:
    left = "" if progress.left_s is None else f"{progress.left_s:.0f} s left"
    best = "-" if progress.best is None else f"{progress.best:.4f}"
    bars.update(bar, completed=progress.done, description=progress.phase, best=best, left=left)
