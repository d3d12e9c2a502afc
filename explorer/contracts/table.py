"""The results of a verb: a JSON value for machines, tables and sentences for people, and the files written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.contracts.measure import Measures, nested
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement

KEY_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: the heading, with the unit if there is one.
        text: whether it holds words, which are aligned to the left; numbers are aligned to the right.

    Example:
        >>> Column("mass (kg)").text
        False
    """

    heading: str
    text: bool = False


@dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes:
        title: the title above the table.
        columns: the columns, in order.
        rows: rows with a text for each column.
        caption: the text below the table; empty for none.

    Example:
        >>> table = Table("Bridges", (words("name"), Column("mass (kg)")), [["beam", "12"]])
        >>> [column.heading for column in table.columns]
        ['name', 'mass (kg)']
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    caption: str = ""


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


def words(heading: str) -> Column:
    """A column of words."""
    return Column(heading, text=True)


def short(key: str) -> str:
    """The first digits of a key: enough to distinguish it, and accepted by every command."""
    return key[:KEY_DIGITS]


def number(value: float | None, predicted: bool = False) -> str:
    """A number for people: four significant digits, with `~` before a prediction, and `-` for an unknown value."""
    if value is None:
        return "-"
    return ("~" if predicted else "") + f"{value:.4g}"


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
