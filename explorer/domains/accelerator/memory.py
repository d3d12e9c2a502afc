"""`UserMemory`: a user-defined main memory, stored in full in an accelerator's choices, so that it needs no table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from explorer.toolkit.reading import is_number, key_violations, refused

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
NAME_RULE = "a small letter, then up to 39 small letters, digits and _"
LARGEST = 1e18
_POSITIVE = ("bandwidth_bytes_per_s", "energy_j_per_byte")
_POWERS = ("background_power_w", "refresh_power_w")
_TEXTS = ("technology", "source")


@dataclass(frozen=True, slots=True)
class UserMemory:
    """A main memory that is not in the published table.

    Attributes:
        name: name in tables.
        technology: kind of memory, such as lpddr5.
        bandwidth_bytes_per_s: sustained bandwidth.
        energy_j_per_byte: energy of an access.
        background_power_w: power while it is on.
        refresh_power_w: average power of refreshing it.
        source: source of the figures.
    """

    name: str
    technology: str
    bandwidth_bytes_per_s: float
    energy_j_per_byte: float
    background_power_w: float
    refresh_power_w: float
    source: str

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> UserMemory:
        """The memory in legal choices."""
        numbers = {name: float(value[name]) for name in (*_POSITIVE, *_POWERS)}
        return cls(name=value["name"], technology=value["technology"], source=value["source"], **numbers)

    def choice(self) -> dict[str, Any]:
        """The JSON form, as under `memory` in an accelerator's choices."""
        return asdict(self)


def user_memory_violations(value: object) -> list[str]:
    """The reasons why the JSON form of a user's memory, which may be any JSON value, is illegal."""
    faults = key_violations(value, UserMemory.__slots__)
    if faults or not isinstance(value, dict):
        return [f"memory: {sentence}" for sentence in faults]
    if not (isinstance(value["name"], str) and NAME.fullmatch(value["name"])):
        faults.append(refused("memory.name", value["name"], NAME_RULE))
    for name in _TEXTS:
        if not (isinstance(value[name], str) and value[name].strip() and len(value[name]) <= 500):
            faults.append(refused(f"memory.{name}", value[name], "a text of 1 to 500 characters"))
    for name in _POSITIVE:
        if not (is_number(value[name]) and 0 < value[name] <= LARGEST):
            faults.append(refused(f"memory.{name}", value[name], f"a number above 0 and up to {LARGEST:g}"))
    for name in _POWERS:
        if not (is_number(value[name]) and 0 <= value[name] <= LARGEST):
            faults.append(refused(f"memory.{name}", value[name], f"a number from 0 to {LARGEST:g}"))
    return faults
