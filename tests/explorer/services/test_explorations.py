"""Explorations of any space: what can measure it, what is drawn, and the front."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.session import Sweep
from explorer.services.explorations import Sample, draw_designs, explorable, explore, front_measures, role_of
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.store import Store


def sweep_of(*measures: Mapping[str, float]) -> Sweep:
    taken = [Measurement("acceltran", "2", {"model": "0" * 64}, {"n": n}, found) for n, found in enumerate(measures)]
    return Sweep(dict(enumerate(taken)), {}, 0)


def test_finite_spaces_that_a_simulator_measures_can_be_explored() -> None:
    known = explorable()
    assert "elector" in known and "flexibert2" in known
    assert not {"acceltran_free", "transformer_free"} & known.keys()
    assert known["elector"][0] == known["flexibert2"][0] == "acceltran"
    assert known["nasbench201"] == known["nasbench_macro"] == ("nasbench",)
    assert role_of("acceltran", registry.space("elector")) == "accelerator"
    assert role_of("acceltran", registry.space("flexibert2")) == "model"


def test_more_samples_of_one_seed_only_add_some() -> None:
    space = registry.space("elector")
    few, more = draw_designs(space, 5, 3), draw_designs(space, 9, 3)
    assert more[:5] == few
    assert len({design.key for design in more}) == 9
    assert draw_designs(space, 5, 4) != few
    with pytest.raises(InputError, match=r"--samples is 0; allowed: 1 to 1000000, as the space holds 14850000"):
        draw_designs(space, 0, 3)
    with pytest.raises(InputError, match="seed is -1"):
        draw_designs(space, 5, -1)


def test_the_front_is_over_what_every_measurement_has() -> None:
    whole = {"area_mm2": 1.0, "energy_j": 2.0, "latency_s": 3.0, "cycles": 4.0}
    minimised = Direction.MINIMISE
    assert front_measures("acceltran", sweep_of(whole)) == dict.fromkeys(
        ("area_mm2", "energy_j", "latency_s"), minimised
    )
    less = {name: value for name, value in whole.items() if name != "energy_j"}
    assert list(front_measures("acceltran", sweep_of(whole, less))) == ["area_mm2", "latency_s"]
    assert list(front_measures("acceltran", sweep_of())) == ["area_mm2", "energy_j", "latency_s"]


def test_models_are_explored_like_accelerators(store: Store) -> None:
    designs = draw_designs(registry.space("flexibert2"), 12, 0)
    settings = registry.simulator("acceltran").settings({"engine": "fast"})
    sample = Sample("acceltran", "model", designs, {"accelerator": registry.preset("server")}, settings)
    with ThreadPoolExecutor(2) as executor:
        exploration = explore(store, executor, sample)
    measurements = exploration.sweep.measurements
    assert len(measurements) + len(exploration.sweep.refused) == 12
    areas = [measurements[at].measures["area_mm2"] for at in exploration.front]
    assert areas == sorted(areas)
    fastest = min(measurements, key=lambda at: measurements[at].measures["latency_s"])
    assert fastest in exploration.front
