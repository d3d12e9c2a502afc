"""Leases: the right of one process at a time to work on a named node, timed by the database's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphdb import cypher
from graphdb.cypher import Leased
from graphdb.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from graphdb.database import Database, Transaction

__all__ = ["LeaseStore", "Leased"]


class LeaseStore:
    """The leases of all nodes with one label."""

    def __init__(self, database: Database, label: Leased) -> None:
        self._database = database
        self._label = Leased(label)
        self._queries = cypher.LEASES[self._label]

    def take(self, name: str, owner: str, seconds: float) -> bool:
        """Takes or renews a lease; False while another owner holds it.

        Args:
            name: the name of the node.
            owner: the new owner.
            seconds: the time after which the lease expires.

        Raises:
            NotFoundError: no node with the label has this name.
            InputError: `seconds` is not positive.
        """
        if not seconds > 0:
            raise InputError(f"The lease lasts {seconds} s; it must be more than 0.")

        def work(transaction: Transaction) -> bool:
            if not transaction.run(self._queries.lock, name=name):
                raise self._unknown(name)
            taken = transaction.run(self._queries.take, name=name, owner=owner, milliseconds=round(seconds * 1000))
            return bool(taken[0][0])

        return self._database.transact(work)

    def owner(self, name: str) -> str | None:
        """The owner of the lease; None if it is free or has expired.

        Raises:
            NotFoundError: no node with the label has this name.
        """
        rows = self._database.read(self._queries.owner, name=name)
        if not rows:
            raise self._unknown(name)
        owner: str | None = rows[0][0]
        return owner

    def release(self, name: str, owner: str) -> None:
        """Gives a lease back; does nothing if `owner` does not hold it."""
        self._database.write(self._queries.release, name=name, owner=owner)

    def _unknown(self, name: str) -> NotFoundError:
        return NotFoundError(f"No {self._label.value.lower()} is named {name!r}.")
