"""What came from what: children and parents kept in the database."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.contracts.session import Descent
from graphdb.store import Store


def store_descents(store: Store, descents: Iterable[Descent]) -> int:
    """Store children and parents, and that the ones came from the others; again changes nothing.

    Returns:
        how many of the children were new.
    """
    known = list(descents)
    new = store.architectures.add({one.child.key: one.child for one in known}.values())
    store.architectures.add({one.parent.key: one.parent for one in known}.values())
    for one in known:
        store.architectures.add_derived(one.child.key, one.parent.key, one.how, one.about)
    return new
