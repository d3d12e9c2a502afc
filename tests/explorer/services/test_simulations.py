"""Single simulations are stored with their architectures; those that are refused leave nothing."""

from __future__ import annotations

import pytest

from explorer import registry
from explorer.contracts.simulator import Roles
from explorer.services.simulations import simulate
from graphdb.errors import InputError
from graphdb.store import Store

INFERENCE = {"task": "inference", "engine": "fast", "mode": "reference"}


def pair(model: str, accelerator: str) -> Roles:
    return {"model": registry.preset(model), "accelerator": registry.preset(accelerator)}


def test_a_simulation_is_stored_once_with_its_architectures(store: Store) -> None:
    first = simulate(store, "acceltran", pair("bert-tiny", "edge"), INFERENCE)
    assert simulate(store, "acceltran", pair("bert-tiny", "edge"), INFERENCE) == first
    assert store.measurements.get(first.key) == first
    assert first.measures["cycles"] == 167596
    assert sum(store.architectures.counts().values()) == 2


def test_a_simulation_that_is_refused_stores_nothing(store: Store) -> None:
    with pytest.raises(InputError, match="MiB"):
        simulate(store, "acceltran", pair("bert-base", "edge"), INFERENCE)
    with pytest.raises(InputError, match=r"chess.*acceltran"):
        simulate(store, "chess", pair("bert-tiny", "edge"), INFERENCE)
    assert store.architectures.counts() == {}
