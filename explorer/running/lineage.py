"""Lineage: children and parents stored in the database."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.contracts.session import Descent
from graphdb.store import Store


def store_descents(store: Store, descents: Iterable[Descent]) -> int:
    """Store children and parents with their relations; storing them again changes nothing.

    Returns:
        The number of new children.
    """
    known = list(descents)
    new = store.architectures.add({one.child.key: one.child for one in known}.values())
    store.architectures.add({one.parent.key: one.parent for one in known}.values())
    for one in known:
        store.architectures.add_derived(one.child.key, one.parent.key, one.how, one.about)
    return new
