"""Files of rows for other programs: CSV or Parquet by the suffix, written whole or not at all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from explorer.toolkit.folder import check_folder
from explorer.toolkit.replacing import replacing
from graphdb.errors import InputError

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]

SUFFIXES = (".csv", ".parquet")


def check_row_file(file: Path, flag: str = "--out") -> None:
    """Refuses a file that cannot be written, before the work on its rows begins.

    Args:
        file: the file, which need not exist.
        flag: the flag with which it was given, for the message.

    Raises:
        InputError: the suffix is neither of CSV nor of Parquet, the place cannot be written to, or the package for
            Parquet is not installed.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise InputError(f"{flag} is {str(file)!r}; allowed: a file that ends in {' or '.join(SUFFIXES)}.")
    if file.is_dir():
        raise InputError(f"{flag} {file} is a folder; name a file.")
    check_folder(file.parent, flag)
    if file.suffix.lower() == ".parquet":
        _parquet()


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """Writes rows as CSV or Parquet; an existing file is replaced at once.

    The columns are those of all rows in the order of their first appearance; an unknown cell is empty.

    Args:
        file: a file that `check_row_file` accepts.
        rows: column -> cell, for each row.

    Raises:
        InputError, StorageFullError: the file cannot be written.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    write: Callable[[IO[bytes]], None]
    if file.suffix.lower() == ".csv":

        def write(stream: IO[bytes]) -> None:
            stream.write(_csv(columns, rows).encode())
    else:
        parquet = _parquet()
        table = _arrow(columns, rows)

        def write(stream: IO[bytes]) -> None:
            parquet.write_table(table, stream)

    with replacing(file) as part, part.open("wb") as stream:
        write(stream)


def flattened(name: str, value: Any) -> dict[str, Cell]:
    """A JSON value as cells: `name.field` for the fields of objects, `name.0` for the items of lists."""
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = ((str(at), item) for at, item in enumerate(value))  # type: ignore[assignment]
    else:
        return {name: value}
    return {column: cell for part, item in parts for column, cell in flattened(f"{name}.{part}", item).items()}


def _csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    import io

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _arrow(columns: Sequence[str], rows: Sequence[Row]) -> Any:
    """The rows as an Arrow table; a column of several types becomes one of texts."""
    import pyarrow

    arrays = {}
    for column in columns:
        cells = [row.get(column) for row in rows]
        kinds = {type(cell) for cell in cells if cell is not None}
        if kinds == {int, float}:
            cells = [None if cell is None else float(cell) for cell in cells]
        elif len(kinds) > 1:
            cells = [None if cell is None else str(cell) for cell in cells]
        arrays[column] = pyarrow.array(cells)
    return pyarrow.table(arrays)


def _parquet() -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "Parquet needs the package pyarrow, which is not installed; install it with "
            "`pip install explorer-codesign[train]`, or write a file that ends in .csv."
        ) from error
    return parquet
