"""Trained surrogates in the database: safetensors bytes and the JSON that says how to read them."""

from __future__ import annotations

import json

from graphdb import cypher
from graphdb.canonical import canonical_json
from graphdb.database import Database
from graphdb.errors import NotFoundError
from graphdb.records import SurrogateRecord
from graphdb.store.rows import CorruptError


class SurrogateStore:
    """The surrogates; saving again under a key replaces what was there, in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, record: SurrogateRecord) -> None:
        """Stores a surrogate, or replaces the one of its key."""
        self._database.write(
            cypher.SAVE_SURROGATE,
            key=record.key,
            target=record.target,
            settings=canonical_json(record.settings),
            weights=bytes(record.weights),
        )

    def get(self, key: str) -> SurrogateRecord:
        """The surrogate of a key.

        Raises:
            NotFoundError: no surrogate bears it.
            CorruptError: what is stored is not a surrogate.
        """
        found = self._database.read(cypher.READ_SURROGATE, key=key)
        if not found:
            raise NotFoundError(f"No surrogate has the key {key!r}.")
        _, target, settings, weights = found[0]
        try:
            return SurrogateRecord(key, target, json.loads(settings), bytes(weights))
        except (TypeError, ValueError) as error:
            raise CorruptError(f"The surrogate {key!r} in the database is damaged; train it again.") from error
