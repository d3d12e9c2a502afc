"""A verb's session: the database is opened when it is needed, and what is stored is stored when a call returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from explorer import registry
from explorer.contracts.session import Descent, Progress
from explorer.services.session import DatabaseSession
from graphdb.measurement import Measurement
from graphdb.settings import Settings
from graphdb.store import Store


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch, store: Store) -> list[str]:
    """Openings and closings of the database, in order; the store is that of the test run."""
    events: list[str] = []

    @contextmanager
    def open_store(settings: Settings, starting: object = None) -> Iterator[Store]:
        events.append("open")
        yield store
        events.append("close")

    monkeypatch.setattr("graphdb.connection.open_store", open_store)
    return events


def test_the_database_is_opened_when_it_is_needed_and_let_go_of(openings: list[str]) -> None:
    tiny = registry.preset("bert-tiny")
    with DatabaseSession(Settings()) as session:
        session.report("reading")
        assert openings == []
        assert session.add([tiny]) == 1
        assert session.add([tiny]) == 0
        assert openings == ["open"]
        session.release()
        session.release()
        assert openings == ["open", "close"]
        assert session.resolve(tiny.key[:8], domain="transformer") == tiny
    assert openings == ["open", "close"] * 2


def test_what_a_verb_stores_is_there(openings: list[str], store: Store) -> None:
    tiny, mini, edge = (registry.preset(name) for name in ("bert-tiny", "bert-mini", "edge"))
    with DatabaseSession(Settings()) as session:
        taken = session.measure("acceltran", {"model": tiny, "accelerator": edge}, {"engine": "fast"})
        assert store.measurements.get(taken.key).measures == taken.measures
        session.descend([Descent(mini, tiny, "growth", {"ratio": 0.5})])
        assert [parent.key for parent in store.architectures.parents([mini.key], 9)[mini.key]] == [tiny.key]
        own = Measurement("by hand", "1", {"model": tiny.key}, {}, {"accuracy": 0.5})
        assert session.keep([own]) == 1
        assert session.keep([own]) == 0


def test_users_are_told_what_is_done() -> None:
    told: list[object] = []
    session = DatabaseSession(Settings(), told.append, told.append)
    session.report("training")
    session.advance(Progress(1, 2))
    assert told == ["training", Progress(1, 2)]
