"""Constants of AccelTran's modules, buffers and memories, read from the tables of this package."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

Quantities = Mapping[str, float]


@cache
def constants() -> Mapping[tuple[str, str], Quantities]:
    """(module, variant) -> quantity -> value, in the units of the table (um2, mW, nJ, bits per cycle)."""
    table = resources.files(__package__).joinpath("tables/constants.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in csv.DictReader(table.splitlines()):
        found.setdefault((row["module"], row["variant"]), {})[row["quantity"]] = float(row["value"])
    return MappingProxyType({name: MappingProxyType(quantities) for name, quantities in found.items()})


def variants(module: str) -> tuple[str, ...]:
    """The variants of `module` that the table knows."""
    return tuple(variant for name, variant in constants() if name == module)


CLOCK_MHZ = constants()["clock", ""]["frequency"]
CLOCK_HZ = CLOCK_MHZ * 1e6
DATA_BITS = constants()["fixed_point", "integer"]["bits"] + constants()["fixed_point", "fraction"]["bits"]
"""Bits of a number in fixed point."""
MEBIBYTE_BITS = 8 << 20
