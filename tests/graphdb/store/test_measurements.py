"""Measurements are taken once and found by design, measure and simulator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graphdb.errors import ExplorerError, InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.store import Store
from tests.graphdb.designs import design, taken


def test_a_measurement_comes_back_equal_and_is_stored_once(store: Store) -> None:
    model, machine = design(1), design(2, domain="accelerator")
    store.architectures.add([model, machine])
    full = Measurement(
        "clock", "2", {"model": model.key, "accelerator": machine.key}, {"a": [1, {"b": None}]}, {"latency_s": 1e-9},
        seed=-5, predicted=frozenset({"latency_s"}),
    )  # fmt: skip
    assert store.measurements.add([full, full]) == 1
    assert store.measurements.add([full]) == 0
    assert store.measurements.get(full.key) == full
    assert store.measurements.of([model.key, machine.key, "0" * 64]) == {
        model.key: [full],
        machine.key: [full],
        "0" * 64: [],
    }


def test_the_first_result_of_a_key_stands(store: Store) -> None:
    store.architectures.add([design(1)])
    store.measurements.add([taken(design(1), 1.0)])
    assert store.measurements.add([taken(design(1), 2.0)]) == 0
    assert store.measurements.get(taken(design(1), 0).key).measures == {"latency_s": 1.0}


def test_unknown_designs_and_numbers_are_refused(store: Store) -> None:
    store.architectures.add([design(1)])
    with pytest.raises(NotFoundError, match=design(2).key):
        store.measurements.add([taken(design(1), 1.0), taken(design(2), 1.0)])
    for value in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="latency_s"):
            store.measurements.add([taken(design(1), value)])
    with pytest.raises(InputError):
        store.measurements.add([replace(taken(design(1), 1.0), measures={"a-b": 1.0})])
    with pytest.raises(NotFoundError):
        store.measurements.get(taken(design(1), 1.0).key)


def test_what_a_surrogate_learns_from(store: Store) -> None:
    models, other = [design(i) for i in range(3)], design(9, domain="cnn", space="cells")
    store.architectures.add([*models, other])
    found = [taken(model, 1.0 + i, seed=i) for i, model in enumerate(models)]
    elsewhere = [taken(other, 3.0), replace(taken(models[0], 0.0), simulator="scale", measures={"mass_kg": 2.0})]
    store.measurements.add([*found, *elsewhere])
    assert {m.key for m in store.measurements.with_measure("latency_s", space="toy")} == {m.key for m in found}
    assert store.measurements.with_measure("latency_s", domain="cnn") == [elsewhere[0]]
    assert store.measurements.with_measure("mass_kg", simulator="scale") == [elsewhere[1]]
    assert store.measurements.with_measure("mass_kg", simulator="clock") == []


@pytest.mark.parametrize("damage", ["SET m.settings = '['", "REMOVE m.roles", "SET m.version = 'x'"])
def test_damage_is_reported_with_the_key(store: Store, damage: str) -> None:
    store.architectures.add([design(1)])
    measurement = taken(design(1), 1.0)
    store.measurements.add([measurement])
    store._database.write("MATCH (m:Measurement) " + damage)  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match=measurement.key):
        store.measurements.get(measurement.key)
