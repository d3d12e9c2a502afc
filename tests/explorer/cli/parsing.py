"""Command lines read as `explorer` reads them, without running what they ask for."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unittest.mock import patch

from typer.core import TyperCommand

from explorer.cli import commands
from explorer.cli.lazy import Entry

_ENDS = ("|", ">", "&&", ";")


def parse(words: Sequence[str]) -> dict[str, Any]:
    """What the flags and positions of a command line give, by name.

    Args:
        words: after `explorer`.

    Raises:
        Exception: typer or an `InputError` refuses the line.
    """
    given: dict[str, Any] = {}
    with patch.object(TyperCommand, "invoke", lambda self, context: given.update(context.params)):
        commands.app(list(words), standalone_mode=False)
    return given


def words_of(line: str) -> list[str]:
    """The words of a command line after `explorer`, up to a comment, a pipe or a redirection."""
    _, *words = shlex.split(line, comments=True)
    ends = [at for at, word in enumerate(words) if word in _ENDS]
    return words[: ends[0]] if ends else words


def leaves(entries: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands that do something: their words after `explorer`, and the command.

    Args:
        entries: name -> entry or command, of the root or a group.
        path: the words of the group.
    """
    for name, entry in entries.items():
        command = entry.make([]) if isinstance(entry, Entry) else entry
        inner = getattr(command, "entries", None) or getattr(command, "commands", None)
        if inner:
            yield from leaves(inner, (*path, name))
        else:
            yield (*path, name), command
