"""The output of commands: one JSON object for machines, tables for people, and one-sentence errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from explorer.cli.layout import GAP, fitted
from explorer.cli.streams import holds_unicode
from explorer.contracts.table import Findings, Table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

# In a file or a pipe, rows are not folded, because there is no terminal width to fit.
console = Console() if sys.stdout.isatty() else Console(width=160)
errors = Console(stderr=True)

JSON_HELP = "Print one JSON object on stdout, and nothing else there."
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]

_PICTURES = frozenset([".png", ".svg"])
_UNBOUNDED = 100_000


def emit(value: Any) -> None:
    """Prints one JSON value on stdout, in ASCII where the encoding of stdout lacks other characters."""
    sys.stdout.write(json.dumps(value, ensure_ascii=not holds_unicode(sys.stdout)) + "\n")


def say(text: str) -> None:
    """Prints a sentence for people, without markup."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


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
            print_table(part)
        else:
            say(part)
    if findings.files:
        say(f"{files_heading(findings.files)}: {', '.join(map(str, findings.files))}")


def files_heading(files: Sequence[Path]) -> str:
    """The noun for a list of files; a picture in two formats counts as one."""
    pictures = all(file.suffix in _PICTURES for file in files)
    names = {file.with_suffix("") if pictures else file for file in files}
    return ("Picture" if pictures else "File") + ("s" if len(names) > 1 else "")


def drawn(table: Table, width: int | None = None) -> RichTable:
    """A table in the style of the product, with as many of its columns as there is room for.

    Args:
        table: the table.
        width: the width to fit it to; None for that of the terminal. In a file or a pipe every column is shown.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable

    if width is None:
        width = console.width if console.is_terminal else None
    fit = fitted(table, width)
    notes = [f"Left out for want of room: {', '.join(fit.left_out)}; {table.elsewhere}."] if fit.left_out else []
    rows = RichTable(
        title=escape(table.title),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
        caption="\n".join(escape(note) for note in [table.caption, *notes] if note) or None,
        caption_justify="left",
    )
    for column, heading in zip(fit.columns, fit.headings, strict=True):
        rows.add_column(
            escape(heading), justify="left" if column.text else "right", vertical="top", no_wrap=True, overflow="crop"
        )
    for row in fit.rows:
        rows.add_row(*map(escape, row))
    return rows


def print_table(table: Table) -> None:
    """Prints a table; in a file or a pipe each row is one line, however long."""
    if console.is_terminal:
        console.print(drawn(table))
        return
    made = drawn(table)
    wide = Console(width=_UNBOUNDED).measure(made).maximum
    # A console of its own, because rich prints nothing wider than its console.
    Console(width=max(wide, console.width)).print(made, crop=False, no_wrap=True, overflow="ignore")
