"""Conversion between values and rows: values are checked before they are written and after they are read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from graphdb import cypher
from graphdb.architecture import Architecture, Block, Edge, Scalar
from graphdb.canonical import canonical_json
from graphdb.errors import ExplorerError, InputError
from graphdb.measurement import Measurement

T = TypeVar("T")

Row = dict[str, Any]

CHOICE = "choice_"
MEASURE = cypher.MEASURE
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_DOMAIN = re.compile(r"[a-z][a-z0-9_]{0,62}")
_INTEGERS = range(-(2**63), 2**63)
_RESERVED = frozenset({"position", "kind"})


class CorruptError(ExplorerError):
    """A stored value is not one that this code writes."""


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Splits the items into lists of at most `size`."""
    if size < 1:
        raise InputError(f"The batch size is {size}; it must be at least 1.")
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def identifier(name: str, what: str) -> str:
    """Returns `name` if it can name a property.

    Raises:
        InputError: it has characters other than letters, digits and underscores.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise InputError(f"The {what} {name!r} is not a name; letters, digits and underscores are allowed.")
    return name


# --- architectures ----------------------------------------------------------------------------------------------------


def architecture_row(architecture: Architecture) -> Row:
    """Everything that is written for an architecture."""
    if not _DOMAIN.fullmatch(architecture.domain):
        raise InputError(f"The domain {architecture.domain!r} is not a name; small letters, digits, _ are allowed.")
    return {
        "label": "".join(word.capitalize() for word in architecture.domain.split("_")),
        "properties": {
            "key": architecture.key,
            "fingerprint": architecture.fingerprint,
            "domain": architecture.domain,
            "space": architecture.space,
            "choices": architecture.choices_json,
            "blocks": len(architecture.blocks),
            "edges": len(architecture.edges),
            **choice_properties(architecture.choices),
        },
        "blocks": [
            {**_attributes(block.attributes, "block"), "position": position, "kind": block.kind}
            for position, block in enumerate(architecture.blocks)
        ],
        "edges": [
            (edge.source, edge.target, {**_attributes(edge.attributes, "edge"), "position": position})
            for position, edge in enumerate(architecture.edges)
        ],
    }


def choice_properties(choices: Mapping[str, Any]) -> Row:
    """The choices that a filter can query: scalars, and lists of scalars, with nested lists flattened."""
    properties: Row = {}
    for name, value in choices.items():
        stored = _storable(value)
        if stored is not None and _IDENTIFIER.fullmatch(name):
            properties[CHOICE + name] = stored
    return properties


def _storable(value: Any) -> Scalar | list[Any] | None:
    if isinstance(value, bool | str | float) or (isinstance(value, int) and value in _INTEGERS):
        return value
    if not isinstance(value, list):
        return None
    flat = list(_flatten(value))
    for kind in (bool, str):
        if all(isinstance(item, kind) for item in flat):
            return flat
    if any(isinstance(item, bool | str) or item is None or isinstance(item, dict) for item in flat):
        return None
    if all(isinstance(item, int) and item in _INTEGERS for item in flat):
        return flat
    return [float(item) for item in flat]


def _flatten(value: list[Any]) -> Iterator[Any]:
    for item in value:
        if isinstance(item, list):
            yield from _flatten(item)
        else:
            yield item


def _attributes(attributes: Mapping[str, Scalar], what: str) -> Mapping[str, Scalar]:
    for name, value in attributes.items():
        identifier(name, f"{what} attribute")
        if name in _RESERVED:
            raise InputError(f"A {what} attribute is named {name!r}; `position` and `kind` are taken.")
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"The {what} attribute {name!r} is {value}; only finite numbers can be stored.")
        if isinstance(value, int) and value not in _INTEGERS:
            raise InputError(f"The {what} attribute {name!r} is {value}; whole numbers must fit into 64 bits.")
        if not isinstance(value, bool | int | float | str):
            raise InputError(f"The {what} attribute {name!r} is a {type(value).__name__}; scalars are allowed.")
    return attributes


def architecture_of(row: Sequence[Any]) -> Architecture:
    """The architecture in a row (key, domain, space, choices, numbers of blocks and edges, blocks, edges).

    Raises:
        CorruptError: the row is not one that `architecture_row` wrote.
    """
    key, domain, space, choices_json, block_count, edge_count, blocks, edges = row
    try:
        architecture = Architecture(
            domain,
            space,
            choices_json,
            tuple(Block(block.pop("kind"), block) for block in sorted(blocks, key=_pop_position)),
            tuple(
                Edge(source, target, attributes)
                for source, target, attributes in sorted(edges, key=lambda edge: _pop_position(edge[2]))
            ),
        )
        if (architecture.key, len(blocks), len(edges)) == (key, block_count, edge_count):
            return architecture
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CorruptError(f"The architecture {key} in the database is damaged; remove it and add it again.") from error
    raise CorruptError(f"The architecture {key} in the database is not whole; remove it and add it again.")


def _pop_position(properties: Row) -> int:
    position = properties.pop("position")
    if not isinstance(position, int):
        raise TypeError(f"a position is {position!r}")
    return position


# --- measurements -----------------------------------------------------------------------------------------------------


def measurement_row(measurement: Measurement, state: str) -> Row:
    """Everything that is written for a measurement."""
    return {
        "properties": {
            "key": measurement.key,
            "simulator": measurement.simulator,
            "version": measurement.version,
            "seed": _seed(measurement.seed),
            "roles": canonical_json(measurement.roles),
            "settings": canonical_json(measurement.settings),
            "predicted": sorted(measurement.predicted),
            "state": state,
            **{
                MEASURE + identifier(name, "measure"): _measure(name, value)
                for name, value in measurement.measures.items()
            },
        },
        "roles": sorted(measurement.roles.items()),
    }


def _seed(seed: int | None) -> int | None:
    if seed is not None and seed not in _INTEGERS:
        raise InputError(f"The seed is {seed}; it must fit into 64 bits.")
    return seed


def _measure(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"The measure {name!r} is {value!r}; only finite numbers can be stored.")
    return float(value)


def measurement_of(properties: Mapping[str, Any]) -> Measurement:
    """The measurement with these stored properties.

    Raises:
        CorruptError: they are not the properties that `measurement_row` wrote.
    """
    key = properties.get("key")
    try:
        measurement = Measurement(
            simulator=properties["simulator"],
            version=properties["version"],
            roles=json.loads(properties["roles"]),
            settings=json.loads(properties["settings"]),
            measures={
                name.removeprefix(MEASURE): float(value)
                for name, value in sorted(properties.items())
                if name.startswith(MEASURE)
            },
            seed=properties.get("seed"),
            predicted=frozenset(properties["predicted"]),
        )
        if measurement.key == key:
            return measurement
    except (LookupError, TypeError, ValueError) as error:
        raise CorruptError(f"The measurement {key} in the database is damaged; remove it and take it again.") from error
    raise CorruptError(f"The measurement {key} in the database does not match its key; remove it and take it again.")
