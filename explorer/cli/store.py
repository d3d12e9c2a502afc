"""The database of a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from explorer.cli.progress import displayed
from explorer.contracts.session import Progress
from graphdb.settings import Settings

if TYPE_CHECKING:
    from graphdb.store import Store


@contextmanager
def opened() -> Iterator[Store]:
    """The database that the environment names, open during a `with` block."""
    from graphdb.connection import open_store

    with open_store(Settings.from_environment(), starting=_starting) as store:
        yield store


@contextmanager
def _starting() -> Iterator[Callable[[int, int], None]]:
    """Shows the start of the embedded server, and how many of its jars have been fetched."""
    with displayed("Neo4j", at_once=False) as display:
        display.report("starting")
        yield lambda done, total: display.advance(Progress(done, total, "fetching its jars"))
