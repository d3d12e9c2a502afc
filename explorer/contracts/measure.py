"""`Measure`: the description of a measured quantity that tables, plots, fronts, the API and the documentation read."""

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
    """A quantity that a simulator or a published experiment measures.

    Attributes:
        name: the name in measurements; it ends in the unit, if there is one (`latency_s`).
        label: the name in tables and plots, without the unit.
        unit: the SI symbol (s, J, W, mm², 1/s), `%` for a share that is shown in percent, or empty.
        direction: the direction of improvement; None if neither is better.
        group: the JSON object that gathers the parts of a whole, such as `energy_parts_j`; empty for none.
        part: the name within the group.
        subtotal_of: the parts that it is the sum of; if any of them was measured it stands by itself, otherwise it is a
            part of its group.
        logarithmic: whether it is plotted on a logarithmic scale.
        whole: whether it is a count, without decimals.
        description: a phrase without a full stop.

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
        """The label and the unit, as the heading of a column or an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def stored_unit(self) -> str:
        """The unit of the values as they are stored and tabulated: none for a share, which is a fraction there."""
        return "" if self.unit == "%" else self.unit

    @property
    def stored_heading(self) -> str:
        """The heading of a column of values as they are stored."""
        return f"{self.label} ({self.stored_unit})" if self.stored_unit else self.label


Measures = Mapping[str, Measure]
"""Name -> measure."""


def catalogue(*measures: Measure | Iterable[Measure]) -> Measures:
    """Returns the measures by name, in order.

    Args:
        measures: measures, or collections of measures.

    Raises:
        InputError: two of them have the same name.
    """
    by_name: dict[str, Measure] = {}
    for given in measures:
        for measure in (given,) if isinstance(given, Measure) else given:
            if by_name.setdefault(measure.name, measure) is not measure:
                raise InputError(f"The measure {measure.name} is declared twice.")
    return MappingProxyType(by_name)


def unlabelled(name: str) -> Measure:
    """A measure that is not declared, of which only the name is known."""
    return Measure(name, name.replace("_", " "))


def directions(measures: Measures, names: Iterable[str]) -> dict[str, Direction]:
    """Name -> direction of the measures of a Pareto front.

    Raises:
        InputError: a measure is missing, or has no direction.
    """
    ways: dict[str, Direction] = {}
    for name in names:
        measure = measures.get(name)
        if measure is None or measure.direction is None:
            raise InputError(f"A front over the measure {name} needs its direction, which nothing declares.")
        ways[name] = measure.direction
    return ways


def nested(values: Mapping[str, float], known: Measures) -> dict[str, Any]:
    """Returns values as JSON, with parts gathered under their group and counts as integers.

    Args:
        values: measure -> value.
        known: the declared measures; others stay as they are.
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
