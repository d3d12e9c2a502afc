"""The database of a command."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from graphdb.settings import Settings

if TYPE_CHECKING:
    from graphdb.store import Store


def opened() -> AbstractContextManager[Store]:
    """The database that the environment names, open during a `with` block."""
    from graphdb.connection import open_store

    return open_store(Settings.from_environment())
