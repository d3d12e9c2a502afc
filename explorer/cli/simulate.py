"""`explorer simulate`: measure one pair of architectures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.output import AsJson, architecture_json, console, emit, nested_measures, short, working
from explorer.cli.studies import check_folder
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.settings import Settings

if TYPE_CHECKING:
    from explorer.domains.accelerator.acceltran.engines.detailed import Run
    from explorer.domains.accelerator.acceltran.settings.run import RunSettings
    from explorer.services.references import Overrides

app = typer.Typer(help="Measure architectures with a simulator.", no_args_is_help=True)


@app.callback()
def simulators() -> None:
    """Measure architectures with a simulator."""


@app.command(epilog="Example: explorer simulate acceltran --model bert-tiny --accelerator edge --set batch_size=16")
def acceltran(
    model: Annotated[
        str,
        typer.Option(help="Preset (bert-nano, bert-tiny, bert-mini, bert-base), key of the database, or JSON file."),
    ],
    accelerator: Annotated[
        str, typer.Option(help="Preset (edge, edge-lp, server, nano), key of the database, or JSON file.")
    ],
    task: Annotated[str | None, typer.Option(help="inference or training [default: inference]")] = None,
    engine: Annotated[str | None, typer.Option(help="fast (analytic) or detailed (event-driven)")] = None,
    mode: Annotated[str | None, typer.Option(help="reference (the published behaviour) or corrected")] = None,
    correct: Annotated[
        str | None,
        typer.Option(help="Corrections that are on in mode corrected: all, none, bandwidth,residual,... or -residual"),
    ] = None,
    schedule: Annotated[str | None, typer.Option(help="staggered or equal: the priority of heads")] = None,
    dynatran_threshold: Annotated[float | None, typer.Option(help="Magnitude below which DynaTran prunes.")] = None,
    target_sparsity: Annotated[float | None, typer.Option(help="Sparsity that DynaTran's threshold gives.")] = None,
    target_accuracy: Annotated[float | None, typer.Option(help="Accuracy that DynaTran's threshold keeps.")] = None,
    dynatran_curve: Annotated[
        str | None,
        typer.Option(help="Curve of DynaTran: bert-base-sst2 (default), bert-base-sst2-pruned-weights, or JSON file."),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="name=value; overrides a setting of a preset or file; repeatable.")
    ] = None,
    library: Annotated[Path | None, typer.Option(help="YAML file of the user's own modules and memories.")] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="Print what each correction changes.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Folder for pictures: timeline, energy, area, roofline.")] = None,
    json: AsJson = False,
) -> None:
    """Simulate a Transformer on an AccelTran or ELECTOR accelerator; the result is stored and printed."""
    from explorer import registry
    from explorer.services import references, studies

    if plot is not None:
        check_folder(plot, "--plot")
    given = references.split_overrides("acceltran", overrides or [])
    named = {
        "task": task,
        "engine": engine,
        "mode": mode,
        "correct": correct,
        "schedule": schedule,
        "dynatran_threshold": dynatran_threshold,
        "target_sparsity": target_sparsity,
        "target_accuracy": target_accuracy,
        "dynatran_curve": None if dynatran_curve is None else _curve(dynatran_curve),
    }
    settings = {name: value for name, value in named.items() if value is not None} | given.settings
    settings |= _with_library(library, given)
    full = registry.simulator("acceltran").settings(settings)
    _check_use(full, correct, ablate)
    with open_store(Settings.from_environment()) as store:
        architectures = {
            "model": references.resolve_architecture(store, model, domain="transformer"),
            "accelerator": references.resolve_architecture(
                store, accelerator, domain="accelerator", overrides=given.architecture
            ),
        }
        measurement = studies.simulate(store, "acceltran", architectures, full)
    title = f"{Path(model).stem[:40]} on {Path(accelerator).stem[:40]}"
    files = [] if plot is None else _write_pictures(architectures, measurement, title, plot)
    corrections = _ablation(architectures, full) if ablate else []
    if json:
        more = {"ablation": corrections} if ablate else {}
        emit(_document(architectures, measurement) | more | ({} if plot is None else {"plots": [*map(str, files)]}))
    else:
        _show(architectures, measurement, title, files, corrections)


def _with_library(file: Path | None, given: Overrides) -> dict[str, Any]:
    """What a library adds to the settings of the run; a memory of its own takes the place of its name."""
    if file is None:
        return {}
    from explorer.domains.accelerator.acceltran.chip.library import read_library

    library = read_library(file)
    if "memory" in given.architecture:
        given.architecture["memory"] = library.memory_choice(given.architecture["memory"])
    return {} if library.modules is None else {"library": library.modules.json()}


def _curve(reference: str) -> Any:
    """The name of a curve, or the profile that a JSON file holds: the stored settings then need no file."""
    from explorer.services import references

    if not reference.endswith(".json"):
        return reference
    return references.read_json(Path(reference), f"The profile {reference}", "a profile of DynaTran")


def _check_use(settings: dict[str, Any], correct: str | None, ablate: bool) -> None:
    """Refuses flags that would have no effect.

    Raises:
        InputError: corrections named in mode `reference`, or an ablation of an engine that has no corrections.
    """
    if correct is not None and settings["mode"] != "corrected":
        raise InputError(f"--correct has no effect in mode {settings['mode']}; allowed with --mode corrected.")
    if ablate and settings["engine"] != "detailed":
        raise InputError(f"--ablate has no effect on the engine {settings['engine']}; allowed with --engine detailed.")


def _write_pictures(
    architectures: dict[str, Architecture], measurement: Measurement, title: str, folder: Path
) -> list[Path]:
    from explorer.domains.accelerator.acceltran.findings.pictures import write_pictures, write_sums
    from explorer.domains.accelerator.acceltran.settings.run import run_settings

    settings = run_settings(measurement.settings)
    choices = architectures["accelerator"].choices
    if settings.engine == "fast":
        return write_sums(measurement.measures, choices, settings, title, folder)
    run = _detailed(architectures, settings)
    return write_pictures(run.program, run.costs, run.trace, run.measures, choices, settings, title, folder)


def _ablation(architectures: dict[str, Architecture], settings: dict[str, Any]) -> list[dict[str, Any]]:
    from explorer.domains.accelerator.acceltran.findings.ablation import ablation, table_rows
    from explorer.domains.accelerator.acceltran.settings.run import run_settings

    def simulate(chosen: RunSettings) -> Mapping[str, float]:
        return _detailed(architectures, chosen).measures

    with working("Simulating with each correction"):
        return table_rows(ablation(simulate, run_settings(settings)))


def _detailed(architectures: dict[str, Architecture], settings: RunSettings) -> Run:
    """A run of the detailed engine, with its trace."""
    from explorer.domains.accelerator.acceltran.engines.detailed import simulate

    return simulate(architectures["model"].choices, architectures["accelerator"].choices, settings)


def _document(architectures: dict[str, Architecture], measurement: Measurement) -> dict[str, Any]:
    return {
        "key": measurement.key,
        "model": architecture_json(architectures["model"]),
        "accelerator": architecture_json(architectures["accelerator"]),
        "settings": dict(measurement.settings),
        "measures": nested_measures(measurement.measures),
    }


def _show(
    architectures: dict[str, Architecture],
    measurement: Measurement,
    title: str,
    files: list[Path],
    corrections: list[dict[str, Any]],
) -> None:
    from explorer.domains.accelerator.acceltran.findings.tables import ablation_table, tables

    for rows in tables(measurement.measures, f"AccelTran: {title}"):
        console.print(rows)
    if corrections:
        console.print(ablation_table(corrections))
        for row in corrections:
            if row["refusal"]:
                console.print(f"{row['case']} {row['correction']}: {row['refusal']}", highlight=False, soft_wrap=True)
    settings = ", ".join(f"{name}={value}" for name, value in measurement.settings.items())
    pair = ", ".join(f"{role} {short(found.key)}" for role, found in architectures.items())
    console.print(
        f"{pair}\nsettings: {settings}\nstored as {short(measurement.key)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if files:
        console.print(f"Pictures: {', '.join(map(str, files))}", highlight=False, soft_wrap=True)
