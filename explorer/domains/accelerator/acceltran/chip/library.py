"""`Library`: user-defined modules and memories, read from YAML with the unit and the source of every figure.

A file such as

    memories:
      my_lpddr5: {technology: lpddr5, bandwidth: 51.2 GB/s, access_energy: 7.1 nJ/64B, background_power: 120 mW,
                  source: data sheet of the part}
    modules:
      mac_lane_16_gelu: {area: 9000 um2, dynamic_power: 4.1 mW, leakage_power: 0.2 mW, source: own synthesis, 7 nm}
      activation_buffer: {access_energy: 0.05 nJ/64B, source: own SRAM compiler}

adds memories and replaces published figures of modules and buffers; figures that an entry leaves out stay as published.
Figures of a buffer are for a size of 1 MiB: area and leakage grow with the size, the energy of an access with the
square root of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

from explorer.contracts.options import refusal
from explorer.domains.accelerator.acceltran.chip.modules import (
    BUFFER_QUANTITIES,
    MODULE_QUANTITIES,
    OwnModules,
    modules,
)
from explorer.domains.accelerator.elector.hardware import PUBLISHED_MEMORIES
from explorer.domains.accelerator.memory import NAME, NAME_RULE, UserMemory, user_memory_violations
from explorer.toolkit.reading import listed, refused, shown
from graphdb.errors import InputError

_LONGEST_TEXT = 500
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")

# Dimension -> unit -> value of that unit in the unit of the attribute that holds it.
_UNITS: dict[str, dict[str, float]] = {
    "bandwidth": {"B/s": 1.0, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12, "Mbit/s": 1.25e5, "Gbit/s": 1.25e8},
    "access energy": {
        f"{energy}/{amount}": joules / amount_bytes
        for energy, joules in {"pJ": 1e-12, "nJ": 1e-9, "uJ": 1e-6}.items()
        for amount, amount_bytes in {"bit": 0.125, "B": 1.0, "64B": 64.0}.items()
    },
    "power": {"W": 1.0, "mW": 1e-3, "uW": 1e-6, "nW": 1e-9},
    "area": {"um2": 1e-6, "mm2": 1.0},
}


def _quantity(dimension: str) -> BeforeValidator:
    units = _UNITS[dimension]

    def read(value: object, info: ValidationInfo) -> float:
        parts = _NUMBER.fullmatch(value.replace("\N{MICRO SIGN}", "u")) if isinstance(value, str) else None
        number = float(parts[1]) if parts else math.nan
        if parts is None or not (math.isfinite(number) and number >= 0) or parts[2] not in units:
            raise _wrong(value, info, f"a number of at least 0 and its unit: {', '.join(units)}")
        return number * units[parts[2]]

    return BeforeValidator(read)


def _text(value: object, info: ValidationInfo) -> str:
    if not (isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_TEXT):
        raise _wrong(value, info, f"a text of 1 to {_LONGEST_TEXT} characters")
    return value.strip()


def _wrong(value: object, info: ValidationInfo, allowed: str) -> ValueError:
    """An error in a value; the validation context is the place of the entry."""
    return ValueError(refused(f"{info.context}.{info.field_name}", value, allowed))


_Bandwidth = Annotated[float, _quantity("bandwidth")]
_AccessEnergy = Annotated[float, _quantity("access energy")]
_Power = Annotated[float, _quantity("power")]
_Area = Annotated[float, _quantity("area")]
_Text = Annotated[str, BeforeValidator(_text)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: _Text


class _Memory(_Entry):
    technology: _Text
    bandwidth: _Bandwidth
    access_energy: _AccessEnergy
    background_power: _Power
    refresh_power: _Power = 0.0


class _Module(_Entry):
    area: _Area | None = None
    dynamic_power: _Power | None = None
    leakage_power: _Power | None = None


class _Buffer(_Entry):
    area: _Area | None = None
    access_energy: _AccessEnergy | None = None
    leakage_power: _Power | None = None
    bandwidth: _Bandwidth | None = None


Entry = TypeVar("Entry", bound=_Entry)


@dataclass(frozen=True, slots=True)
class Library:
    """The contents of a user's library file.

    Attributes:
        memories: name -> memory; an accelerator's setting `memory` refers to it by name.
        modules: figures that replace published ones; None if there are none.
    """

    memories: Mapping[str, UserMemory]
    modules: OwnModules | None

    def memory_choice(self, name: object) -> Any:
        """The choice for a memory of that name: the name, or the whole definition of a user-defined memory.

        Raises:
            InputError: it is in neither the library nor the published table.
        """
        if isinstance(name, str) and name in self.memories:
            return self.memories[name].choice()
        if name in PUBLISHED_MEMORIES:
            return name
        allowed = ", ".join([*self.memories, *PUBLISHED_MEMORIES])
        raise InputError(f"The memory {shown(name)} is in neither the library nor the published table: {allowed}.")


def read_library(file: Path) -> Library:
    """Read the library in a YAML file.

    Raises:
        InputError: the file is unreadable or malformed, a module or key is unknown, a figure has no unit, or an entry
            has no source. The message names file and key, and says what is allowed.
    """
    content = _sections(file)
    memories = {name: _memory(file, name, entry) for name, entry in _entries(file, "memories", content.get("memories"))}
    own = {name: _module(file, name, entry) for name, entry in _entries(file, "modules", content.get("modules"))}
    if not memories and not own:
        raise InputError(f"{file} holds no entry; allowed: a mapping with memories, modules or both.")
    return Library(memories, OwnModules.of(own) if own else None)


def _memory(file: Path, name: str, entry: object) -> UserMemory:
    place = f"{file}: memories.{name}"
    if not NAME.fullmatch(name):
        raise InputError(f"{file}: memories: the name {shown(name)} is not allowed; allowed: {NAME_RULE}.")
    if name in PUBLISHED_MEMORIES:
        raise InputError(f"{place} is the name of a published memory; allowed: another name.")
    given = _checked(place, _Memory, entry)
    memory = UserMemory(
        name,
        given.technology,
        given.bandwidth,
        given.access_energy,
        given.background_power,
        given.refresh_power,
        given.source,
    )
    for sentence in user_memory_violations(memory.choice()):
        raise InputError(f"{place}: {sentence}")
    return memory


def _module(file: Path, name: str, entry: object) -> dict[str, Any]:
    if name not in modules():
        raise InputError(f"{file}: modules: there is no module {shown(name)}; allowed: {', '.join(modules())}.")
    place = f"{file}: modules.{name}"
    is_buffer = name.endswith("_buffer")
    given = _checked(place, _Buffer if is_buffer else _Module, entry)
    quantities = BUFFER_QUANTITIES if is_buffer else MODULE_QUANTITIES
    figures = {key: getattr(given, key) for key in quantities if getattr(given, key) is not None}
    if not figures:
        raise InputError(f"{place} changes nothing; allowed: one or more of {', '.join(quantities)}.")
    return {**{quantities[key]: figure for key, figure in figures.items()}, "source": given.source}


def _checked(place: str, model: type[Entry], entry: object) -> Entry:
    if not isinstance(entry, dict):
        raise InputError(refused(place, entry, f"a mapping with the keys {listed(model.model_fields)}"))
    try:
        return model.model_validate(entry, context=place)
    except ValidationError as error:
        raise InputError(refusal(error, model, place)) from None


def _entries(file: Path, section: str, value: object) -> Iterator[tuple[str, object]]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise InputError(f"{file}: {section} is {shown(value)}; allowed: a mapping from names to entries.")
    for name, entry in value.items():
        yield str(name), entry


def _sections(file: Path) -> dict[str, Any]:
    from explorer.toolkit.yaml_file import read_yaml

    content = read_yaml(file, "library")
    if not isinstance(content, dict) or not content.keys() <= {"memories", "modules"}:
        wrong = sorted(map(str, content))[0] if isinstance(content, dict) and content else content
        raise InputError(f"{file} holds {shown(wrong)}; allowed: a mapping with memories, modules or both.")
    return content
