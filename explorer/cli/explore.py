"""`explorer explore`: measure a random sample of a finite space, with its designs in one role of a simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from explorer.cli.generated import command, verb_groups
from explorer.cli.lazy import Command, Entry
from explorer.cli.notes import noted, noting
from explorer.cli.parameters import parameters_of, taken
from explorer.cli.progress import displayed, resumable
from explorer.cli.simulate import Assigned, joined, role_parameter
from explorer.cli.store import opened
from explorer.contracts.options import checked
from explorer.contracts.table import Column, Findings, Table, architecture_json, keys, short, value_of, values
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.simulator import Roles
    from explorer.contracts.space import DesignSpace
    from explorer.services.explorations import Exploration

LONGEST_TABLE = 40
_MOST_REASONS = 5


class ExploreOptions(Assigned):
    """The options of every exploration."""

    samples: int = Field(description="Number of designs to draw, all different.")
    seed: int = Field(0, description="Seed of the sample; more samples add designs to the same ones.")
    simulator: str | None = Field(None, description="Simulator that measures the designs.")
    workers: int = Field(2, description="Number of worker processes.")
    scheduler: str | None = Field(None, description="Dask scheduler to use, tcp://host:port.")
    plots: Path | None = Field(None, description="Folder for the plot of all designs.")
    out: Path | None = Field(None, description="File for all designs and measures, .csv or .parquet.")


def entries() -> Mapping[str, Entry]:
    """A command for each space that can be explored, and verbs; a verb with a space's name replaces its command."""
    from explorer import registry
    from explorer.services.explorations import explorable

    made = {name: _entry(name, able) for name, able in explorable().items()}
    return {**made, **verb_groups(registry.verbs()).get("explore", {})}


def _entry(name: str, able: Sequence[str]) -> Entry:
    """The command of one space.

    Args:
        name: the name of the space.
        able: the simulators that measure its designs.
    """
    return Entry(
        lambda: f"Measure random designs of {name}; stored measurements are not repeated.",
        lambda arguments: _command(name, _chosen(able, arguments), able),
    )


def _chosen(able: Sequence[str], arguments: Sequence[str]) -> str:
    """The simulator that the arguments name, by default the first; the other flags depend on it."""
    for at, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag == "--simulator":
            name = value or "".join(arguments[at + 1 : at + 2])
            if name not in able:
                raise InputError(f"--simulator is {name[:60]!r}; allowed: {', '.join(able)}.")
            return name
    return able[0]


def _command(name: str, simulator: str, able: Sequence[str]) -> Command:
    """The command of one space and one simulator.

    Args:
        name: the name of the space.
        simulator: the simulator that measures its designs.
        able: all simulators that can, the default first.
    """
    from explorer import registry
    from explorer.services.explorations import role_of

    entry, role = registry.simulator_entry(simulator), role_of(simulator, registry.space(name))
    roles = {other: who for other, who in registry.simulator(simulator).roles.items() if other != role}
    partners = [role_parameter(other, who.domain) for other, who in roles.items()]
    shared = parameters_of(ExploreOptions, without=[*taken(partners), *(["simulator"] if len(able) == 1 else [])])
    own = parameters_of(entry.options, without=taken([*partners, *shared]), defaults=entry.swift)
    about = f"Simulator that measures the designs. [default: {able[0]}]"
    shared = [replace(one, metavar="|".join(able), help=about) if one.name == "simulator" else one for one in shared]
    first = (f"--{other} {next(iter(registry.presets(who.domain)), 'KEY')}" for other, who in roles.items())
    return command(
        name,
        f"Measure random designs of {name} as the {role} of {simulator}; stored measurements are not repeated.",
        sorted([*partners, *shared, *own], key=lambda parameter: parameter.name == "assignments"),
        lambda given: _run(name, simulator, given),
        " ".join([f"explorer explore {name}", *first, "--samples 1000 --seed 0"]),
    )


def _run(name: str, simulator: str, given: dict[str, Any]) -> Findings:
    from explorer import registry
    from explorer.running.executor import open_executor
    from explorer.services.explorations import Sample, draw_designs, explore, role_of
    from explorer.services.references import resolve_architecture, sorted_assignments
    from explorer.services.rows import sample_rows
    from explorer.toolkit.folder import check_folder
    from explorer.toolkit.row_file import check_row_file, write_rows

    space, made = registry.space(name), registry.simulator(simulator)
    role = role_of(simulator, space)
    references = {other: given.pop(other) for other in made.roles if other != role}
    shared = {option: given.pop(option) for option in ExploreOptions.model_fields if option in given}
    options = checked(ExploreOptions, shared, f"explore {name}", strict=False)
    if options.plots is not None:
        check_folder(options.plots)
    if options.out is not None:
        check_row_file(options.out)
    assigned = sorted_assignments(simulator, options.assignments, role=role)
    swift = registry.simulator_entry(simulator).swift
    settings = made.settings({**swift, **joined(given, assigned.settings)})
    designs = draw_designs(_fixed(space, assigned.decisions.get(role, {})), options.samples, options.seed)
    notes: list[str] = []
    # The executor first: if it refuses, nothing must be left behind.
    with (
        open_executor(options.workers, options.scheduler) as executor,
        opened() as store,
    ):
        partners = {
            other: resolve_architecture(
                store,
                references[other],
                domain=made.roles[other].domain,
                overrides=assigned.decisions.get(other),
                note=noting(notes),
            )
            for other in references
        }
        for remark in made.remarks(partners):
            noting(notes)(remark)
        sample = Sample(simulator, role, designs, partners, settings)
        with (
            resumable(
                "Stored measurements are kept; the same command continues with the rest.",
                "Interrupted; finished measurements are stored. The same command continues with the rest.",
            ),
            displayed(name) as display,
        ):
            exploration = explore(store, executor, sample, display.advance)
    files = [] if options.plots is None else _write_plots(exploration, references, options.plots)
    if options.out is not None:
        write_rows(options.out, sample_rows(exploration))
    return noted(_findings(exploration, options.seed, files, options.out), notes)


