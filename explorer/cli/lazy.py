"""Commands that are made on demand, so that a start imports only what one command needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from graphdb.errors import InputError

Command = TyperCommand | TyperGroup
Make = Callable[[list[str]], Command]
"""Arguments of a command -> the command, whose flags may depend on them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command before it is made.

    Attributes:
        help: returns the first sentence of its help; called when commands are listed.
        make: makes the command.
    """

    help: Callable[[], str]
    make: Make


class LazyCommand(TyperCommand):
    """A placeholder for a command until it is run.

    Args:
        name: the name of the command.
        entry: makes the command.
    """

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name)
        self._entry = entry

    # rich and click read these attributes of the commands that they list.
    @property
    def short_help(self) -> str:
        """The first sentence of the help text."""
        return self._entry.help()

    @short_help.setter
    def short_help(self, value: str | None) -> None:
        del value

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Makes the command, and returns its context.

        Args:
            info_name: the name of the command as typed.
            args: the arguments of the command.
            parent: the context of the group.
            extra: further arguments of click.
        """
        return self._entry.make(list(args)).make_context(info_name, args, parent, **extra)


class LazyGroup(TyperGroup):
    """A group of commands that are made on demand.

    Args:
        entries: returns name -> command; called when a command is run or listed.
        what: the noun for its commands, for the message about an unknown one.
        given: arguments of click for the group.
    """

    def __init__(self, *, entries: Callable[[], Mapping[str, Entry]], what: str = "command", **given: Any) -> None:
        super().__init__(no_args_is_help=True, **given)
        self._entries_of = entries
        self._what = what

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Name -> command."""
        return self._entries_of()

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, in order."""
        del ctx
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command with this name, or None."""
        del ctx
        entry = self.entries.get(cmd_name)
        return None if entry is None else LazyCommand(cmd_name, entry)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments begin with, and the remaining arguments.

        Raises:
            InputError: there is no such command.
        """
        if args[0] not in self.entries and not ctx.resilient_parsing:
            raise InputError(f"There is no {self._what} {args[0][:60]!r}; allowed: {', '.join(self.entries)}.")
        return super().resolve_command(ctx, args)


def loaded(load: Callable[[], Any]) -> Entry:
    """The entry of a command, or group of commands, that is written by hand.

    Args:
        load: imports and returns it: a function with typer's annotations, or a `typer.Typer`.
    """

    def about() -> str:
        target = load()
        return str(target.info.help) if isinstance(target, typer.Typer) else _first_sentence(target.__doc__ or "")

    return Entry(about, lambda arguments: _made(load()))


def _made(target: Callable[..., None] | typer.Typer) -> Command:
    """The command of a function with typer's annotations, or the group of a `typer.Typer`."""
    if isinstance(target, typer.Typer):
        return typer.main.get_group(target)
    single = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    single.command()(target)
    command: Command = typer.main.get_command(single)  # type: ignore[assignment]
    return command


def _first_sentence(text: str) -> str:
    """The first paragraph of a docstring, as one line."""
    return " ".join(text.strip().split("\n\n")[0].split())
