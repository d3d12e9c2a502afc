"""Constants of AccelTran's modules, buffers and memories: the tables of this package, and values that replace them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from explorer.domains.accelerator.memory import UserMemory

CLOCK_HZ = 700e6
CLOCK_MHZ = CLOCK_HZ / 1e6
DATA_BITS = 20
"""Bits of a fixed-point number: 4 before the point and 16 after it."""
MEBIBYTE_BITS = 8 << 20

Quantities = Mapping[str, float]
Constants = Mapping[tuple[str, str], Quantities]
Overlay = tuple[tuple[tuple[str, str], str, float], ...]
"""((module, variant), quantity, value) for every value that differs from the tables, in their units; hashable."""


@cache
def published() -> Constants:
    """(module, variant) -> quantity -> value, in the units of the table (um2, mW, nJ, bits per cycle)."""
    import csv
    from importlib import resources

    text = resources.files(__package__).joinpath("tables/constants.csv").read_text(encoding="utf-8")
    table: dict[tuple[str, str], dict[str, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        table.setdefault((row["module"], row["variant"]), {})[row["quantity"]] = float(row["value"])
    return MappingProxyType({name: MappingProxyType(quantities) for name, quantities in table.items()})


@lru_cache(maxsize=64)
def constants(overlay: Overlay = ()) -> Constants:
    """The published constants, replaced by those of a user's library where it has any."""
    if not overlay:
        return published()
    table = {name: dict(quantities) for name, quantities in published().items()}
    for name, quantity, value in overlay:
        table[name][quantity] = value
    return MappingProxyType({name: MappingProxyType(quantities) for name, quantities in table.items()})


@cache
def variants(module: str) -> tuple[str, ...]:
    """Variants of `module` in the table."""
    return tuple(variant for name, variant in published() if name == module)


def memory_constants(memory: str | UserMemory, overlay: Overlay = ()) -> Quantities:
    """Quantities of a main memory: those of its technology and its organisation, or those of a user-defined memory.

    `bandwidth` is in bits per cycle, as the published code converts GB/s; `energy` is in nJ per block; a user-defined
    memory also has `background` and `refresh` in mW.
    """
    table = constants(overlay)
    if isinstance(memory, str):
        return {**table["main_memory", memory.split("_")[0]], **table["main_memory", memory]}
    return {
        "bandwidth": published_bits_per_cycle(memory.bandwidth_bytes_per_s),
        "energy": memory.energy_j_per_byte * table["main_memory", ""]["block"] * 1e9,
        "background": memory.background_power_w * 1e3,
        "refresh": memory.refresh_power_w * 1e3,
    }


def published_bits_per_cycle(bytes_per_s: float) -> float:
    """A bandwidth as the published code converts it: 1 GB/s counts as 2^30 numbers of 20 bits, 2.7 times too fast."""
    return bytes_per_s / 1e9 * (1 << 30) * DATA_BITS / CLOCK_HZ
