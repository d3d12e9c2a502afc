"""What every `Domain` must hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

from explorer import registry
from explorer.contracts.domain import Domain
from explorer.contracts.learning_task import LearningTask
from explorer.contracts.measure import Measure
from explorer.contracts.metric import Metric
from explorer.contracts.simulator import Simulator
from explorer.contracts.skill import Skill
from explorer.contracts.space import DesignSpace
from explorer.contracts.verb import resolved

HEAVY = ("numpy", "torch", "neo4j", "pandas", "matplotlib", "networkx", "yaml", "typer", "rich", "graphene")


class DomainContract:
    """Subclass and supply the fixture `domain`, which must be registered; `module` is where its `DOMAIN` stands."""

    module: str

    @pytest.fixture
    def domain(self) -> Domain:
        raise NotImplementedError

    def test_it_is_registered_with_all_its_names(self, domain: Domain) -> None:
        assert registry.domain(domain.name) is domain
        assert registry.spaces(domain.name) == tuple(domain.spaces)
        assert registry.presets(domain.name) == domain.presets
        assert {one.name for one in domain.simulators} <= set(registry.simulators())
        assert set(domain.verbs) <= set(registry.verbs())

    def test_its_module_is_light(self) -> None:
        program = f"import sys, {self.module}; print(sorted({set(HEAVY)!r} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_its_spaces_bear_its_name(self, domain: Domain) -> None:
        for name in domain.spaces:
            space = registry.space(name)
            assert isinstance(space, DesignSpace)
            assert (space.name, space.domain) == (name, domain.name)

    def test_its_presets_are_legal(self, domain: Domain) -> None:
        for name in domain.presets:
            preset = registry.preset(name)
            assert preset.domain == domain.name
            assert registry.space(preset.space).build(preset.choices) == preset

    def test_its_simulators_are_as_announced(self, domain: Domain) -> None:
        for entry in domain.simulators:
            simulator = registry.simulator(entry.name)
            assert isinstance(simulator, Simulator)
            assert simulator.name == entry.name
            assert simulator.options is entry.options
            assert simulator.settings(entry.swift)
            assert entry.help.endswith(".")

    def test_its_measures_are_declared(self, domain: Domain) -> None:
        known = registry.measures()
        assert all(isinstance(measure, Measure) and measure.name == name for name, measure in known.items())
        assert set(domain.headline) <= known.keys()
        for entry in domain.simulators:
            for name, measure in registry.simulator(entry.name).measures.items():
                assert known[name].unit == measure.unit
                assert known[name].direction == measure.direction

    def test_its_measures_mean_what_they_mean_elsewhere(self, domain: Domain) -> None:
        known = registry.measures()
        declared = resolved(domain.measures) if domain.measures else {}
        for name, measure in declared.items():
            assert (known[name].unit, known[name].direction) == (measure.unit, measure.direction)

    def test_what_it_publishes_is_its_own_and_complete(self, domain: Domain) -> None:
        part = registry.published(domain.published)
        keys = {one.key for one in part.architectures}
        assert {key for one in part.measurements for key in one.roles.values()} <= keys
        assert {name for one in part.measurements for name in one.measures} <= registry.measures().keys()

    def test_what_it_learns_is_embedded_by_a_role(self, domain: Domain) -> None:
        tasks = [task for task in registry.learning_tasks() if domain.name in task.embeds]
        assert all(isinstance(task, LearningTask) and task.embeds[domain.name] in task.roles for task in tasks)
        names = [task.name for task in registry.learning_tasks()]
        assert len(set(names)) == len(names)

    def test_its_edit_distance_is_learnt_from_its_own_spaces(self, domain: Domain) -> None:
        metric = registry.metric(domain.name)
        assert metric is None or (isinstance(metric, Metric) and set(metric.spaces) <= set(domain.spaces))

    def test_its_skills_are_of_its_own_spaces(self, domain: Domain) -> None:
        assert all(isinstance(skill, Skill) for skill in registry.skills())

    def test_overrides_and_readers_can_be_loaded(self, domain: Domain) -> None:
        overrides = registry.overrides(domain.name)
        assert overrides is None or len(set(overrides.names)) == len(overrides.names)
        assert all(reader.what for reader in (*registry.readers(domain.name), *registry.space_readers()))
