"""Asking and telling: each once, whatever is repeated and whoever else is at it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from graphdb.errors import ConflictError, InputError, NotFoundError
from graphdb.records import NewTrial, StudyRecord, StudyState, SurrogateRecord, TrialState
from graphdb.store import Store
from graphdb.store.rows import CorruptError
from tests.graphdb.designs import design, pending, taken

STUDY = StudyRecord("first", "transcode", 1, 10, {"alpha": 0.5})


@pytest.fixture
def studied(store: Store) -> Store:
    """A store with one study and a few designs."""
    store.architectures.add([design(i) for i in range(20)])
    store.studies.create(STUDY)
    return store


def test_a_study_is_kept_changed_and_deleted(studied: Store) -> None:
    found = studied.studies.get("first")
    assert found == replace(STUDY, created=found.created)
    assert found.created
    with pytest.raises(ConflictError):
        studied.studies.create(STUDY)
    studied.studies.create(replace(STUDY, name="second"))
    assert [study.name for study in studied.studies.list()] == ["second", "first"]
    studied.studies.set_state("first", StudyState.FAILED, "no room")
    studied.studies.set_budget("first", 99)
    changed = studied.studies.get("first")
    assert (changed.state, changed.message, changed.budget) == (StudyState.FAILED, "no room", 99)
    studied.studies.ask("first", [NewTrial(0, pending(design(0)), "initial")])
    studied.studies.delete("first")
    assert pending(design(0)).key in studied.measurements.get_many([pending(design(0)).key])
    for call in (
        lambda: studied.studies.get("first"),
        lambda: studied.studies.delete("first"),
        lambda: studied.studies.trials("first"),
        lambda: studied.studies.counts("first"),
        lambda: studied.studies.set_budget("first", 1),
        lambda: studied.studies.lease("first", "me", 1),
        lambda: studied.studies.ask("first", []),
        lambda: studied.studies.tell("first", 0, taken(design(0), 1.0)),
    ):
        with pytest.raises(NotFoundError, match="first"):
            call()


def test_a_study_keeps_what_it_began_with_and_takes_its_tables_along(studied: Store) -> None:
    studied.studies.create(replace(STUDY, name="second"))
    shared, own = studied.tables.save("values", b"1 2 3"), studied.tables.save("values", b"4")
    assert shared == studied.tables.save("the same values", b"1 2 3")
    studied.surrogates.save(SurrogateRecord("s", "latency_s", {}, b"old"))
    studied.studies.begin_with("first", {"table": shared, "own": own, "surrogate": "s"})
    studied.studies.begin_with("second", {"table": shared})
    assert studied.studies.get("first").basis == {"own": own, "surrogate": "s", "table": shared}
    assert {one.name: len(one.basis) for one in studied.studies.list()} == {"first": 3, "second": 1}

    studied.surrogates.save(SurrogateRecord("s", "latency_s", {}, b"new"))
    assert studied.surrogates.get("s").weights == b"old"  # a study rests on it
    studied.studies.delete("first")
    studied.surrogates.save(SurrogateRecord("s", "latency_s", {}, b"new"))
    assert studied.surrogates.get("s").weights == b"new"
    assert studied.tables.get(shared) == b"1 2 3"
    with pytest.raises(NotFoundError, match=own):
        studied.tables.get(own)
    studied.studies.delete("second")
    with pytest.raises(NotFoundError, match=shared):
        studied.tables.get(shared)


def test_a_basis_that_is_not_stored_is_refused_whole(studied: Store) -> None:
    table = studied.tables.save("values", b"1")
    with pytest.raises(NotFoundError, match="not stored"):
        studied.studies.begin_with("first", {"table": table, "other": "x"})
    assert studied.studies.get("first").basis == {}


def test_a_damaged_table_is_refused(studied: Store) -> None:
    key = studied.tables.save("values", b"1")
    studied._database.write("MATCH (t:Table {key: $key}) SET t.content = $content", key=key, content=b"2")
    with pytest.raises(CorruptError, match="damaged"):
        studied.tables.get(key)


def test_a_study_that_is_held_is_not_deleted(studied: Store) -> None:
    assert studied.studies.lease("first", "elsewhere:1", 60)
    assert studied.studies.get("first").runner == "elsewhere:1"
    with pytest.raises(ConflictError, match="elsewhere:1; stop it first"):
        studied.studies.delete("first")
    studied.studies.release("first", "elsewhere:1")
    studied.studies.delete("first")


def test_a_study_is_asked_to_stop_until_it_begins_again(studied: Store) -> None:
    assert not studied.studies.get("first").stopping
    studied.studies.ask_to_stop("first")
    studied.studies.set_state("first", StudyState.STOPPED, "asked to")
    assert (studied.studies.get("first").stopping, studied.studies.get("first").message) == (True, "asked to")
    studied.studies.begin("first")
    begun = studied.studies.get("first")
    assert (begun.state, begun.stopping, begun.message) == (StudyState.RUNNING, False, "")


def test_ask_and_tell_can_be_repeated(studied: Store) -> None:
    trials = [NewTrial(i, pending(design(i)), "initial") for i in range(3)]
    for _ in range(2):
        studied.studies.ask("first", trials)
    assert studied.studies.counts("first") == {TrialState.PENDING: 3, TrialState.DONE: 0, TrialState.FAILED: 0}
    assert studied.studies.tell("first", 1, taken(design(1), 2.0))
    assert not studied.studies.tell("first", 1, taken(design(1), 3.0))
    assert studied.studies.fail("first", 2, "diverged")
    assert not studied.studies.fail("first", 2, "again")
    assert not studied.studies.tell("first", 2, taken(design(2), 1.0))
    before = studied.query_counter
    found = studied.studies.trials("first")
    assert studied.query_counter - before == 1
    assert [(t.index, t.state, t.message, t.origin) for t in found] == [
        (0, TrialState.PENDING, "", "initial"),
        (1, TrialState.DONE, "", "initial"),
        (2, TrialState.FAILED, "diverged", "initial"),
    ]
    assert found[0].measurement == pending(design(0))
    assert found[1].measurement == taken(design(1), 2.0)


def test_what_was_expected_of_a_trial_is_kept(studied: Store) -> None:
    asked = [
        NewTrial(0, pending(design(0)), "initial", told=0),
        NewTrial(1, pending(design(1)), "optimise", told=1, expected=(0.5, 2.0)),
        NewTrial(2, pending(design(2)), "optimise"),
    ]
    studied.studies.ask("first", asked, expectation=0.25)
    assert [(one.told, one.expected) for one in studied.studies.trials("first")] == [
        (0, None),
        (1, (0.5, 2.0)),
        (None, None),
    ]
    assert studied.studies.get("first").expectation == 0.25
    studied.studies.ask("first", [NewTrial(3, pending(design(3)), "random", told=3)])
    assert studied.studies.get("first").expectation is None


def test_a_study_may_end_when_it_has_converged(studied: Store) -> None:
    assert not studied.studies.get("first").until_converged
    studied.studies.set_until_converged("first", True)
    assert studied.studies.get("first").until_converged


def test_contradictions_are_refused(studied: Store) -> None:
    studied.studies.ask("first", [NewTrial(0, pending(design(0)), "initial")])
    with pytest.raises(ConflictError, match="Trial 0"):
        studied.studies.ask("first", [NewTrial(1, pending(design(1)), "x"), NewTrial(0, pending(design(2)), "x")])
    assert len(studied.studies.trials("first")) == 1
    with pytest.raises(ConflictError, match="Trial 0"):
        studied.studies.tell("first", 0, taken(design(1), 1.0))
    with pytest.raises(NotFoundError, match="trial 7"):
        studied.studies.tell("first", 7, taken(design(1), 1.0))
    with pytest.raises(NotFoundError):
        studied.studies.ask("first", [NewTrial(1, pending(design(99)), "initial")])
    with pytest.raises(InputError):
        studied.studies.ask("first", [NewTrial(1, pending(design(1)), "x"), NewTrial(1, pending(design(2)), "x")])


def test_a_finished_measurement_is_not_taken_again(studied: Store) -> None:
    studied.studies.ask("first", [NewTrial(0, pending(design(0)), "initial")])
    studied.studies.tell("first", 0, taken(design(0), 4.0))
    studied.studies.create(replace(STUDY, name="second"))
    studied.studies.ask("second", [NewTrial(5, pending(design(0)), "optimise")])
    (trial,) = studied.studies.trials("second")
    assert (trial.state, trial.measurement.measures) == (TrialState.DONE, {"latency_s": 4.0})


def test_of_racing_tellers_one_wins(studied: Store) -> None:
    for index in range(10):
        studied.studies.ask("first", [NewTrial(index, pending(design(index)), "initial")])
        with ThreadPoolExecutor(2) as pool:
            told = list(
                pool.map(lambda value, i=index: studied.studies.tell("first", i, taken(design(i), value)), (1.0, 2.0))
            )
        assert sorted(told) == [False, True]
        kept = studied.studies.trials("first")[index].measurement.measures["latency_s"]
        assert kept == (1.0, 2.0)[told.index(True)]


def test_racing_askers_share_one_measurement(studied: Store) -> None:
    studied.studies.create(replace(STUDY, name="second"))
    trials = [NewTrial(i, pending(design(i)), "initial") for i in range(10)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: studied.studies.ask(name, trials), ["first", "second"] * 2))
    assert studied._database.read("MATCH (m:Measurement) RETURN count(m)") == [[10]]
    assert studied._database.read("MATCH (:Measurement)-[o:OF]->() RETURN count(o)") == [[10]]
    assert studied.studies.counts("first")[TrialState.PENDING] == 10


def test_one_owner_at_a_time_until_the_lease_lapses(studied: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        taken_by = list(pool.map(lambda owner: studied.studies.lease("first", owner, 30), "abcd"))
    assert taken_by.count(True) == 1
    owner = "abcd"[taken_by.index(True)]
    studied.studies.release("first", "somebody else")
    assert not studied.studies.lease("first", "next", 1)
    assert studied.studies.lease("first", owner, 0.2)
    time.sleep(0.25)
    assert studied.studies.lease("first", "next", 30)
    studied.studies.release("first", "next")
    assert studied.studies.lease("first", owner, 1)
    with pytest.raises(InputError):
        studied.studies.lease("first", owner, 0)


def test_the_newest_study_is_first_whatever_its_fraction_of_a_second_looks_like(store: Store) -> None:
    """Neo4j writes no zeros at the end: .12Z is later than .119Z, and earlier than .121Z."""
    for name in ("a", "b", "c"):
        store.studies.create(replace(STUDY, name=name))
    for name, created in (("a", "12:00:00.12Z"), ("b", "12:00:00.121Z"), ("c", "12:00:00.119Z")):
        store._database.write(
            "MATCH (s:Study {name: $name}) SET s.created = $created", name=name, created=f"2026-01-01T{created}"
        )
    assert [study.name for study in store.studies.list()] == ["b", "a", "c"]
