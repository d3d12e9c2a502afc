"""Tables fitted to a width: which columns there is room for, and how their cells are written.

Keys and numbers are never broken: where there is no room for a column it is left out, and named below the table.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.contracts import units
from explorer.contracts.table import KEY_DIGITS, Cell, Column, Predicted, Table

GAP = 2
"""The spaces between two columns."""
_MOST_LINES = 3
"""Lines of free text in a cell, after which it ends in an ellipsis."""
_LONGEST_WORD = 28
"""Letters of a word of free text that are kept on one line."""
_NOTHING = ("", "-")


@dataclass(frozen=True)
class Fitted:
    """A table as it is printed.

    Attributes:
        columns: the columns that are shown.
        headings: the heading of each, of one or more lines.
        rows: the cells of each row, each of one or more lines.
        left_out: the headings of the columns for which there was no room.
    """

    columns: Sequence[Column]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: Sequence[str]


@dataclass(frozen=True)
class _Written:
    """A column as texts, before its width is known."""

    column: Column
    heading: str
    cells: Sequence[str]

    @property
    def narrowest(self) -> int:
        """The least width in which nothing that must be kept whole is broken."""
        wrapped = [self.heading, *(self.cells if self.column.text else [])]
        longest = max((len(word) for text in wrapped for word in text.split(" ")), default=0)
        if self.column.prose:
            return min(longest, max(_LONGEST_WORD, *map(len, self.heading.split(" "))))
        return max(longest, 0 if self.column.text else max(map(len, self.cells), default=0))

    @property
    def widest(self) -> int:
        """The width beyond which it needs no more; the heading of numbers may always take several lines."""
        heading = max(map(len, self.heading.split(" "))) if not self.column.text else len(self.heading)
        return max(heading, self.narrowest, *map(len, self.cells), 0)


def fitted(table: Table, width: int | None) -> Fitted:
    """A table fitted to a width.

    Args:
        table: the table.
        width: the width in characters; None if there is room for everything.
    """
    written = [_written(column, [row[at] for row in table.rows]) for at, column in enumerate(table.columns)]
    kept = [one for one in written if not table.rows or any(cell not in _NOTHING for cell in one.cells)]
    widths = _widths(kept, width)
    shown = [(one, widths[at]) for at, one in enumerate(kept) if at in widths]
    cells = [[_folded(cell, one.column, room) for cell in one.cells] for one, room in shown]
    return Fitted(
        columns=[one.column for one, _ in shown],
        headings=["\n".join(_lines(one.heading, room)) for one, room in shown],
        rows=[list(row) for row in zip(*cells, strict=True)] if cells else [[] for _ in table.rows],
        left_out=[one.heading for at, one in enumerate(kept) if at not in widths],
    )


def _written(column: Column, cells: Sequence[Cell]) -> _Written:
    numbers = [cell for cell in cells if isinstance(cell, float)]
    factor, unit = units.common_prefix(numbers, column.unit)
    heading = f"{column.heading} ({unit})" if unit else column.heading
    digits = _digits([cell for cell in cells if isinstance(cell, str)]) if column.key else None
    return _Written(column, heading, [_text(cell, factor, digits) for cell in cells])


def _text(cell: Cell, factor: float, digits: int | None) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell[:digits]
    if isinstance(cell, int):  # a count
        return str(cell)
    return ("~" if isinstance(cell, Predicted) else "") + units.number(cell / factor)


def _digits(keys: Sequence[str]) -> int:
    """How many digits of some keys to show, so that those that differ can be told apart."""
    distinct, digits = set(keys), KEY_DIGITS
    while len({key[:digits] for key in distinct}) < len(distinct):
        digits += 1
    return digits


def _widths(columns: Sequence[_Written], width: int | None) -> dict[int, int]:
    """Position -> width of the columns for which there is room; the most important one is always among them."""
    if width is None:
        return {at: one.widest for at, one in enumerate(columns)}
    widths: dict[int, int] = {}
    left = width
    for at in sorted(range(len(columns)), key=lambda at: (columns[at].column.rank, at)):
        needed = columns[at].narrowest + (GAP if widths else 0)
        if needed <= left or not widths:
            widths[at] = min(columns[at].narrowest, width)
            left -= needed
    for at in sorted(widths, key=lambda at: (columns[at].column.prose, at)):
        more = min(max(left, 0), columns[at].widest - widths[at])
        if more > 0:
            widths[at] += more
            left -= more
    return widths


def _folded(cell: str, column: Column, room: int) -> str:
    lines = _lines(cell, room)
    if column.prose and len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][: room - 1] + "…"]
    return "\n".join(lines)


def _lines(text: str, room: int) -> list[str]:
    """The lines of a text; it is broken at spaces, but not at those that hold a number and its unit together."""
    wrapped = (textwrap.wrap(part, room, break_on_hyphens=False) or [""] for part in text.split("\n"))
    return [line.replace("\u00a0", " ") for lines in wrapped for line in lines]
