"""`explorer db`: the embedded Neo4j."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from explorer.cli.output import AsJson, console, emit
from explorer.cli.progress import displayed, working
from explorer.contracts.session import Progress
from graphdb.errors import InputError
from graphdb.settings import Settings

app = typer.Typer(help="Start, stop and inspect the embedded Neo4j.", no_args_is_help=True)


@app.command(epilog="Example: explorer db start --port 7690")
def start(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; if it is taken, a free one is used.")] = 7687,
    json: AsJson = False,
) -> None:
    """Start the embedded Neo4j of this data directory; does nothing if it is running."""
    from graphdb import embedded

    settings = _embedded_settings()
    with displayed("Neo4j", at_once=False) as display:
        display.report("starting")
        status = embedded.start(
            settings.data_directory,
            port=port,
            progress=lambda done, total: display.advance(Progress(done, total, "fetching its jars")),
        )
    _show(asdict(status), json)


@app.command(epilog="Example: explorer db stop")
def stop(json: AsJson = False) -> None:
    """Stop the embedded Neo4j; does nothing if it is not running."""
    from graphdb import embedded

    settings = _embedded_settings()
    with working("Stopping Neo4j", at_once=False):
        status = embedded.stop(settings.data_directory)
    _show(asdict(status), json)


@app.command(epilog="Example: explorer db status --json")
def status(json: AsJson = False) -> None:
    """Show whether the embedded Neo4j is running, and where."""
    from graphdb import embedded

    _show(asdict(embedded.status(_embedded_settings().data_directory)), json)


@app.command(epilog="Example: explorer db wipe --yes")
def wipe(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    json: AsJson = False,
) -> None:
    """Stop the embedded Neo4j and delete all its data."""
    from graphdb import embedded

    settings = _embedded_settings()
    if json and not yes:
        raise InputError("db wipe --json cannot ask whether to delete everything; give --yes as well.")
    if not yes and not typer.confirm(f"Delete every architecture, measurement and study in {settings.data_directory}?"):
        raise typer.Exit(1)
    embedded.wipe(settings.data_directory)
    _show(asdict(embedded.status(settings.data_directory)), json)


def _embedded_settings() -> Settings:
    settings = Settings.from_environment()
    if settings.uri is not None:
        raise InputError(
            f"NEO4J_URI names a server ({settings.uri}), which `explorer db` does not manage; unset it to use the "
            "embedded Neo4j."
        )
    return settings


def _show(status: dict[str, Any], json: bool) -> None:
    if json:
        emit(status)
    elif status["running"]:
        memory = f", {status['memory_bytes'] / 2**20:.0f} MiB" if status.get("memory_bytes") else ""
        console.print(f"Neo4j {status['version']} runs at {status['uri']} (process {status['pid']}{memory}).")
    else:
        console.print(f"Neo4j {status['version']} is not running.")
