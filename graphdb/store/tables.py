"""Tables that studies began with: bytes under the hash of their content, so that equal ones are stored once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from graphdb import cypher
from graphdb.errors import NotFoundError
from graphdb.store.rows import CorruptError

if TYPE_CHECKING:
    from graphdb.database import Database


class TableStore:
    """The tables. A table never changes; it goes with the last study that began with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, about: str, content: bytes) -> str:
        """Stores a table unless it is stored; returns its key.

        Args:
            about: what the table holds, for people.
            content: the table.
        """
        key = hashlib.sha256(content).hexdigest()
        self._database.write(cypher.SAVE_TABLE, key=key, about=about, content=content)
        return key

    def get(self, key: str) -> bytes:
        """Returns the table with this key.

        Raises:
            NotFoundError: no table has this key.
            CorruptError: the stored bytes are not those of the key.
        """
        stored = self._database.read(cypher.READ_TABLE, key=key)
        if not stored:
            raise NotFoundError(f"No table has the key {key!r}.")
        content = bytes(stored[0][0])
        if hashlib.sha256(content).hexdigest() != key:
            raise CorruptError(f"The table {key!r} in the database is damaged; delete the studies that began with it.")
        return content
