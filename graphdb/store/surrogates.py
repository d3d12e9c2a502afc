"""Trained surrogates in the database: safetensors bytes, and JSON that describes how to read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from graphdb import cypher
from graphdb.canonical import canonical_json
from graphdb.errors import NotFoundError
from graphdb.records import SurrogateRecord
from graphdb.store.rows import CorruptError

if TYPE_CHECKING:
    from graphdb.database import Database


class SurrogateStore:
    """The surrogates; saving under an existing key replaces the old surrogate, unless a study began with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, record: SurrogateRecord) -> None:
        """Stores a surrogate, or replaces the one with the same key unless a study rests on it."""
        self._database.write(
            cypher.SAVE_SURROGATE,
            key=record.key,
            target=record.target,
            settings=canonical_json(record.settings),
            weights=bytes(record.weights),
        )

    def get(self, key: str) -> SurrogateRecord:
        """Returns the surrogate with this key.

        Raises:
            NotFoundError: no surrogate has this key.
            CorruptError: the stored value is not a surrogate.
        """
        stored = self._database.read(cypher.READ_SURROGATE, key=key)
        if not stored:
            raise NotFoundError(f"No surrogate has the key {key!r}.")
        _, target, settings, weights = stored[0]
        try:
            return SurrogateRecord(key, target, json.loads(settings), bytes(weights))
        except (TypeError, ValueError) as error:
            raise CorruptError(f"The surrogate {key!r} in the database is damaged; train it again.") from error
