"""The only module that sends Cypher: managed transactions, a count of queries, and one sentence for every error.

Importing it imports the driver, and with it numpy and pandas where they are installed: import its types under
`TYPE_CHECKING`, and everything else only when a connection is opened.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, LiteralString, TypeVar

import neo4j
from neo4j import exceptions

from graphdb import cypher
from graphdb.errors import ConflictError, ExplorerError, InputError, StorageFullError, UnavailableError
from graphdb.interrupt import interrupt_held
from graphdb.system_errors import has_too_many_files, too_many_files

T = TypeVar("T")

Rows = list[Any]
"""The rows of a result, each a list in the order of the RETURN clause."""

_ATTEMPTS = 8
"""How often a statement is repeated that others disturb; each attempt lasts at most as long as the driver retries."""
_DISTURBED = (
    "Neo.TransientError.Transaction.",  # a deadlock, above all
    "Neo.ClientError.Schema.ConstraintAlreadyExists",
    "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
    "Neo.ClientError.Schema.IndexAlreadyExists",
)
"""Codes of errors that another transaction at the same time causes: the statement succeeds, or does nothing, later."""
_LONGEST_LOCK_S = 600.0
"""A lock is free again after this time at the latest, though its owner may be suspended."""


class Transaction:
    """A running transaction; every statement counts as one query."""

    def __init__(self, transaction: neo4j.ManagedTransaction, count: Callable[[], None]) -> None:
        self._transaction = transaction
        self._count = count

    def run(self, query: LiteralString, /, **parameters: Any) -> Rows:
        """Sends one statement and returns all its rows, as lists in the order of its RETURN clause."""
        self._count()
        return self._transaction.run(query, parameters).values()


class Database:
    """A connected driver and the database that it works on."""

    def __init__(self, driver: neo4j.Driver, name: str, address: str) -> None:
        self._driver = driver
        self._name = name
        self._address = address
        self._counter = itertools.count(1)
        self.queries = 0

    def read(self, query: LiteralString, /, **parameters: Any) -> Rows:
        """Runs one reading statement in its own transaction, which the driver repeats after transient errors."""

        def act(session: neo4j.Session) -> Rows:
            return session.execute_read(lambda transaction: self._own(transaction).run(query, **parameters))

        return self._in_session(neo4j.READ_ACCESS, act)

    def write(self, query: LiteralString, /, **parameters: Any) -> Rows:
        """Runs one writing statement in its own transaction."""
        return self.transact(lambda transaction: transaction.run(query, **parameters))

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` in one writing transaction.

        The transaction is repeated as a whole after transient errors, and when another writer has created the same node
        first: the second attempt then finds that node. `work` must therefore change nothing but the database.
        """

        def act(session: neo4j.Session) -> T:
            for attempt in itertools.count(1):
                try:
                    return session.execute_write(lambda transaction: work(self._own(transaction)))
                except exceptions.Neo4jError as error:
                    if attempt == _ATTEMPTS or not _is_disturbed(error):
                        raise
            raise AssertionError

        return self._in_session(neo4j.WRITE_ACCESS, act)

    def schema(self, query: LiteralString, /) -> Rows:
        """Runs one statement that changes or reads the schema, in a transaction of its own."""
        return self.write(query)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Lets one process at a time pass, on whatever machine; the others wait for the end of its block.

        The lock is that of a node in an open transaction, so that the database itself frees it when a process dies.

        Args:
            name: the work that only one process at a time may do.
        """
        if not self.read(cypher.HAS_LOCK, name=name):
            self.schema(cypher.LOCKS_HAVE_NAMES)
            self.write(cypher.MAKE_LOCK, name=name)
        session = self._driver.session(database=self._name)
        try:
            with interrupt_held(), self._errors():
                self._increment()
                session.begin_transaction(timeout=_LONGEST_LOCK_S).run(cypher.TAKE_LOCK, name=name).consume()
            yield
        finally:
            with interrupt_held(), suppress(exceptions.Neo4jError, exceptions.DriverError):
                session.close()  # rolls the transaction back

    def verify(self) -> None:
        """Connects once, to check that the database answers.

        Raises:
            UnavailableError: no server answers there, or the password is refused.
        """
        with interrupt_held(), self._errors():
            self._driver.verify_connectivity()

    def close(self) -> None:
        """Closes all connections."""
        with interrupt_held():
            self._driver.close()

    def _in_session(self, access: str, act: Callable[[neo4j.Session], T]) -> T:
        with interrupt_held():  # around the frame that owns the session, whose destructor may send messages too
            return self._act_in_session(access, act)

    def _act_in_session(self, access: str, act: Callable[[neo4j.Session], T]) -> T:
        with self._errors(), self._driver.session(database=self._name, default_access_mode=access) as session:
            return act(session)

    def _own(self, transaction: neo4j.ManagedTransaction) -> Transaction:
        return Transaction(transaction, self._increment)

    def _increment(self) -> None:
        self.queries = next(self._counter)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ExplorerError:
            raise
        except exceptions.AuthError as error:
            raise UnavailableError(
                f"The database at {self._address} refuses this user name and password; see NEO4J_USERNAME and "
                "NEO4J_PASSWORD."
            ) from error
        except exceptions.ConstraintError as error:
            raise ConflictError(f"The database already holds this under the same key ({_reason(error)}).") from error
        except exceptions.Neo4jError as error:
            raise self._translated(error) from error
        except (exceptions.DriverError, OSError) as error:
            if has_too_many_files(error):
                raise UnavailableError(too_many_files()) from error
            raise UnavailableError(f"The database at {self._address} cannot be reached ({_reason(error)}).") from error

    def _translated(self, error: exceptions.Neo4jError) -> ExplorerError:
        code, reason = error.code or "", _reason(error)
        if "Database.DatabaseNotFound" in code:
            return UnavailableError(f"The server at {self._address} has no database {self._name!r}.")
        if "No space left" in reason or "OutOfDiskSpace" in code:
            return StorageFullError(f"The disk of the database at {self._address} is full.")
        if code in ("Neo.ClientError.Statement.TypeError", "Neo.ClientError.Statement.ArgumentError"):
            return InputError(f"The database refuses a value ({reason}).")
        return UnavailableError(f"The database at {self._address} failed ({code}: {reason}).")


def _is_disturbed(error: exceptions.Neo4jError) -> bool:
    return isinstance(error, exceptions.ConstraintError) or (error.code or "").startswith(_DISTURBED)


def _reason(error: Exception) -> str:
    text = (error.message if isinstance(error, exceptions.Neo4jError) else str(error)) or type(error).__name__
    return text.strip().splitlines()[0][:300].rstrip(".")
