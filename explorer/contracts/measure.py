"""`Measure`: what a simulator finds, as a value that tables, plots, fronts, the API and the documentation read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from graphdb.errors import InputError


class Direction(StrEnum):
    """Whether a larger or a smaller measure is better."""

    MAXIMISE = "maximise"
    MINIMISE = "minimise"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure that a simulator or a published experiment gives.

    Attributes:
        name: in measurements; where the figure has a unit, the name ends in it (`latency_s`).
        label: in tables and plots, without the unit.
        unit: symbol as SI writes it (s, J, W, mm², 1/s), `%` for a share that is shown in percent, or empty.
        direction: of improvement; None where neither direction is better.
        group: under which parts of a whole are gathered in JSON, such as `energy_parts_j`; empty for none.
        part: name within the group.
        subtotal_of: parts that it is the sum of; it stands by itself where any of them was measured, and is a part of
            its group otherwise.
        logarithmic: plotted by its decades.
        whole: a count, without decimals.
        description: one phrase without full stop.

    Example:
        >>> latency = Measure("latency_s", "latency", "s", Direction.MINIMISE, logarithmic=True)
        >>> latency.heading
        'latency (s)'
    """

    name: str
    label: str
    unit: str = ""
    direction: Direction | None = None
    group: str = ""
    part: str = ""
    subtotal_of: tuple[str, ...] = ()
    logarithmic: bool = False
    whole: bool = False
    description: str = ""

    @property
    def heading(self) -> str:
        """Label and unit, as a column or an axis is headed."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


Measures = Mapping[str, Measure]
"""Name -> measure."""


def catalogue(*measures: Measure | Iterable[Measure]) -> Measures:
    """Measures by name, in order.

    Args:
        measures: single ones, or several at once.

    Raises:
        InputError: two of them have one name.
    """
    by_name: dict[str, Measure] = {}
    for given in measures:
        for measure in (given,) if isinstance(given, Measure) else given:
            if by_name.setdefault(measure.name, measure) is not measure:
                raise InputError(f"The measure {measure.name} is declared twice.")
    return MappingProxyType(by_name)


def unlabelled(name: str) -> Measure:
    """What is known of a measure that nobody declares: its name."""
    return Measure(name, name.replace("_", " "))


def directions(measures: Measures, names: Iterable[str]) -> dict[str, Direction]:
    """Name -> direction of the measures that a front is taken over.

    Raises:
        InputError: a measure that is not there, or one without direction.
    """
    ways: dict[str, Direction] = {}
    for name in names:
        measure = measures.get(name)
        if measure is None or measure.direction is None:
            raise InputError(f"A front over the measure {name} needs its direction, which nothing declares.")
        ways[name] = measure.direction
    return ways


def nested(values: Mapping[str, float], known: Measures) -> dict[str, Any]:
    """Values as JSON: parts gathered under their group, counts as integers.

    Args:
        values: measure -> value.
        known: measures that are declared; others stand as they are.
    """
    plain: dict[str, Any] = {}
    gathered: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        measure = known.get(name) or unlabelled(name)
        shown: float = int(value) if measure.whole else value
        if measure.group and values.keys().isdisjoint(measure.subtotal_of):
            gathered.setdefault(measure.group, {})[measure.part or name] = shown
        else:
            plain[name] = shown
    return plain | gathered
