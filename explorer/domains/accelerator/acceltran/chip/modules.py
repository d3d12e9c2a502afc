"""`OwnModules`: figures of a user's modules that replace published ones, as stored in the settings of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from explorer.toolkit.reading import is_number, refused
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.domains.accelerator.acceltran.chip.constants import Overlay

BUFFERS = ("activation_buffer", "weight_buffer", "mask_buffer")
BLOCK_BYTES = 64

MODULE_QUANTITIES = {"area": "area_mm2", "dynamic_power": "dynamic_power_w", "leakage_power": "leakage_power_w"}
"""Key in a user's file -> name in the settings."""
BUFFER_QUANTITIES = {
    "area": "area_mm2",
    "access_energy": "access_energy_j_per_byte",
    "leakage_power": "leakage_power_w",
    "bandwidth": "bandwidth_bytes_per_s",
}

LARGEST = 1e18


# The constants are imported only where they are needed: the settings of a run import this module, and are imported at
# every start, which must not read a table.


@cache
def modules() -> Mapping[str, tuple[str, str]]:
    """Name of each module and buffer that a user can redefine -> its module and variant in the table."""
    from explorer.domains.accelerator.acceltran.chip.constants import published

    return {
        f"{module}_{variant}" if variant else module: (module, variant)
        for (module, variant), quantities in published().items()
        if "area" in quantities
    }


@dataclass(frozen=True, slots=True)
class OwnModules:
    """Figures of a user's modules, and their sources.

    Attributes:
        figures: (module, name of the quantity, value) in alphabetical order.
        sources: (module, source) in alphabetical order.
    """

    figures: tuple[tuple[str, str, float], ...]
    sources: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, value: object) -> OwnModules:
        """Read the JSON form: module -> quantity -> value, with a source.

        Raises:
            InputError: a module or quantity is unknown, a value is not a number of at least 0, or a source is missing.
        """
        if not isinstance(value, dict) or not value:
            raise InputError(refused("library", value, f"an object with entries for {', '.join(modules())}"))
        figures: list[tuple[str, str, float]] = []
        sources: list[tuple[str, str]] = []
        for name, entry in value.items():
            _check(name, entry)
            figures += [(name, quantity, float(figure)) for quantity, figure in entry.items() if quantity != "source"]
            sources.append((name, entry["source"]))
        return cls(tuple(sorted(figures)), tuple(sorted(sources)))

    def json(self) -> dict[str, dict[str, Any]]:
        """The JSON form."""
        entries: dict[str, dict[str, Any]] = {name: {} for name, _ in self.sources}
        for name, quantity, value in self.figures:
            entries[name][quantity] = value
        for name, source in self.sources:
            entries[name]["source"] = source
        return entries

    @property
    def overlay(self) -> Overlay:
        """The changes that they make to the tables of constants."""
        table = _table()
        return tuple(
            (modules()[name], table[quantity][0], value * table[quantity][1]) for name, quantity, value in self.figures
        )


@cache
def _table() -> Mapping[str, tuple[str, float]]:
    """Name in the settings -> quantity of the table, and the factor from the settings' unit to the table's."""
    from explorer.domains.accelerator.acceltran.chip.constants import published_bits_per_cycle

    return {
        "area_mm2": ("area", 1e6),
        "dynamic_power_w": ("dynamic", 1e3),
        "leakage_power_w": ("leakage", 1e3),
        "access_energy_j_per_byte": ("energy", BLOCK_BYTES * 1e9),
        "bandwidth_bytes_per_s": ("bandwidth", published_bits_per_cycle(1.0)),
    }


def _check(name: object, entry: object) -> None:
    if name not in modules():
        raise InputError(refused("The module of the library", name, ", ".join(modules())))
    names = (BUFFER_QUANTITIES if name in BUFFERS else MODULE_QUANTITIES).values()
    if not isinstance(entry, dict) or len(entry) < 2 or not entry.keys() <= {*names, "source"}:
        raise InputError(
            refused(f"library.{name}", entry, f"an object with source and one or more of {', '.join(names)}")
        )
    source = entry.get("source")
    if not (isinstance(source, str) and 0 < len(source) <= 500):
        raise InputError(refused(f"library.{name}.source", source, "a text of 1 to 500 characters"))
    for quantity, value in entry.items():
        if quantity != "source" and not (is_number(value) and 0 <= value <= LARGEST):
            raise InputError(refused(f"library.{name}.{quantity}", value, f"a number from 0 to {LARGEST:g}"))
