"""What commands print: one JSON object for machines, tables for people, errors in one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from graphdb.architecture import Architecture
from graphdb.measurement import Measurement

# Into a file or a pipe, rows stay whole: there is no terminal whose width they would have to fit.
console = Console() if sys.stdout.isatty() else Console(width=160)
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")]

KEY_DIGITS = 12
WORDS = frozenset(
    [
        "key",
        "study",
        "model",
        "accelerator",
        "memory",
        "function",
        "order",
        "module",
        "cause",
        "correction",
        "case",
        "kind",
        "space",
        "choices",
        "simulator",
        "with",
        "measure",
        "measures",
        "origin",
        "recipe",
        "state",
        "created",
    ]
)
"""Columns of text, which are set to the left; numbers go to the right."""


def emit(value: Any) -> None:
    """One JSON value on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


@contextmanager
def working(phase: str) -> Iterator[None]:
    """A spinner on stderr while something takes its time; silent where stderr is no terminal."""
    with errors.status(phase):
        yield


def short(key: str) -> str:
    """Enough of a key to be told apart, and to be given back to any command."""
    return key[:KEY_DIGITS]


def table(title: str, *columns: str) -> Table:
    """An empty table in the one style of the product."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold", justify="left" if column in WORDS else "right")
    return made


def number(value: float | None, predicted: bool = False) -> str:
    """A measure for people: four significant digits, `~` before what was predicted."""
    if value is None:
        return "-"
    return ("~" if predicted else "") + f"{value:.4g}"


def architecture_json(architecture: Architecture) -> dict[str, Any]:
    """The form that `explorer import` reads, with its key."""
    return {
        "key": architecture.key,
        "domain": architecture.domain,
        "space": architecture.space,
        "choices": architecture.choices,
    }


def measurement_json(measurement: Measurement) -> dict[str, Any]:
    """A measurement as the commands print it."""
    return {
        "key": measurement.key,
        "simulator": measurement.simulator,
        "version": measurement.version,
        "roles": dict(measurement.roles),
        "settings": dict(measurement.settings),
        "seed": measurement.seed,
        "measures": nested_measures(measurement.measures),
        "predicted": sorted(measurement.predicted),
    }


TOTALS = {"energy_j", "energy_dynamic_j", "energy_leakage_j", "energy_per_sequence_j", "area_mm2"}
SUBTOTALS = {"energy_buffer_j", "energy_main_memory_j", "energy_others_dynamic_j", "energy_others_leakage_j"}
"""Sums of parts where the parts themselves are measured; parts of their own where they are not."""
PARTS = (
    ("energy_", "_j", "energy_parts_j"),
    ("area_", "_mm2", "area_parts_mm2"),
    ("utilisation_", "", "utilisation"),
    ("stall_", "_cycles", "stall_cycles"),
    ("footprint_", "_bytes", "footprint_bytes"),
    ("peak_", "_buffer_bytes", "peak_buffer_bytes"),
)
"""Beginning and end of the names of measures that are gathered, and under what."""


def nested_measures(measures: Mapping[str, float]) -> dict[str, Any]:
    """Measures with the parts of energy, area, use, stalls and memory gathered, whole numbers as integers."""
    single = TOTALS | (SUBTOTALS if "energy_main_memory_access_j" in measures else set())
    plain: dict[str, Any] = {}
    gathered: dict[str, dict[str, Any]] = {}
    for name, value in measures.items():
        plainly = int(value) if name == "cycles" or name.endswith("_cycles") else value
        for begin, end, group in PARTS:
            if name.startswith(begin) and name.endswith(end) and name not in single:
                gathered.setdefault(group, {})[name.removeprefix(begin).removesuffix(end)] = plainly
                break
        else:
            plain[name] = plainly
    return plain | gathered
