"""`explorer simulate`: measure one pair of architectures."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from explorer.cli.output import AsJson, architecture_json, console, emit, nested_measures, number, short, table
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.measurement import Measurement
from graphdb.settings import Settings

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
    task: Annotated[str, typer.Option(help="inference or training")] = "inference",
    engine: Annotated[str, typer.Option(help="fast (analytic); detailed comes later")] = "fast",
    mode: Annotated[str, typer.Option(help="reference (the published behaviour); corrected comes later")] = "reference",
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="name=value; overrides a setting of a preset or file; repeatable.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Simulate a Transformer on an AccelTran or ELECTOR accelerator; the result is stored and printed."""
    from explorer import references, service

    given = references.split_overrides("acceltran", overrides or [])
    settings = {"task": task, "engine": engine, "mode": mode} | given.settings
    with open_store(Settings.from_environment()) as store:
        architectures = {
            "model": references.resolve_architecture(store, model, domain="transformer"),
            "accelerator": references.resolve_architecture(
                store, accelerator, domain="accelerator", overrides=given.architecture
            ),
        }
        measurement = service.simulate(store, "acceltran", architectures, settings)
    if json:
        emit(_document(architectures, measurement))
    else:
        _show(architectures, measurement)


def _document(architectures: dict[str, Architecture], measurement: Measurement) -> dict[str, Any]:
    return {
        "key": measurement.key,
        "model": architecture_json(architectures["model"]),
        "accelerator": architecture_json(architectures["accelerator"]),
        "settings": dict(measurement.settings),
        "measures": nested_measures(measurement.measures),
    }


def _show(architectures: dict[str, Architecture], measurement: Measurement) -> None:
    model, accelerator = architectures["model"], architectures["accelerator"]
    rows = table(f"AccelTran: {short(model.key)} on {short(accelerator.key)}", "measure", "value")
    for name, value in measurement.measures.items():
        rows.add_row(name, number(value) if name != "cycles" else f"{value:,.0f}")
    console.print(rows)
    settings = ", ".join(f"{name}={value}" for name, value in measurement.settings.items())
    console.print(f"settings: {settings}\nstored as {short(measurement.key)}", highlight=False, soft_wrap=True)
