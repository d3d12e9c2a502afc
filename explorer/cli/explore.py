"""`explorer explore`: measure a sample of a design space, or every dataflow of a matrix product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from typer.core import TyperGroup

from explorer.cli.output import AsJson, architecture_json, console, emit, errors, nested_measures, number, short, table
from explorer.cli.studies import check_folder
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.errors import InputError, UnavailableError
from graphdb.settings import Settings
from graphdb.store import Store

if TYPE_CHECKING:
    from explorer.contracts.space import DesignSpace
    from explorer.running.sweep import Sweep

FRONT = {"area_mm2": "minimise", "energy_j": "minimise", "latency_s": "minimise"}
"""What the Pareto table is about: all per batch, as published."""
MOST_SAMPLES = 1_000_000
LONGEST_TABLE = 40
# The fast engine measures dozens to thousands of pairs a second, the detailed one a few.
CHUNKS = {"fast": 64, "detailed": 4}


class _Explorations(TyperGroup):
    """Answers an unknown exploration as any other bad input: in one sentence."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            raise InputError(f"There is no exploration {cmd_name[:60]!r}; allowed: {', '.join(self.commands)}.")
        return found


app = typer.Typer(cls=_Explorations, help="Measure a whole sample of a design space.", no_args_is_help=True)


@app.callback()
def explorations() -> None:
    """Measure a whole sample of a design space."""


@app.command(epilog="Example: explorer explore elector --model bert-tiny --samples 1000 --seed 0")
def elector(
    model: Annotated[str, typer.Option(help="Preset (bert-tiny ...), key of the database, or JSON file.")],
    samples: Annotated[int, typer.Option(help="Accelerators that are drawn, all different.")],
    seed: Annotated[int, typer.Option(help="One seed gives the same accelerators; more samples only add some.")] = 0,
    task: Annotated[str | None, typer.Option(help="inference or training")] = None,
    engine: Annotated[str, typer.Option(help="fast (analytic) or detailed (event-driven)")] = "fast",
    mode: Annotated[str | None, typer.Option(help="reference (as published) or corrected")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value; a setting of the run, or a decision that is fixed; repeatable."),
    ] = None,
    library: Annotated[Path | None, typer.Option(help="YAML file of the user's own modules.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that evaluate.")] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler to evaluate on, tcp://host:port.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for the picture of all designs.")] = None,
    json: AsJson = False,
) -> None:
    """Measure a model on randomly drawn accelerators of ELECTOR; what is stored already is not measured again."""
    import numpy as np

    from explorer import registry
    from explorer.running.executor import open_executor
    from explorer.running.sweep import draw
    from explorer.services import references
    from explorer.services.studies import check_whole

    if plots is not None:
        check_folder(plots)
    given = references.split_overrides("acceltran", overrides or [])
    named = {"task": task, "engine": engine, "mode": mode}
    settings = {name: value for name, value in named.items() if value is not None} | given.settings
    if library is not None:
        settings["library"] = _own_modules(library)
    full = registry.simulator("acceltran").settings(settings)
    check_whole("seed", seed, 0)
    space = _fixed(given.architecture)
    if not 1 <= samples <= min(space.size, MOST_SAMPLES):
        raise InputError(
            f"--samples is {samples}; allowed: 1 to {min(space.size, MOST_SAMPLES)}, as the space holds {space.size}."
        )
    # The executor first: what it refuses must leave nothing behind.
    with open_executor(workers, scheduler) as executor, open_store(Settings.from_environment()) as store:
        chosen = references.resolve_architecture(store, model, domain="transformer")
        designs = [space.build(choices) for choices in draw(space, samples, np.random.default_rng(seed))]
        found = _run(store, executor, chosen, designs, full)
    front = _front(found)
    files = [] if plots is None else _write_plots(found, front, f"{Path(model).stem[:40]}-{short(chosen.key)}", plots)
    if json:
        emit(_document(found, front, chosen, designs, full, seed, files))
    else:
        _show(found, front, chosen, designs, files)


