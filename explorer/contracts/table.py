"""The results of a verb: a JSON value for machines, tables and sentences for people, and the files written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.contracts import units
from explorer.contracts.measure import Measure, Measures, nested
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement

KEY_DIGITS = 12


class Predicted(float):
    """A number that a surrogate predicted; `~` stands before it.

    Example:
        >>> Predicted(0.5) + 0.25
        0.75
    """


Cell = str | float | None
"""A text, a number in the unit of its column, or None for an unknown value."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    A table is fitted to the width of the terminal: columns that do not fit are left out, those of the highest rank
    first, and of these the last ones. Keys and numbers are never broken.

    Attributes:
        heading: the heading, with the unit if there is one and cells are texts.
        text: whether it holds words, which are aligned to the left; numbers are aligned to the right.
        unit: the unit of cells that are numbers; the heading shows it, with one SI prefix for the whole column.
        rank: how soon the column is left out: those of rank 0 last.
        key: whether cells are keys, of which as many digits are shown as distinguish them.
        prose: whether cells are free text, of which only the beginning is shown if it is long.

    Example:
        >>> Column("mass", unit="kg").text
        False
    """

    heading: str
    text: bool = False
    unit: str = ""
    rank: int = 0
    key: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes:
        title: the title above the table.
        columns: the columns, in order; those without any value are not shown.
        rows: rows with a cell for each column.
        caption: the text below the table; empty for none.
        elsewhere: where the columns are that a narrow terminal leaves out.

    Example:
        >>> table = Table("Bridges", (words("name"), Column("mass", unit="kg")), [["beam", 12.0]])
        >>> [column.heading for column in table.columns]
        ['name', 'mass']
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    elsewhere: str = "--json has all"


@dataclass(frozen=True)
class Findings:
    """The results of a verb.

    Attributes:
        json: the only output with `--json`.
        shown: the output without `--json`, in order.
        files: the files that were written; listed after everything else.

    Example:
        >>> Findings({"mass_kg": 12.0}, ["The bridge weighs 12 kg."]).files
        ()
    """

    json: Any
    shown: Sequence[Table | str] = ()
    files: Sequence[Path] = field(default=())


def words(heading: str, rank: int = 0) -> Column:
    """A column of words, which are kept whole."""
    return Column(heading, text=True, rank=rank)


def prose(heading: str, rank: int = 0) -> Column:
    """A column of free text, of which the beginning is enough."""
    return Column(heading, text=True, rank=rank, prose=True)


def keys(heading: str, rank: int = 0) -> Column:
    """A column of whole keys, which are shown short."""
    return Column(heading, text=True, rank=rank, key=True)


def values(measure: Measure, rank: int = 0) -> Column:
    """A column of numbers, the stored values of a measure."""
    return Column(measure.label, unit=measure.stored_unit, rank=rank)


def value_of(name: str, measurement: Measurement) -> float | None:
    """The cell of a measure: its value, a predicted value, or None if there is none."""
    value = measurement.measures.get(name)
    return Predicted(value) if value is not None and name in measurement.predicted else value


def short(key: str) -> str:
    """The first digits of a key: enough to distinguish it, and accepted by every command."""
    return key[:KEY_DIGITS]


def number(value: float | None, predicted: bool = False) -> str:
    """A number for people: four significant digits, with `~` before a prediction, and `-` for an unknown value."""
    if value is None:
        return "-"
    return ("~" if predicted else "") + units.number(value)


def architecture_json(architecture: Architecture) -> dict[str, Any]:
    """The JSON form in which architectures are exported and imported, with the key."""
    return {
        "key": architecture.key,
        "domain": architecture.domain,
        "space": architecture.space,
        "choices": architecture.choices,
    }


def measurement_json(measurement: Measurement, known: Measures) -> dict[str, Any]:
    """A measurement as commands print it.

    Args:
        measurement: the measurement, stored or not.
        known: the declared measures, by which parts are gathered under their groups.
    """
    return {
        "key": measurement.key,
        "simulator": measurement.simulator,
        "version": measurement.version,
        "roles": dict(measurement.roles),
        "settings": dict(measurement.settings),
        "seed": measurement.seed,
        "measures": nested(measurement.measures, known),
        "predicted": sorted(measurement.predicted),
    }
