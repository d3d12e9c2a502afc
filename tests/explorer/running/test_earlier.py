"""A study keeps which measurements were there before it, and reads the same ones whatever is measured later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explorer import registry
from explorer.running.earlier import keep_earlier, kept_earlier
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.records import NewTrial, StudyRecord
from graphdb.store import Store
from graphdb.store.rows import CorruptError
from tests.fault import toy


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    registry.refresh()


def measured(x: int, task: str, loss: float = 1.0, simulator: str = "toy", version: str = "1") -> Measurement:
    roles = {"model": toy.architecture(x).key, "accelerator": toy.architecture(0).key}
    return Measurement(simulator, version, roles, {"task": task, "note": 'a "task"'}, {"loss": loss})


@pytest.fixture
def stored(store: Store) -> Store:
    store.architectures.add([toy.architecture(x) for x in range(10)])
    store.measurements.add([measured(x, "a", x) for x in range(4)])
    store.measurements.add([measured(4, "b"), measured(5, "a", simulator="other"), measured(6, "a", version="2")])
    return store


def kept(store: Store, key: str) -> set[int]:
    return {roles["model"].choices["x"] for roles, _ in kept_earlier(store, key)}


SETTINGS = {"task": "a", "note": 'a "task"'}


def test_the_same_simulator_version_and_settings_count(stored: Store) -> None:
    key = keep_earlier(stored, "toy", SETTINGS)
    assert kept(stored, key) == {0, 1, 2, 3}
    assert {one.measures["loss"] for _, one in kept_earlier(stored, key)} == {0, 1, 2, 3}
    assert kept(stored, keep_earlier(stored, "toy", SETTINGS, varying=["task"])) == {0, 1, 2, 3, 4}
    assert kept(stored, keep_earlier(stored, "toy", {"note": 'a "task"'}, varying=["task"])) == {0, 1, 2, 3, 4}
    assert kept(stored, keep_earlier(stored, "toy", {"task": "a"})) == set()  # one setting fewer is another run
    assert kept(stored, keep_earlier(stored, "toy", {"task": "a", "note": "task"})) == set()


def test_designs_of_other_spaces_can_be_left_out(stored: Store) -> None:
    assert kept(stored, keep_earlier(stored, "toy", SETTINGS, spaces={"model": ["toy", "more"]})) == {0, 1, 2, 3}
    assert kept(stored, keep_earlier(stored, "toy", SETTINGS, spaces={"model": ["elsewhere"]})) == set()


def test_what_is_measured_later_changes_nothing(stored: Store) -> None:
    key = keep_earlier(stored, "toy", SETTINGS)
    stored.measurements.add([measured(7, "a")])
    assert kept(stored, key) == {0, 1, 2, 3}
    assert keep_earlier(stored, "toy", SETTINGS) != key


def test_what_is_not_finished_is_not_there(stored: Store) -> None:
    stored.studies.create(StudyRecord("asking", "toy", 0, 4, {}))
    pending = Measurement("toy", "1", measured(8, "a").roles, SETTINGS, {})
    stored.studies.ask("asking", [NewTrial(0, pending, "random")])
    assert kept(stored, keep_earlier(stored, "toy", SETTINGS)) == {0, 1, 2, 3}


def test_trials_come_before_samples_if_there_are_too_many(stored: Store) -> None:
    stored.studies.create(StudyRecord("searched", "toy", 0, 4, {}))
    stored.studies.ask("searched", [NewTrial(0, measured(2, "a"), "random"), NewTrial(1, measured(3, "a"), "random")])
    assert kept(stored, keep_earlier(stored, "toy", SETTINGS, most=2)) == {2, 3}
    assert len(kept(stored, keep_earlier(stored, "toy", SETTINGS, most=3))) == 3


def test_an_unknown_simulator_and_another_table_are_refused(stored: Store) -> None:
    with pytest.raises(InputError, match="no_such"):
        keep_earlier(stored, "no_such", {})
    with pytest.raises(CorruptError, match="no keys of measurements"):
        kept_earlier(stored, stored.tables.save("something else", b"\xff"))