@app.command(epilog="Example: explorer explore dataflow --sizes 64,64,128 --rule published")
def dataflow(
    sizes: Annotated[str, typer.Option(help="m,n,p of the product (batch, m, n) by (batch, n, p).")],
    batch: Annotated[int, typer.Option(help="Sequences.")] = 4,
    tile: Annotated[int, typer.Option(help="Rows and columns of a tile.")] = 16,
    lanes: Annotated[int, typer.Option(help="MAC lanes that take tiles in turn.")] = 4,
    rule: Annotated[
        str, typer.Option(help="When a second operand is re-used: right, or published, which misses an axis.")
    ] = "right",
    library: Annotated[Path | None, typer.Option(help="YAML file of the user's own modules.")] = None,
    json: AsJson = False,
) -> None:
    """Energy and re-use of a matrix product under all 24 orders of its loops; nothing is stored."""
    from explorer.domains.accelerator.acceltran.findings.reuse import Rule, dataflow_study, table_rows
    from explorer.domains.accelerator.acceltran.settings.run import run_settings

    m, n, p = _sizes(sizes)
    overlay = run_settings({} if library is None else {"library": _own_modules(library)}).overlay
    checked = cast(Rule, rule)  # any text; the study refuses what is none
    found = table_rows(dataflow_study(m, n, p, batch, tile, lanes, checked, overlay=overlay))
    if json:
        emit({"sizes": [m, n, p], "batch": batch, "tile": tile, "lanes": lanes, "rule": rule, "orders": found})
        return
    rows = table(f"({batch}, {m}, {n}) by ({batch}, {n}, {p}), rule {rule}", *map(_heading, found[0]))
    for row in found:
        rows.add_row(*(number(value) if isinstance(value, float) else str(value) for value in row.values()))
    console.print(rows)


def _heading(name: str) -> str:
    return {"energy_nj": "energy (nJ)"}.get(name, name.replace("_", " "))


