"""Tables of values as bytes, for studies: they go on with the values they began with, whatever is measured later."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from explorer.contracts.learning_task import LearningTask
from explorer.contracts.space import DesignSpace
from explorer.learning import surrogates
from explorer.learning.known import KnownValues, ValueTable
from graphdb.architecture import Architecture
from graphdb.canonical import canonical_json, digest
from graphdb.errors import ConflictError
from graphdb.store import Store
from graphdb.store.rows import CorruptError


def keep_table(store: Store, table: ValueTable, about: str) -> str:
    """Stores the values and embeddings of a table, about 140 bytes for each design; returns the key.

    Args:
        store: the database.
        table: the values of all designs of a space.
        about: what the values are, for people.
    """
    arrays = {"embeddings": table.embeddings, "values": table.values, "measured": table.measured}
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return store.tables.save(about, save(whole, {"designs": _digest(table.architectures)}))


def kept_table(store: Store, key: str, space: DesignSpace) -> ValueTable:
    """The table under a key.

    Args:
        store: the database.
        key: what `keep_table` returned.
        space: the space of the designs, which must be able to list them.

    Raises:
        NotFoundError: no table has the key.
        ConflictError: the space holds other designs than when the table was stored.
    """
    content = store.tables.get(key)
    designs = [space.build(choices) for choices in space.enumerate()]
    try:
        arrays = load(content)
        size = int.from_bytes(content[:8], "little")
        known = json.loads(content[8 : 8 + size])["__metadata__"]["designs"]
        embeddings, values, measured = (arrays[name] for name in ("embeddings", "values", "measured"))
    except (SafetensorError, KeyError, ValueError) as error:
        raise CorruptError(f"The table {key!r} in the database holds no values of designs.") from error
    if known != _digest(designs):
        raise ConflictError(f"The space {space.name} has changed since this study began; begin a new one.")
    return ValueTable(designs, embeddings, values, measured)


def keep_values(store: Store, known: KnownValues) -> str:
    """Stores the measured values of `known`, about the length of the choices of each design; returns the key."""
    return store.tables.save(f"measured {known.measure.label}", canonical_json(dict(known.measured)).encode())


def kept_values(
    store: Store, key: str, surrogate: str, task: LearningTask, measure: str, space: DesignSpace
) -> KnownValues:
    """The values under a key, and the surrogate for all others.

    Args:
        store: the database.
        key: what `keep_values` returned.
        surrogate: the key of the surrogate.
        task: the task of the surrogate.
        measure: one of the task's measures.
        space: the space whose designs were measured.

    Raises:
        NotFoundError: no table or surrogate has the key.
        InputError: the task does not learn the measure.
    """
    measured = {choices: float(value) for choices, value in json.loads(store.tables.get(key)).items()}
    return KnownValues(task.measure(measure), measured, surrogates.stored(store, surrogate), space, surrogate)


def _digest(designs: Sequence[Architecture]) -> str:
    return digest([design.key for design in designs])
