"""`explorer search`: run a study with any recipe, and show its progress and its results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from explorer.cli.generated import Printed, command
from explorer.cli.lazy import Command
from explorer.cli.parameters import Parameter, parameters_of, taken
from explorer.cli.progress import displayed, resumable
from explorer.cli.store import opened
from explorer.contracts.options import Flag, checked
from explorer.toolkit.assignments import parsed_assignments
from explorer.toolkit.durations import seconds_of
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.domain import RecipeEntry
    from graphdb.records import StudyRecord
    from graphdb.store import Store

BUDGET = 60
_SHARED = {
    "objective": ("objective",),
    "weights": ("weights",),
    "constraints": ("maxima", "minima"),
    "fixed": ("fixed",),
}
"""Settings that many recipes have -> the options of every search that set them."""


class SearchOptions(BaseModel):
    """The options of every search; a recipe adds its own settings."""

    recipe: Annotated[str | None, Flag(argument=True)] = Field(None, description="Recipe of the search.")
    budget: int = Field(BUDGET, description="Total number of evaluations.")
    seed: int = Field(0, description="Seed of the search; the same seed gives the same trials.")
    name: str | None = Field(None, description="Name of the study. [default: an unused one]")
    resume: str | None = Field(None, description="Continue this study after an interruption.")
    objective: str | None = Field(None, description="Objective of the recipe. [default: its first]")
    maxima: Annotated[list[str], Flag(names=("--max",), metavar="MEASURE=VALUE")] = Field(
        default_factory=list, description="Largest value that a measure may have; repeatable."
    )
    minima: Annotated[list[str], Flag(names=("--min",), metavar="MEASURE=VALUE")] = Field(
        default_factory=list, description="Smallest value that a measure may have; repeatable."
    )
    weights: Annotated[list[str], Flag(names=("--weight",), metavar="TERM=VALUE")] = Field(
        default_factory=list, description="Weight of a term of the objective; repeatable."
    )
    assignments: Annotated[list[str], Flag(names=("--set",), metavar="NAME=VALUE")] = Field(
        default_factory=list, description="Setting of the recipe, its simulator or its optimiser; repeatable."
    )
    fixed: Annotated[dict[str, str], Flag(names=("--fix",), metavar="ROLE=REFERENCE")] = Field(
        default_factory=dict,
        description="Hold this architecture (a preset, key or file) fixed in a role, and search the others; "
        "repeatable.",
    )
    time_limit: Annotated[float | None, Flag(read=seconds_of, metavar="DURATION")] = Field(
        None, description="Stop asking for trials after this time, such as 90s, 20min or 1h30min; the study can go on."
    )
    until_converged: bool | None = Field(
        None, description="End before the budget is spent if the optimiser expects no further progress."
    )
    workers: int = Field(2, description="Number of worker processes.")
    scheduler: str | None = Field(None, description="Dask scheduler to use, tcp://host:port.")
    plots: Path = Field(Path("results"), description="Folder for the Pareto plot.")


_GROWS = frozenset(
    ["recipe", "budget", "seed", "resume", "time_limit", "until_converged", "workers", "scheduler", "plots"]
)
"""The options that are allowed with `--resume`."""


def search_command(arguments: Sequence[str]) -> Command:
    """`explorer search`, with the flags of the recipe that the arguments name."""
    from explorer import registry

    shared = parameters_of(SearchOptions)
    every = {name: _own(registry.recipe_entry(name), shared) for name in registry.recipes()}
    chosen = _named_recipe(arguments, [*shared, *(one for own in every.values() for one in own)])
    entries = [registry.recipe_entry(name) for name in registry.recipes()]
    if chosen is None:
        own = list(_any_of(every.values()))
        known = "; ".join(f"{entry.name}: {entry.help.rstrip('.')}" for entry in entries)
        about = f"Search for the best architectures with a recipe, and store every trial. Recipes: {known}."
    else:
        entries = [registry.recipe_entry(chosen)]
        own, about = every[chosen], f"{entries[0].help} Every trial is stored."
        fields = entries[0].options.model_fields
        idle = {name for setting, names in _SHARED.items() if setting not in fields for name in names}
        shared = [parameter for parameter in shared if parameter.name not in idle]
    examples = [entry.example for entry in entries]
    return command("search", about, [*shared, *own], lambda given: _run(given, own), *examples)


def _own(entry: RecipeEntry, shared: Sequence[Parameter]) -> list[Parameter]:
    return parameters_of(entry.options, without=[*_SHARED, *taken(shared)])


def _any_of(recipes: Iterable[Sequence[Parameter]]) -> Iterator[Parameter]:
    """The hidden flags of all recipes: without a recipe they are accepted only to be refused with a reason."""
    known: set[str] = set()
    for own in recipes:
        for parameter in own:
            if known.isdisjoint(parameter.flags) and parameter.name not in known:
                known.update((*parameter.flags, parameter.name))
                yield replace(parameter, hidden=True, required=False)


def _named_recipe(arguments: Sequence[str], parameters: Sequence[Parameter]) -> str | None:
    """The recipe among the arguments, which may come after flags and their values."""
    from explorer import registry

    switches = {flag for one in parameters if one.type is bool for spelt in one.flags for flag in spelt.split("/")}
    left = iter(arguments)
    for argument in left:
        if not argument.startswith("-") or argument == "-":
            registry.recipe_entry(argument)  # refuses an unknown recipe
            return argument
        if argument not in switches | {"--json", "--help"} and "=" not in argument:
            next(left, None)
    return None


def _run(given: dict[str, Any], own: Sequence[Parameter]) -> Printed:
    from explorer.cli.study_findings import findings_json, gather, show_findings, write_plots
    from explorer.running.executor import open_executor
    from explorer.toolkit.folder import check_folder

    shared = {name: given.pop(name) for name in SearchOptions.model_fields if name in given}
    options = checked(SearchOptions, shared, "search", strict=False)
    check_folder(options.plots)
    flags = {one.name: one.flags[0].split("/")[0] for one in own if one.flags}
    # The executor first: if it refuses, no study must be left behind.
    with (
        open_executor(options.workers, options.scheduler) as executor,
        opened() as store,
    ):
        if options.resume is None:
            record = _planned(store, options, _settings(options, given, flags))
        else:
            shown = [*parameters_of(SearchOptions), *own]
            fixed = [one.flags[0] for one in shown if one.name in {*shared, *given} - _GROWS]
            record = _resumed(store, options, fixed)
        _search(store, record, executor, options)
        study = gather(store, store.studies.get(record.name))
    files = write_plots(study, options.plots)
    return Printed(findings_json(study), lambda: show_findings(study, files))


def _planned(store: Store, options: SearchOptions, settings: Mapping[str, Any]) -> StudyRecord:
    from explorer import registry
    from explorer.cli.notes import noting
    from explorer.services.references import resolve_architecture
    from explorer.services.studies import fixed_architectures, plan_study

    if options.recipe is None:
        raise InputError(f"No recipe was given: name one ({', '.join(registry.recipes())}), or a study with --resume.")
    fixed = fixed_architectures(
        options.recipe,
        options.fixed,
        lambda reference, domain: resolve_architecture(store, reference, domain=domain, note=noting([])),
    )
    return plan_study(
        store,
        recipe=options.recipe,
        budget=options.budget,
        seed=options.seed,
        name=options.name,
        objective=options.objective,
        constraints=[f"max:{text}" for text in options.maxima] + [f"min:{text}" for text in options.minima],
        settings=settings,
        fixed=fixed,
        until_converged=bool(options.until_converged),
    )


def _settings(options: SearchOptions, own: Mapping[str, Any], flags: Mapping[str, str]) -> dict[str, Any]:
    """The settings of the recipe, from its own flags and from `--set`."""
    settings = parsed_assignments(options.assignments)
    for name, value in own.items():
        if name in settings:
            raise InputError(f"{flags[name]} and --set {name} say the same; give one of them.")
        settings[name] = value
    if options.weights:
        settings["weights"] = parsed_assignments(options.weights, "--weight")
    return settings


def _resumed(store: Store, options: SearchOptions, fixed: Sequence[str]) -> StudyRecord:
    """The study to continue, with its budget increased if a larger one is given.

    Args:
        store: the database.
        options: the options of the command.
        fixed: the given flags that cannot change an existing study.
    """
    from explorer.services.studies import check_whole

    name, given = str(options.resume), options.model_fields_set
    record = store.studies.get(name)
    if fixed:
        raise InputError(f"{', '.join(fixed)} cannot change in a study that exists; only --budget can grow.")
    if options.recipe not in (None, record.recipe):
        raise InputError(f"The study {name} is of the recipe {record.recipe}, not {options.recipe}.")
    if "seed" in given and options.seed != record.seed:
        raise InputError(f"The study {name} has the seed {record.seed}; it cannot go on with {options.seed}.")
    if "budget" in given and options.budget != record.budget:
        check_whole("budget", options.budget, 1)
        if options.budget < record.budget:
            raise InputError(f"The study {name} has a budget of {record.budget}; --budget {options.budget} is smaller.")
        store.studies.set_budget(name, options.budget)
    if options.until_converged is not None:
        store.studies.set_until_converged(name, options.until_converged)
    return store.studies.get(name)


def _search(store: Store, record: StudyRecord, executor: Executor, options: SearchOptions) -> None:
    from explorer import registry
    from explorer.running.study import Study

    way = f"explorer search --resume {record.name}"
    study = Study(store, record, registry.recipe(record.recipe), executor, time_limit_s=options.time_limit)
    try:
        with (
            resumable(f"Nothing is lost; go on with: {way}", f"Interrupted; nothing is lost. Go on with: {way}"),
            displayed(record.name) as display,
        ):
            study.on_progress = display.advance
            study.run()
    except InputError:
        # Refused before its first trial: nothing is left behind of a study that was begun here.
        if options.resume is None and not sum(store.studies.counts(record.name).values()):
            store.studies.delete(record.name)
        raise
