"""Leases of whatever is named: one owner at a time, by the database's clock."""

from __future__ import annotations

import pytest

from graphdb.errors import InputError, NotFoundError
from graphdb.records import StudyRecord
from graphdb.store import Leased, Store


def test_each_label_has_leases_of_its_own(store: Store) -> None:
    store.studies.create(StudyRecord("one", "r", 0, 1, {}))
    store._database.write("CREATE (:Job {name: 'one'})")
    jobs = store.leases(Leased.JOB)
    assert store.studies.lease("one", "me", 30)
    assert jobs.owner("one") is None
    assert jobs.take("one", "you", 30)
    assert not jobs.take("one", "me", 30)
    assert (store.studies.lease_owner("one"), jobs.owner("one")) == ("me", "you")
    assert store.leases(Leased.STUDY).owner("one") == "me"
    jobs.release("one", "you")
    assert (store.studies.lease_owner("one"), jobs.owner("one")) == ("me", None)


def test_a_lease_of_nothing_and_for_no_time(store: Store) -> None:
    jobs = store.leases(Leased.JOB)
    for call in (lambda: jobs.take("none", "me", 1), lambda: jobs.owner("none")):
        with pytest.raises(NotFoundError, match="No job is named 'none'"):
            call()
    with pytest.raises(InputError, match="must be more than 0"):
        jobs.take("none", "me", 0)
