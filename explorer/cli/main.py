"""The command line's root: gathers the commands, and turns errors into one sentence and an exit status."""

from __future__ import annotations

import signal
import sys
import warnings
from importlib.metadata import entry_points

import typer
from rich.text import Text

from explorer.cli import data, db, explore, map, search, simulate, space, studies
from explorer.cli.output import errors
from explorer.domains.transformer.verbs import crossing as cross
from explorer.domains.transformer.verbs import onnx
from explorer.domains.transformer.verbs import training as train
from graphdb.errors import ExplorerError
from graphdb.interrupt import raise_interrupt

app = typer.Typer(
    name="explorer",
    help="Explore designs of neural networks and of the hardware that runs them, in a graph database.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(db.app, name="db")
app.command("load")(data.load)
app.command("import")(data.import_file)
app.command("export")(data.export)
app.command("show")(data.show)
app.command("similar")(data.similar)
app.command("space")(space.space)
app.command("cross")(cross.cross)
app.command("map")(map.draw_map)
app.add_typer(simulate.app, name="simulate")
app.add_typer(train.pretraining, name="pretrain")
app.add_typer(train.finetuning, name="finetune")
app.command("onnx")(onnx.onnx)
app.add_typer(explore.app, name="explore")
app.command("search")(search.search)
app.add_typer(studies.app, name="study")


def main() -> None:
    """Run the command line; bad input and faults that a user can meet end in exit status 2."""
    # torch_geometric still scripts a few functions on import; users can do nothing about that.
    warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=FutureWarning)
    # The API stands above this floor and hands its command up by name.
    for command in entry_points(group="explorer.commands"):
        app.command(command.name)(command.load())
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not what a shell started in the background
        signal.signal(signal.SIGINT, raise_interrupt)
    try:
        app()
    except ExplorerError as error:
        errors.print(Text.assemble(("Error:", "bold red"), f" {error}"), soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
