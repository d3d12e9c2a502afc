"""Changes of single decisions of an accelerator, by the names of the published table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.contracts.domain import Overrides
from explorer.contracts.space import Choices
from explorer.domains.accelerator.elector.hardware import PUBLISHED_MEMORIES
from explorer.domains.accelerator.elector.space import NAMES
from explorer.toolkit.reading import is_integer, listed, refused
from graphdb.errors import InputError

MEMORY_PARTS = ("memory_type", "banks", "ranks", "channels")
ALLOWED = (*NAMES, "memory_index", *MEMORY_PARTS, "issue_width", "loop_order")
"""All allowed names: the choices, the names that the published table uses for the memory, and two more."""


def overridden(choices: Choices, given: Mapping[str, Any]) -> Choices:
    """`choices` with the given decisions replaced; it is up to a space to check whether they are legal.

    `tile_y` follows `tile_x` unless it is given too. The memory is given by its full name (`memory`), by its published
    index, or by parts that change the current memory.

    Raises:
        InputError: a name is unknown, or the memory is not in the table.
    """
    for name in given:
        if name not in ALLOWED:
            raise InputError(f"There is no accelerator setting {name!r}; allowed: {listed(ALLOWED)}.")
    changed = {name: value for name, value in given.items() if name not in ("memory_index", *MEMORY_PARTS)}
    if "tile_x" in changed:
        changed.setdefault("tile_y", changed["tile_x"])
    elif "tile_y" in changed:
        changed["tile_x"] = changed["tile_y"]
    if "memory_index" in given:
        changed["memory"] = _indexed(given["memory_index"])
    parts = {name: given[name] for name in MEMORY_PARTS if name in given}
    merged = {**choices, **changed}
    if parts:
        merged["memory"] = _composed(merged["memory"], parts)
    return merged


def _indexed(index: Any) -> str:
    if not is_integer(index) or not 0 <= index < len(PUBLISHED_MEMORIES):
        raise InputError(refused("memory_index", index, f"an integer from 0 to {len(PUBLISHED_MEMORIES) - 1}"))
    return PUBLISHED_MEMORIES[index]


def _composed(memory: Any, parts: Mapping[str, Any]) -> str:
    published = memory if isinstance(memory, str) else ""  # a user-defined memory has no parts
    own = dict(zip(MEMORY_PARTS, published.split("_"), strict=False))
    composed = "_".join(str(parts.get(name, own.get(name))) for name in MEMORY_PARTS)
    if composed not in PUBLISHED_MEMORIES:
        raise InputError(refused("The main memory", composed, listed(PUBLISHED_MEMORIES)))
    return composed


OVERRIDES = Overrides(ALLOWED, overridden)