def _fixed(space: DesignSpace, decisions: Mapping[str, Any]) -> DesignSpace:
    try:
        return space.fixed(decisions) if decisions else space
    except InputError as error:
        raise InputError(f"--set {error}") from error


def _findings(exploration: Exploration, seed: int, files: Sequence[Path], out: Path | None) -> Findings:
    sample, sweep = exploration.sample, exploration.sweep
    new = len(sweep.measurements) - sweep.stored_before
    shown: list[Table | str] = [
        f"{len(sample.designs):,} {sample.role}s{_partners(sample.partners)}: {new:,} measured, "
        f"{sweep.stored_before:,} stored before, {len(sweep.refused):,} that cannot run"
    ]
    shown += [f"  {times:,} times: {reason}" for reason, times in list(sweep.reasons.items())[:_MOST_REASONS]]
    if exploration.front:
        shown.append(_table(exploration))
        if len(exploration.front) > LONGEST_TABLE:
            shown.append(f"... and {len(exploration.front) - LONGEST_TABLE} more; --json prints them all.")
    document = _document(exploration, seed, new, files) | {"out": None if out is None else str(out)}
    if out is not None:
        shown.append(f"All {len(sample.designs):,} {sample.role}s: {out}")
    return Findings(document, shown, files if exploration.front else ())


def _document(exploration: Exploration, seed: int, new: int, files: Sequence[Path]) -> dict[str, Any]:
    from explorer import registry
    from explorer.contracts.measure import nested

    sample, sweep = exploration.sample, exploration.sweep
    known = registry.simulator(sample.simulator).measures
    return {
        "space": sample.designs[0].space,
        **{role: architecture_json(one) for role, one in sample.partners.items()},
        "settings": dict(sample.settings),
        "seed": seed,
        "samples": len(sample.designs),
        "measured": new,
        "stored_before": sweep.stored_before,
        "refused": dict(sweep.reasons),
        "pareto": [
            {
                "sample": at,
                "key": sweep.measurements[at].key,
                sample.role: architecture_json(sample.designs[at]),
                "measures": nested(sweep.measurements[at].measures, known),
            }
            for at in exploration.front
        ],
        "plots": [str(file) for file in files],
    }


def _table(exploration: Exploration) -> Table:
    from explorer import registry

    sample, measurements = exploration.sample, exploration.sweep.measurements
    space = registry.space(sample.designs[0].space)
    known = registry.simulator(sample.simulator).measures
    over = [known[name] for name in exploration.measures]
    beside = [known[name] for name in registry.headline() if name in known and name not in exploration.measures]
    summaries = [space.summary(sample.designs[at].choices) for at in exploration.front[:LONGEST_TABLE]]
    rows = [
        [
            sample.designs[at].key,
            *summary.values(),
            *(value_of(measure.name, measurements[at]) for measure in (*over, *beside)),
        ]
        for at, summary in zip(exploration.front, summaries, strict=False)
    ]
    columns = [
        keys(sample.role),
        *(
            Column(heading, text=any(not one[heading][:1].isdigit() for one in summaries), rank=2)
            for heading in summaries[0]
        ),
        *map(values, over),
        *(values(measure, rank=1) for measure in beside),
    ]
    labels = [measure.label for measure in over]
    named = " and ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else labels[0]
    return Table(f"Pareto-optimal in {named} ({len(exploration.front)} of {len(measurements):,})", columns, rows)


def _partners(partners: Roles) -> str:
    return f" for {', '.join(short(one.key) for one in partners.values())}" if partners else ""


def _write_plots(exploration: Exploration, references: Mapping[str, str], folder: Path) -> list[Path]:
    from explorer import registry
    from explorer.report.scatter import Cloud, plot

    sample, measurements = exploration.sample, exploration.sweep.measurements
    if not measurements or not exploration.measures:
        return []
    known = registry.simulator(sample.simulator).measures
    values = {known[name]: [one.measures[name] for one in measurements.values()] for name in exploration.measures}
    front = set(exploration.front)
    space = sample.designs[0].space
    names = [f"{Path(references[role]).stem[:40]}-{short(one.key)}" for role, one in sample.partners.items()]
    title = f"{len(measurements):,} {sample.role}s of {space}" + (f" for {', '.join(names)}" if names else "")
    return plot(Cloud(values, [at in front for at in measurements]), title, folder / "-".join([space, *names]))
