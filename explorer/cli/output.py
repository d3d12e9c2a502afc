"""What commands print: one JSON object for machines, tables for people, errors in one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from explorer.contracts.table import KEY_DIGITS, Findings, Table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

# Into a file or a pipe, rows stay whole: there is no terminal whose width they would have to fit.
console = Console() if sys.stdout.isatty() else Console(width=160)
errors = Console(stderr=True)

JSON_HELP = "Print one JSON object on stdout, and nothing else there."
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]

_PICTURES = frozenset([".png", ".svg"])
_KEPT_WHOLE = KEY_DIGITS
"""Longest cells of a first column that is never folded, in characters."""


def emit(value: Any) -> None:
    """One JSON value on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    """A sentence for people, as it stands."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def working(phase: str) -> Iterator[None]:
    """A spinner on stderr while something takes its time; silent where stderr is no terminal."""
    with errors.status(phase):
        yield


def show(findings: Findings, as_json: bool) -> None:
    """What a command found: its JSON, or its tables and sentences, and the files that it wrote.

    Args:
        findings: to be printed.
        as_json: whether for a machine.
    """
    if as_json:
        emit(findings.json)
        return
    for part in findings.shown:
        if isinstance(part, Table):
            console.print(drawn(part))
        else:
            say(part)
    if findings.files:
        say(f"{files_heading(findings.files)}: {', '.join(map(str, findings.files))}")


def files_heading(files: Sequence[Path]) -> str:
    """What files are called together: a picture in two formats is one picture."""
    pictures = all(file.suffix in _PICTURES for file in files)
    names = {file.with_suffix("") if pictures else file for file in files}
    return ("Picture" if pictures else "File") + ("s" if len(names) > 1 else "")


def drawn(table: Table) -> RichTable:
    """A table in the one style of the product."""
    from rich.table import Table as RichTable

    rows = RichTable(title=escape(table.title), title_justify="left", header_style="bold")
    for at, column in enumerate(table.columns):
        longest = max(len(column.heading), *(len(row[at]) for row in table.rows), 0)
        rows.add_column(
            escape(column.heading),
            overflow="fold",
            justify="left" if column.text else "right",
            no_wrap=not at and longest <= _KEPT_WHOLE,  # keys come first, and are there to be copied
        )
    for row in table.rows:
        rows.add_row(*map(escape, row))
    if table.caption:
        rows.caption, rows.caption_justify = escape(table.caption), "left"
    return rows