def _sizes(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InputError(f"--sizes is {text[:60]!r}; allowed: three integers from 1, such as 64,64,128.")
    return [int(part) for part in parts]


def _own_modules(file: Path) -> dict[str, Any]:
    from explorer.domains.accelerator.acceltran.chip.library import read_library

    found = read_library(file)
    if found.modules is None:
        raise InputError(f"{file} holds no modules; the memories of ELECTOR's accelerators are its own.")
    return found.modules.json()


def _fixed(decisions: Mapping[str, Any]) -> DesignSpace:
    """The space of ELECTOR with some decisions made.

    Raises:
        InputError: a decision that ELECTOR does not have, or a value that it does not allow.
    """
    from explorer.domains.accelerator.elector.hardware import HYPERPARAMETERS
    from explorer.domains.accelerator.elector.space import ElectorSpace
    from explorer.toolkit.reading import among, listed, refused

    options = dict(HYPERPARAMETERS)
    for name, value in decisions.items():
        if name not in HYPERPARAMETERS:
            raise InputError(f"--set {name}: not a decision of ELECTOR; allowed: {listed(HYPERPARAMETERS)}.")
        if not among(value, HYPERPARAMETERS[name]):
            raise InputError(refused(f"--set {name}", value, listed(HYPERPARAMETERS[name])))
        options[name] = (value,)
    return ElectorSpace(options)


def _run(
    store: Store, executor: Executor, model: Architecture, designs: Sequence[Architecture], settings: Mapping[str, Any]
) -> Sweep:
    from explorer.running.sweep import Progress, sweep

    bars = Bars(
        TextColumn("[bold]elector"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("[dim]{task.fields[refused]}"),
        console=errors,
    )
    pairs = [{"model": model, "accelerator": design} for design in designs]
    with bars:
        bar = bars.add_task("", total=len(pairs), left="", refused="")

        def advance(progress: Progress) -> None:
            left = "" if progress.left_s is None else f"{progress.left_s:.0f} s left"
            refused = f"{progress.refused} cannot run" if progress.refused else ""
            bars.update(bar, completed=progress.done, left=left, refused=refused)

        try:
            return sweep(
                store, executor, "acceltran", pairs, settings, chunk=CHUNKS[settings["engine"]], on_progress=advance
            )
        except KeyboardInterrupt:
            bars.stop()
            errors.print("Interrupted; what was measured is stored. The same command goes on with the rest.")
            raise typer.Exit(130) from None
        except UnavailableError as error:
            raise UnavailableError(f"{error} What is stored stays; the same command goes on with the rest.") from error


def _front(found: Sweep) -> list[int]:
    """Positions of the Pareto-optimal designs, the smallest area first."""
    from explorer.contracts.objective import pareto_front

    positions = list(found.measurements)
    chosen = pareto_front([found.measurements[position].measures for position in positions], FRONT)
    return sorted(
        (positions[index] for index in chosen), key=lambda at: (found.measurements[at].measures["area_mm2"], at)
    )


def _document(
    found: Sweep,
    front: Sequence[int],
    model: Architecture,
    designs: Sequence[Architecture],
    settings: Mapping[str, Any],
    seed: int,
    files: Sequence[Path],
) -> dict[str, Any]:
    return {
        "space": designs[0].space,
        "model": architecture_json(model),
        "settings": dict(settings),
        "seed": seed,
        "samples": len(designs),
        "measured": len(found.measurements) - found.stored_before,
        "stored_before": found.stored_before,
        "refused": dict(found.reasons),
        "pareto": [
            {
                "sample": at,
                "key": found.measurements[at].key,
                "accelerator": architecture_json(designs[at]),
                "measures": nested_measures(found.measurements[at].measures),
            }
            for at in front
        ],
        "plots": [str(file) for file in files],
    }


def _show(
    found: Sweep, front: Sequence[int], model: Architecture, designs: Sequence[Architecture], files: Sequence[Path]
) -> None:
    new = len(found.measurements) - found.stored_before
    console.print(
        f"{len(designs):,} accelerators for {short(model.key)}: {new:,} measured, {found.stored_before:,} stored "
        f"before, {len(found.refused):,} that cannot run",
        highlight=False,
    )
    for reason, times in list(found.reasons.items())[:5]:
        console.print(f"  {times:,} times: {reason}", highlight=False, markup=False, soft_wrap=True)
    if not front:
        return
    rows = table(
        f"Pareto-optimal in area, energy and latency ({len(front)} of {len(found.measurements):,})",
        *("accelerator", "PE x lane x MAC", "softmax", "tile", "batch", "buffers (MiB)", "memory", "function"),
        *("area (mm2)", "energy (J)", "latency (s)", "mJ/seq.", "seq./s"),
    )
    for at in front[:LONGEST_TABLE]:
        rows.add_row(*_row(designs[at], found.measurements[at].measures))
    console.print(rows)
    if len(front) > LONGEST_TABLE:
        console.print(f"... and {len(front) - LONGEST_TABLE} more; --json prints them all.", highlight=False)
    if files:
        console.print(f"Picture: {', '.join(map(str, files))}", highlight=False, soft_wrap=True)


def _row(design: Architecture, measures: Mapping[str, float]) -> list[str]:
    choices = design.choices
    buffers = "/".join(f"{choices[f'{name}_buffer_mb']:g}" for name in ("activation", "weight", "mask"))
    multipliers = " x ".join(str(choices[name]) for name in ("pe", "lanes_per_pe", "mac_per_lane"))
    counts = ("softmax_per_pe", "tile_x", "batch_size")
    return [
        short(design.key),
        multipliers,
        *(str(choices[name]) for name in counts),
        buffers,
        choices["memory"],
        choices["non_linearity"],
        *(number(measures[name]) for name in FRONT),
        number(1e3 * measures["energy_per_sequence_j"]),
        number(measures["sequences_per_s"]),
    ]


def _write_plots(found: Sweep, front: Sequence[int], model: str, folder: Path) -> list[Path]:
    from explorer.report.scatter import Cloud, plot

    if not found.measurements:
        return []
    positions = list(found.measurements)
    values = {name: [found.measurements[at].measures[name] for at in positions] for name in FRONT}
    on_front = set(front)
    cloud = Cloud(values["area_mm2"], values["latency_s"], values["energy_j"], [at in on_front for at in positions])
    return plot(cloud, f"{len(positions):,} accelerators of ELECTOR for {model}", folder / f"elector-{model}")
