"""The store: everything that is kept, one attribute per kind."""

from __future__ import annotations

from graphdb import cypher
from graphdb.database import Database
from graphdb.store.architectures import ArchitectureStore
from graphdb.store.embeddings import DISTANCE, EmbeddingStore
from graphdb.store.measurements import MeasurementStore
from graphdb.store.studies import StudyStore
from graphdb.store.surrogates import SurrogateStore

__all__ = [
    "ArchitectureStore",
    "EmbeddingStore",
    "MeasurementStore",
    "Store",
    "StudyStore",
    "SurrogateStore",
]

_WIPED_AT_ONCE = 20_000


class Store:
    """All that the database keeps. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.architectures = ArchitectureStore(database)
        self.measurements = MeasurementStore(database)
        self.embeddings = EmbeddingStore(database)
        self.distances = EmbeddingStore(database, DISTANCE)
        self.surrogates = SurrogateStore(database)
        self.studies = StudyStore(database)

    @property
    def query_counter(self) -> int:
        """Number of statements sent so far."""
        return self._database.queries

    def wipe(self) -> None:
        """Removes every node and relationship; the schema stays."""
        while self._database.write(cypher.WIPE_SOME, limit=_WIPED_AT_ONCE)[0][0]:
            pass

    def close(self) -> None:
        """Closes the connections to the database."""
        self._database.close()
