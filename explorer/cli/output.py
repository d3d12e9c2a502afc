"""The output of commands: one JSON object for machines, tables for people, and one-sentence errors."""

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

from explorer.cli.streams import holds_unicode
from explorer.contracts.table import KEY_DIGITS, Findings, Table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

# In a file or a pipe, rows are not folded, because there is no terminal width to fit.
console = Console() if sys.stdout.isatty() else Console(width=160)
errors = Console(stderr=True)

JSON_HELP = "Print one JSON object on stdout, and nothing else there."
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]

_PICTURES = frozenset([".png", ".svg"])
_KEPT_WHOLE = KEY_DIGITS
"""The longest cells, in characters, of a first column that is never folded."""


def emit(value: Any) -> None:
    """Prints one JSON value on stdout, in ASCII where the encoding of stdout lacks other characters."""
    sys.stdout.write(json.dumps(value, ensure_ascii=not holds_unicode(sys.stdout)) + "\n")


def say(text: str) -> None:
    """Prints a sentence for people, without markup."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def working(phase: str) -> Iterator[None]:
    """Shows a spinner on stderr during slow work; silent if stderr is not a terminal."""
    with errors.status(phase):
        yield


def show(findings: Findings, as_json: bool) -> None:
    """Prints the results of a command: the JSON, or the tables, the sentences and the names of the files written.

    Args:
        findings: the results.
        as_json: whether to print JSON.
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
    """The noun for a list of files; a picture in two formats counts as one."""
    pictures = all(file.suffix in _PICTURES for file in files)
    names = {file.with_suffix("") if pictures else file for file in files}
    return ("Picture" if pictures else "File") + ("s" if len(names) > 1 else "")


def drawn(table: Table) -> RichTable:
    """A table in the style of the product."""
    from rich.table import Table as RichTable

    rows = RichTable(title=escape(table.title), title_justify="left", header_style="bold")
    for at, column in enumerate(table.columns):
        longest = max(len(column.heading), *(len(row[at]) for row in table.rows), 0)
        rows.add_column(
            escape(column.heading),
            overflow="fold",
            justify="left" if column.text else "right",
            no_wrap=not at and longest <= _KEPT_WHOLE,  # keys come first, and must be easy to copy
        )
    for row in table.rows:
        rows.add_row(*map(escape, row))
    if table.caption:
        rows.caption, rows.caption_justify = escape(table.caption), "left"
    return rows
