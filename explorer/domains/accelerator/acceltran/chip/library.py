"""`Library`: a user's own modules and memories, read from YAML with the unit and the source of every figure.

A file such as

    memories:
      my_lpddr5: {technology: lpddr5, bandwidth: 51.2 GB/s, access_energy: 7.1 nJ/64B, background_power: 120 mW,
                  source: data sheet of the part}
    modules:
      mac_lane_16_gelu: {area: 9000 um2, dynamic_power: 4.1 mW, leakage_power: 0.2 mW, source: own synthesis, 7 nm}
      activation_buffer: {access_energy: 0.05 nJ/64B, source: own SRAM compiler}

adds memories, and replaces the published figures of modules and buffers; what an entry leaves out stays as published.
Figures of a buffer are those of one of 1 MiB: area and leakage grow with its size, the energy of an access with the
square root of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from explorer.domains.accelerator.acceltran.chip.modules import (
    BUFFER_QUANTITIES,
    MODULE_QUANTITIES,
    OwnModules,
    modules,
)
from explorer.domains.accelerator.elector.hardware import PUBLISHED_MEMORIES
from explorer.domains.accelerator.memory import NAME, NAME_RULE, UserMemory, user_memory_violations
from explorer.toolkit.reading import shown
from explorer.toolkit.yaml_file import read_yaml
from graphdb.errors import InputError

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")

# Dimension -> unit -> what one of it is in the unit of the attribute that holds it.
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


def _reader(dimension: str) -> BeforeValidator:
    units = _UNITS[dimension]

    def read(value: object) -> float:
        found = _NUMBER.fullmatch(value.replace("\N{MICRO SIGN}", "u")) if isinstance(value, str) else None
        number = float(found[1]) if found else math.nan
        if found is None or not (math.isfinite(number) and number >= 0) or found[2] not in units:
            raise ValueError(f"{shown(value)}; allowed: a number of at least 0 and its unit: {', '.join(units)}")
        return number * units[found[2]]

    return BeforeValidator(read)


_Bandwidth = Annotated[float, _reader("bandwidth")]
_AccessEnergy = Annotated[float, _reader("access energy")]
_Power = Annotated[float, _reader("power")]
_Area = Annotated[float, _reader("area")]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


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
    """What a file of the user's own holds.

    Attributes:
        memories: name -> memory, to be named by an accelerator's setting `memory`.
        modules: figures in place of the published ones; None where there are none.
    """

    memories: Mapping[str, UserMemory]
    modules: OwnModules | None

    def memory_choice(self, name: object) -> Any:
        """What an accelerator's choices hold for a memory of that name: a user's own one whole.

        Raises:
            InputError: neither the library nor the published table has it.
        """
        if isinstance(name, str) and name in self.memories:
            return self.memories[name].choice()
        if name in PUBLISHED_MEMORIES:
            return name
        allowed = ", ".join([*self.memories, *PUBLISHED_MEMORIES])
        raise InputError(f"The memory {shown(name)} is in neither the library nor the published table: {allowed}.")


def read_library(file: Path) -> Library:
    """The library in a YAML file.

    Raises:
        InputError: unreadable or malformed; an unknown module or key; a figure without a unit or an entry without a
            source. The message names file and key, and says what is allowed.
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
    found = {attribute: getattr(given, key) for key, attribute in quantities.items() if getattr(given, key) is not None}
    if not found:
        raise InputError(f"{place} changes nothing; allowed: one or more of {', '.join(quantities)}.")
    return {**found, "source": given.source}


def _checked(place: str, model: type[Entry], entry: object) -> Entry:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    allowed = ", ".join(model.model_fields)
    if first["type"] == "extra_forbidden":
        raise InputError(f"{place}: the key {shown(key)} is unknown; allowed: {allowed}.")
    if first["type"] == "missing":
        raise InputError(f"{place}: the key {key} is missing; needed: {_required(model)}.")
    if not key:
        raise InputError(f"{place} is {shown(entry)}; allowed: a mapping with the keys {allowed}.")
    if first["type"] == "value_error":
        raise InputError(f"{place}.{key} is {first['msg'].removeprefix('Value error, ')}.")
    raise InputError(f"{place}.{key} is {shown(first['input'])}; allowed: a text of 1 to 500 characters.")


def _required(model: type[_Entry]) -> str:
    return ", ".join(name for name, field in model.model_fields.items() if field.is_required())


def _entries(file: Path, section: str, value: object) -> Iterator[tuple[str, object]]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise InputError(f"{file}: {section} is {shown(value)}; allowed: a mapping from names to entries.")
    for name, entry in value.items():
        yield str(name), entry


def _sections(file: Path) -> dict[str, Any]:
    content = read_yaml(file, "library")
    if not isinstance(content, dict) or not content.keys() <= {"memories", "modules"}:
        found = sorted(map(str, content))[0] if isinstance(content, dict) and content else content
        raise InputError(f"{file} holds {shown(found)}; allowed: a mapping with memories, modules or both.")
    return content
