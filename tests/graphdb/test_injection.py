"""Cypher in a text argument stays text: a canary node survives, and no other node appears."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from graphdb.architecture import Architecture, Block
from graphdb.errors import ExplorerError
from graphdb.measurement import Measurement
from graphdb.records import ArchitectureFilter, NewTrial, Range, StudyRecord, SurrogateRecord
from graphdb.store import Leased, Store
from tests.graphdb.designs import design, pending, taken

PAYLOADS = [
    "' OR 1=1 DETACH DELETE n //",
    '"}) MATCH (n) DETACH DELETE n //',
    "`) DETACH DELETE n //",
    "\\u0060}) MATCH (n) DETACH DELETE n //",
    "x` SET n.hit = true //",
    "'; MATCH (n) DETACH DELETE n; //",
    "$name",
    "a\tb\nc\rd",
    "/* */ UNION MATCH (n) DETACH DELETE n",
    "') CALL { MATCH (n) DETACH DELETE n } //",
    "name} ) DETACH DELETE a //",
    "\U0001d54f\u202e\u0000",
]

KEY = design(0).key
ACTIONS: dict[str, Callable[[Store, str], object]] = {
    "domain": lambda s, x: s.architectures.add([Architecture.of(x, "toy", {}, [], [])]),
    "block attribute": lambda s, x: s.architectures.add([Architecture.of("cnn", "t", {}, [Block("k", {x: 1})], [])]),
    "get": lambda s, x: s.architectures.get(x),
    "get_many": lambda s, x: s.architectures.get_many([x]),
    "find": lambda s, x: s.architectures.find(ArchitectureFilter(domain=x, space=x, block_kind=x), after=x),
    "filter by choice": lambda s, x: s.architectures.keys(ArchitectureFilter(choices={x: x})),
    "filter by choice value": lambda s, x: s.architectures.keys(ArchitectureFilter(choices={"name": x})),
    "filter by choice range": lambda s, x: s.architectures.keys(ArchitectureFilter(choice_ranges=(Range(x, 0, 1),))),
    "filter by measure": lambda s, x: s.architectures.keys(ArchitectureFilter(measure_ranges=(Range(x, 0, 1),))),
    "resolve": lambda s, x: s.architectures.resolve(x),
    "parents": lambda s, x: s.architectures.parents([x], 1),
    "children": lambda s, x: s.architectures.children([x], 1),
    "derived": lambda s, x: s.architectures.add_derived(x, x, x, {x: x}),
    "measurement": lambda s, x: s.measurements.add([Measurement(x, x, {x: x}, {x: x}, {x: 1.0})]),
    "measurements of": lambda s, x: s.measurements.of([x]),
    "with_measure": lambda s, x: s.measurements.with_measure(x, domain=x, space=x, simulator=x),
    "comparable": lambda s, x: s.measurements.comparable(x, x, {x: x}, varying=[x], spaces={x: [x]}),
    "embedding": lambda s, x: s.embeddings.write(x, {x: [1.0] * 32}),
    "similar": lambda s, x: s.embeddings.similar(x, 1),
    "distances": lambda s, x: s.distances.write(x, {x: [1.0] * 128}),
    "similar_to": lambda s, x: s.embeddings.similar_to([1.0] * 32, x, 1),
    "neighbours": lambda s, x: s.embeddings.write_neighbours([(x, x, 1.0)]),
    "surrogate": lambda s, x: s.surrogates.get(x),
    "study": lambda s, x: s.studies.get(x),
    "study state": lambda s, x: s.studies.set_state("first", "running", x),  # type: ignore[arg-type]
    "delete": lambda s, x: s.studies.delete(x),
    "begin": lambda s, x: s.studies.begin_with("first", {x: x}),
    "stop": lambda s, x: s.studies.ask_to_stop(x),
    "table": lambda s, x: s.tables.get(x),
    "trials": lambda s, x: s.studies.trials(x),
    "ask": lambda s, x: s.studies.ask(x, [NewTrial(0, pending(design(0)), x)]),
    "ask again": lambda s, x: s.studies.ask("first", [NewTrial(0, pending(design(0)), x)]),
    "tell": lambda s, x: s.studies.tell(x, 0, taken(design(0), 1.0)),
    "fail": lambda s, x: s.studies.fail(x, 0, x),
    "fail with": lambda s, x: s.studies.fail("first", 0, x),
    "index": lambda s, x: s.index_measures([x]),
    "job lease": lambda s, x: s.leases(Leased.JOB).take(x, x, 0.001),
    "label of a lease": lambda s, x: _not_a_label(s, x),
    "lease": lambda s, x: s.studies.lease("first", x, 0.001),
    "release": lambda s, x: s.studies.release(x, x),
}


def _not_a_label(store: Store, text: str) -> None:
    with pytest.raises(ValueError, match="not a valid Leased"):
        store.leases(text)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guarded(session_store: Store) -> Store:
    """A store with a canary and one of everything."""
    session_store.wipe()
    session_store._database.write("CREATE (:Canary {song: 'la'})")
    session_store.architectures.add([design(0)])
    session_store.studies.create(StudyRecord("first", "r", 0, 1, {}))
    session_store.studies.ask("first", [NewTrial(0, pending(design(0)), "initial")])
    return session_store


def _state(store: Store) -> list[list[object]]:
    return store._database.read("MATCH (n) RETURN count(n), count{(:Canary {song: 'la'})}, count(n.hit)")


@pytest.mark.parametrize("action", ACTIONS)
def test_text_stays_text(guarded: Store, action: str) -> None:
    before = _state(guarded)
    for payload in PAYLOADS:
        with contextlib.suppress(ExplorerError):
            ACTIONS[action](guarded, payload)
    assert _state(guarded) == before


def test_text_comes_back_as_it_went_in(store: Store) -> None:
    for number, payload in enumerate(PAYLOADS):
        odd = Architecture.of("cnn", payload, {payload: payload}, [Block(payload, {"note": payload})], [])
        store.architectures.add([odd])
        assert store.architectures.get(odd.key) == odd
        measured = Measurement(payload, payload, {payload: odd.key}, {payload: [payload]}, {"accuracy": 0.5})
        store.measurements.add([measured])
        assert store.measurements.get(measured.key) == measured
        store.studies.create(StudyRecord(payload, payload, number, 1, {payload: payload}))
        assert store.studies.get(payload).settings == {payload: payload}
        store.studies.ask(payload, [NewTrial(0, measured, payload)])
        assert store.studies.trials(payload)[0].origin == payload
        store.surrogates.save(SurrogateRecord(payload, payload, {payload: 1}, b""))
        assert store.surrogates.get(payload).target == payload
