"""The root of the command line: collects the commands, and turns errors into one sentence and an exit status."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer
from rich.text import Text

from explorer.cli import generated
from explorer.cli.lazy import Entry, LazyGroup, loaded
from explorer.cli.output import errors
from explorer.contracts.verb import resolved
from graphdb.errors import ExplorerError
from graphdb.interrupt import raise_interrupt

GROUP = "explorer.commands"
"""Entry points of commands in a layer above this one, such as that of the API."""

WRITTEN = {
    "db": ("db", "app"),
    "load": ("data", "load"),
    "import": ("data", "import_file"),
    "export": ("data", "export"),
    "show": ("data", "show"),
    "similar": ("data", "similar"),
    "space": ("space", "space"),
    "map": ("map", "draw_map"),
    "study": ("studies", "app"),
}
"""Commands that are written by hand -> their module, and their name in it."""
GROUPS = {
    "simulate": ("Measure architectures with a simulator.", "simulator"),
    "explore": ("Measure a whole sample of a design space.", "exploration"),
}
"""Groups of commands that are generated from the registry -> their help text, and the noun for one of them."""

BAD_INPUT = 2
# The exception that typer raises for a command line it refuses has no public name.
_USAGE: type[Exception] = typer.BadParameter.__mro__[2]


class Root(LazyGroup):
    """All commands, those written by hand first."""

    def __init__(self, **given: Any) -> None:
        given.pop("no_args_is_help", None)
        super().__init__(entries=commands, **given)


app = typer.Typer(
    cls=Root,
    name="explorer",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def explorer() -> None:
    """Explore designs of neural networks and of the hardware that runs them, in a graph database."""


def commands() -> Mapping[str, Entry]:
    """Name -> command."""
    every: dict[str, Entry] = {}
    for name, entry in _commands():
        every.setdefault(name, entry)
    return every


def main() -> None:
    """Run the command line; bad input, and errors that a user can encounter, give exit status 2."""
    # torch_geometric still scripts a few functions on import, about which users can do nothing.
    warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=FutureWarning)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not in a shell's background process
        signal.signal(signal.SIGINT, raise_interrupt)
    sys.exit(run())


def run() -> int:
    """Runs the command in the arguments of this process; returns the exit status."""
    try:
        _print_problems()
        status = app(standalone_mode=False)
    except ExplorerError as error:
        return _refuse(str(error))
    except typer.Abort:
        errors.print("Aborted.")
        return 1
    except _USAGE as error:
        message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
        return _refuse(f"{message.rstrip('.')}.") if message else BAD_INPUT  # without a message, the help was printed
    return status if isinstance(status, int) else 0


def _commands() -> Iterator[tuple[str, Entry]]:
    from explorer import registry

    for name, (module, attribute) in WRITTEN.items():
        yield name, loaded(partial(resolved, f"{__package__}.{module}:{attribute}"))
    groups = generated.verb_groups(registry.verbs())
    for name in GROUPS:
        yield name, _group(name)
    yield "search", Entry(lambda: "Search for the best architectures, and store every trial.", _search)
    for name, entries in groups.items():
        if name:
            yield name, generated.group_entry(name, entries)
        else:
            yield from entries.items()
    for command in entry_points(group=GROUP):
        yield command.name, loaded(command.load)


def _group(name: str) -> Entry:
    about, what = GROUPS[name]

    def entries() -> Mapping[str, Entry]:
        known: Mapping[str, Entry] = import_module(f"{__package__}.{name}").entries()
        return known

    return Entry(lambda: about, lambda arguments: LazyGroup(name=name, help=about, entries=entries, what=what))


def _search(arguments: list[str]) -> Any:
    from explorer.cli.search import search_command

    return search_command(arguments)


def _print_problems() -> None:
    """Prints which packages cannot be used, so that nobody looks for their commands in vain."""
    from explorer import registry

    for problem in registry.problems():
        errors.print(problem, markup=False, highlight=False, soft_wrap=True)


def _refuse(message: str) -> int:
    errors.print(Text.assemble(("Error:", "bold red"), f" {message}"), soft_wrap=True)
    return BAD_INPUT


if __name__ == "__main__":
    main()
