"""The root of the command line: all commands, those written by hand and those that domains and recipes bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer

from explorer.cli import generated
from explorer.cli.lazy import Entry, LazyGroup, loaded
from explorer.cli.output import errors
from explorer.contracts.verb import resolved
from graphdb.errors import InputError

DISTRIBUTION = "explorer-codesign"
GROUP = "explorer.commands"
"""Entry points of commands in a layer above this one, such as that of the API."""

WRITTEN = {
    "db": ("db", "app"),
    "load": ("data", "load"),
    "import": ("data", "import_file"),
    "export": ("data", "export"),
    "show": ("show", "show"),
    "list": ("listing", "list_architectures"),
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

BAD_INPUT, INTERRUPTED = 2, 130
# The exception that typer raises for a command line it refuses has no public name.
_USAGE: type[Exception] = typer.BadParameter.__mro__[2]


class Root(LazyGroup):
    """All commands, those written by hand first."""

    def __init__(self, **given: Any) -> None:
        given.pop("no_args_is_help", None)
        super().__init__(entries=commands, **given)

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; Ctrl-C ends it with a line, where it says nothing more."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            errors.print("Interrupted.")
            raise typer.Exit(INTERRUPTED) from None


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"explorer {version(DISTRIBUTION)}")
        raise typer.Exit


app = typer.Typer(
    cls=Root,
    name="explorer",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def explorer(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and leave.")
    ] = False,
) -> None:
    """Explore designs of neural networks and of the hardware that runs them, in a graph database."""
    del version


def commands() -> Mapping[str, Entry]:
    """Name -> command."""
    every: dict[str, Entry] = {}
    for name, entry in _commands():
        every.setdefault(name, entry)
    return every


def invoke() -> int:
    """Runs the command in the arguments of this process; returns the exit status.

    Raises:
        ExplorerError: an error that a user can encounter; its message is one sentence.
    """
    _print_problems()
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        errors.print("Aborted.")
        return 1
    except _USAGE as error:
        message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
        if not message:
            return BAD_INPUT  # the help was printed
        raise InputError(f"{message.rstrip('.')}.") from None
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
