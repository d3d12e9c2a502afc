"""What a verb hands back: one JSON value for machines, tables and sentences for people, files that were written."""

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
        heading: with the unit, where there is one.
        text: whether it holds words, which are set to the left; numbers go to the right.

    Example:
        >>> Column("mass (kg)").text
        False
    """

    heading: str
    text: bool = False


@dataclass(frozen=True)
class Table:
    """Rows for people.

    Attributes:
        title: what the rows are.
        columns: in order.
        rows: a text for each column.
        caption: below the table; empty for none.

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
    """What a verb found.

    Attributes:
        json: printed by `--json`, and all that it prints.
        shown: printed otherwise, in order.
        files: that were written; named after all else.

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
    """Enough of a key to be told apart, and to be given back to any command."""
    return key[:KEY_DIGITS]


def number(value: float | None, predicted: bool = False) -> str:
    """A figure for people: four significant digits, `~` before what was predicted, `-` for what is not known."""
    if value is None:
        return "-"
    return ("~" if predicted else "") + f"{value:.4g}"


def architecture_json(architecture: Architecture) -> dict[str, Any]:
    """The form in which architectures are exported and imported, with the key."""
    return {
        "key": architecture.key,
        "domain": architecture.domain,
        "space": architecture.space,
        "choices": architecture.choices,
    }


def measurement_json(measurement: Measurement, known: Measures) -> dict[str, Any]:
    """A measurement as commands print it.

    Args:
        measurement: stored, or about to be.
        known: measures that are declared, so that parts are gathered under their groups.
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
