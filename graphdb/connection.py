"""Connections to the store: at NEO4J_URI, or on the embedded server of a data directory.

The driver is imported only when a connection is opened, so that importing this module is cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from graphdb import embedded
from graphdb.embedded.files import DataDirectory
from graphdb.errors import InputError, UnavailableError
from graphdb.migrate import migrate
from graphdb.settings import Settings
from graphdb.store import Store

if TYPE_CHECKING:
    from graphdb.database import Database


Starting = Callable[[], AbstractContextManager[Callable[[int, int], None] | None]]


def connect(settings: Settings) -> Database:
    """Returns a connected database; an embedded server is used only if it is already running.

    Raises:
        InputError: the address is malformed.
        UnavailableError: no server answers there, or the password is refused.
    """
    if settings.uri is not None:
        return _connect(settings, settings.uri)
    status = embedded.status(settings.data_directory)
    if status.uri is None:
        raise UnavailableError(f"No database runs for {settings.data_directory}; start one first.")
    password = DataDirectory(settings.data_directory).password()
    return _connect(replace(settings, username="neo4j", password=password, database="neo4j"), status.uri)


@contextmanager
def open_store(settings: Settings, *, start: bool = True, starting: Starting = nullcontext) -> Iterator[Store]:
    """Yields the store with its schema up to date; it is closed at the end of the `with` block.

    Args:
        settings: where the database is.
        start: whether to start the embedded server if `settings` names no other server and it is not running yet.
        starting: the block in which an embedded server starts that is not running; it gives the function that is called
            with the number of jars fetched, and of all, or None.

    Raises:
        UnavailableError: the database cannot be reached, or refuses the password.
        ProvisionError: the embedded server cannot be installed on this machine.
        ConflictError: the database is newer than this code, or an applied migration has been edited since.
    """
    if settings.uri is None and start and not embedded.status(settings.data_directory).running:
        with starting() as progress:
            embedded.start(settings.data_directory, progress=progress)
    database = connect(settings)
    try:
        migrate(database)
        yield Store(database)
    finally:
        database.close()


def _connect(settings: Settings, uri: str) -> Database:
    import logging

    import neo4j

    from graphdb.database import Database

    logging.getLogger("neo4j").addHandler(logging.NullHandler())  # or each repeated transaction is told on stderr
    if not uri.startswith(("bolt", "neo4j")):
        raise InputError(f"The database address {uri!r} is malformed; it must be bolt://host:port.")
    try:
        driver = neo4j.GraphDatabase.driver(
            uri,
            auth=(settings.username, settings.password) if settings.password is not None else None,
            connection_timeout=5.0,
            connection_acquisition_timeout=15.0,
            max_transaction_retry_time=settings.retry_s,  # a killed server is reported, not waited for
            liveness_check_timeout=30.0,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
            user_agent="explorer",
        )
    except (neo4j.exceptions.ConfigurationError, ValueError) as error:
        raise InputError(
            f"The database address {uri!r} is malformed ({error}); it must be bolt://host:port."
        ) from error
    database = Database(driver, settings.database, uri)
    try:
        database.verify()
    except BaseException:
        database.close()
        raise
    return database
