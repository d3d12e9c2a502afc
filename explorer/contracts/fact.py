"""`Fact`: a quantity that follows from a design without a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.contracts.measure import Measure


@dataclass(frozen=True, slots=True)
class Fact:
    """The value of a measure that follows from a design alone.

    Example:
        >>> mass = Measure("mass_kg", "mass", "kg")
        >>> Fact(mass, 12345.678).text
        'mass = 12350 kg'
        >>> Fact(Measure("beams", "beams", whole=True), 12345).text
        'beams = 12,345'
    """

    measure: Measure
    value: float

    @property
    def text(self) -> str:
        """Label, value and unit; counts have all their digits."""
        measure = self.measure
        value = f"{self.value:,.0f}" if measure.whole else _short(self.value)
        return f"{measure.label} = {value} {measure.stored_unit}".rstrip()


def facts_json(facts: Sequence[Fact]) -> dict[str, float]:
    """Name -> value."""
    return {fact.measure.name: fact.value for fact in facts}


def facts_text(facts: Sequence[Fact]) -> str:
    """All facts in one line."""
    return "; ".join(fact.text for fact in facts)


def _short(value: float) -> str:
    """Four significant digits, but never an exponent below a million."""
    return f"{value:.4g}" if not 1e4 <= abs(value) < 1e6 else f"{float(f'{value:.4g}'):.0f}"
