"""Quantities as people write them: SI prefixes, and numbers without needless digits."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

_PREFIXES = (
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
)
_PREFIXED = frozenset(["s", "J", "W", "B", "B/s", "Hz", "A", "V", "F", "H", "Ω", "Pa", "MAC/s", "FLOP/s"])
"""Units that take every prefix; a prefix before mm² would be squared too, and shares and counts have none."""
_BEYOND_DIGITS = 1e9
"""Numbers from here on are written with a power of ten."""


def prefix(value: float, unit: str) -> tuple[float, str]:
    """The factor of the SI prefix that suits a value, and the unit with this prefix."""
    for factor, letter in _PREFIXES:
        if abs(value) >= factor:
            return factor, letter + unit
    return 1.0, unit


def in_units(value: float, unit: str) -> str:
    """A value with three significant digits and a suitable SI prefix: `1.23 mJ`."""
    factor, prefixed = prefix(value, unit)
    return f"{value / factor:.3g} {prefixed}"


def common_prefix(values: Iterable[float], unit: str) -> tuple[float, str]:
    """One prefix for many values of a unit, that of their median; none for a unit that takes no prefixes."""
    sizes = [abs(value) for value in values if value]
    return prefix(median(sizes), unit) if sizes and unit in _PREFIXED else (1.0, unit)


def quantity(value: float, unit: str) -> str:
    """A value with its unit, and with a prefix if the unit takes one: `1.234 ms`, `55.1 mm²`, `0.91`."""
    factor, prefixed = common_prefix([value], unit)
    return f"{number(value / factor)} {prefixed}".rstrip()


def number(value: float) -> str:
    """Four significant digits, and all digits before the point, for numbers below a milliard."""
    if 1e4 <= abs(value) < _BEYOND_DIGITS:
        return f"{value:,.0f}"
    return f"{value:.4g}"
