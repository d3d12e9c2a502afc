"""The store: everything that the database keeps, one attribute per kind."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from graphdb import cypher
from graphdb.store.architectures import ArchitectureStore
from graphdb.store.embeddings import DISTANCE, EmbeddingStore
from graphdb.store.leases import Leased, LeaseStore
from graphdb.store.measurements import MeasurementStore
from graphdb.store.studies import StudyStore
from graphdb.store.surrogates import SurrogateStore
from graphdb.store.tables import TableStore

if TYPE_CHECKING:
    from graphdb.database import Database

__all__ = [
    "ArchitectureStore",
    "EmbeddingStore",
    "LeaseStore",
    "Leased",
    "MeasurementStore",
    "Store",
    "StudyStore",
    "SurrogateStore",
    "TableStore",
]

_WIPED_AT_ONCE = 20_000


class Store:
    """Everything that the database keeps. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexed: frozenset[str] | None = None
        self.architectures = ArchitectureStore(database, self.indexed_measures)
        self.measurements = MeasurementStore(database)
        self.embeddings = EmbeddingStore(database)
        self.distances = EmbeddingStore(database, DISTANCE)
        self.surrogates = SurrogateStore(database)
        self.tables = TableStore(database)
        self.studies = StudyStore(database)

    def leases(self, label: Leased) -> LeaseStore:
        """The leases of studies, or of jobs."""
        return LeaseStore(self._database, label)

    def alone(self, work: str) -> AbstractContextManager[None]:
        """A block for one process at a time: the others wait until the first has left it, or has died.

        Args:
            work: the name of what happens in the block.
        """
        return self._database.alone(work)

    def index_measures(self, names: Iterable[str]) -> list[str]:
        """Indexes measures, so that listings by range need not read every design; returns those newly indexed.

        Indexing a measure again changes nothing.

        Args:
            names: names of at most 64 small letters, digits and underscores each.

        Raises:
            InputError: a name is not of that form; nothing is indexed then.
        """
        statements = {name: cypher.index_measure(name) for name in names}
        self._indexed = None  # another process may have indexed some measures
        missing = [name for name in statements if name not in self.indexed_measures()]
        for name in missing:
            self._database.schema(statements[name])
        if missing:
            self._database.schema(cypher.AWAIT_INDEXES)
            self._indexed = None
        return missing

    def indexed_measures(self) -> frozenset[str]:
        """The names of the measures that have an index; read once."""
        if self._indexed is None:
            properties = (row[0] for row in self._database.schema(cypher.INDEXED_PROPERTIES))
            self._indexed = frozenset(
                name.removeprefix(cypher.MEASURE) for name in properties if name.startswith(cypher.MEASURE)
            )
        return self._indexed

    @property
    def query_counter(self) -> int:
        """The number of statements sent so far."""
        return self._database.queries

    def wipe(self) -> None:
        """Removes all nodes and relationships; the schema stays."""
        while self._database.write(cypher.WIPE_SOME, limit=_WIPED_AT_ONCE)[0][0]:
            pass

    def close(self) -> None:
        """Closes the connections to the database."""
        self._database.close()
