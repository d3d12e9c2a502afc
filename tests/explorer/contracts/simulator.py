"""What every `Simulator` must hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from explorer import registry
from explorer.contracts.options import options_of
from explorer.contracts.simulator import Roles, Simulator
from graphdb.errors import InputError


class SimulatorContract:
    """Subclass and supply the fixtures `simulator` and `architectures`; override `given` where defaults do not do.

    Attributes:
        later: options that came after measurements were stored: left out at their defaults, so that keys stay.
    """

    later: frozenset[str] = frozenset()

    @pytest.fixture
    def simulator(self) -> Simulator:
        raise NotImplementedError

    @pytest.fixture
    def architectures(self) -> Roles:
        """Architectures that can be simulated together."""
        raise NotImplementedError

    @pytest.fixture
    def given(self) -> Mapping[str, Any]:
        """Settings of a quick run."""
        return {}

    def test_it_is_found_by_its_name(self, simulator: Simulator) -> None:
        assert type(registry.simulator(simulator.name)) is type(simulator)
        assert registry.simulator_entry(simulator.name).options is simulator.options
        assert simulator.version

    def test_its_roles_are_played_by_spaces_that_exist(self, simulator: Simulator) -> None:
        assert simulator.roles
        for role in simulator.roles.values():
            assert set(role.spaces) <= set(registry.spaces(role.domain))

    def test_every_measure_is_declared_under_its_own_name(self, simulator: Simulator) -> None:
        for name, measure in simulator.measures.items():
            assert measure.name == name
            assert measure.label
            assert bool(measure.part) <= bool(measure.group)

    def test_every_option_is_explained(self, simulator: Simulator) -> None:
        assert all(option.help for option in options_of(simulator.options))

    def test_settings_are_complete_plain_json_and_read_again(
        self, simulator: Simulator, given: Mapping[str, Any]
    ) -> None:
        full = simulator.settings(given)
        assert json.loads(json.dumps(full)) == full
        assert simulator.settings(full) == full
        assert {option.name for option in options_of(simulator.options)} - self.later <= full.keys()

    def test_an_unknown_setting_is_refused_by_its_name(self, simulator: Simulator, given: Mapping[str, Any]) -> None:
        with pytest.raises(InputError, match=r"no_such_setting.*allowed: .*\.$"):
            simulator.settings({**given, "no_such_setting": 1})

    def test_a_run_repeats_and_its_key_is_known_before(
        self, simulator: Simulator, architectures: Roles, given: Mapping[str, Any]
    ) -> None:
        first, again = (simulator.run(architectures, given) for _ in range(2))
        assert first == again
        pending = simulator.pending(architectures, given)
        assert pending.key == first.key
        assert not pending.measures
        keys = {role: one.key for role, one in architectures.items()}
        assert simulator.measurement_key(keys, simulator.settings(given)) == first.key

    def test_what_is_measured_is_declared_and_finite(
        self, simulator: Simulator, architectures: Roles, given: Mapping[str, Any]
    ) -> None:
        measurement = simulator.run(architectures, given)
        assert measurement.measures
        assert measurement.measures.keys() <= simulator.measures.keys()
        assert all(math.isfinite(value) for value in measurement.measures.values())
        assert measurement.predicted <= measurement.measures.keys()

    def test_a_batch_measures_as_single_runs_do(
        self, simulator: Simulator, architectures: Roles, given: Mapping[str, Any]
    ) -> None:
        assert simulator.run_batch([architectures] * 2, given) == [simulator.run(architectures, given)] * 2
        assert simulator.chunk(simulator.settings(given)) >= 1

    def test_wrong_roles_are_refused(
        self, simulator: Simulator, architectures: Roles, given: Mapping[str, Any]
    ) -> None:
        role, one = next(iter(architectures.items()))
        without = {name: other for name, other in architectures.items() if name != role}
        foreign = {**architectures, role: replace(one, domain="nowhere")}
        for wrong in (without, foreign, {**architectures, "stranger": one}):
            with pytest.raises(InputError, match=f"given to {simulator.name} are .*; allowed: .*{role}"):
                simulator.run(wrong, given)
