"""Decisions as numbers, and how much of the performance they explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.optimiser import Inputs, Outcome
from explorer.contracts.recipe import Plan
from explorer.services.course import course_of
from explorer.services.decisions import EXPLAINED, LEARNT, chosen_of, decisions_of, explained
from graphdb.architecture import Architecture, Block
from graphdb.errors import InputError
from graphdb.records import NewTrial, StudyRecord
from graphdb.store import Store
from tests.fault import toy


def architecture(**choices: Any) -> Architecture:
    return Architecture.of("points", "toy", choices, [Block("point", choices)], [])


def test_decisions_have_numbers_and_the_texts_behind_them() -> None:
    designs = [
        {"model": architecture(width=8, kind="wide", deep=True)},
        {"model": architecture(width=4, kind="narrow", deep=False)},
        {"model": architecture(width=4, kind="wide", scale=0.5)},
    ]
    made = {one.name: one for one in chosen_of(designs)}
    assert list(made) == ["model.deep", "model.kind", "model.width", "model.scale"]
    assert made["model.width"].values.tolist() == [8, 4, 4] and not made["model.width"].labels
    assert [made["model.kind"].labels[value] for value in made["model.kind"].values] == ["wide", "narrow", "wide"]
    assert np.isnan(made["model.deep"].values[2]) and made["model.deep"].labels == {0.0: "False", 1.0: "True"}
    assert made["model.scale"].continuous


def test_a_decision_explains_what_its_groups_differ_by() -> None:
    generator = np.random.default_rng(0)
    decides, idle = generator.integers(3, size=90).astype(float), generator.integers(3, size=90).astype(float)
    performance = (decides - 1) ** 2 + 0.01 * generator.normal(size=90)  # neither rises nor falls
    alone = explained(decides, performance)
    assert alone > 0.6
    assert explained(idle, performance) < 0.05
    assert explained(np.where(decides == 1, np.nan, decides), performance) == pytest.approx(alone)
    outlier = np.where(np.arange(90) == int(np.flatnonzero(idle == 2)[0]), -1000.0, performance)
    assert explained(idle, outlier) < 0.1
    assert explained(np.arange(90.0), generator.normal(size=90)) < 0.2  # distinct values would explain everything
    assert explained(np.linspace(0, 1, 90), np.linspace(0, 1, 90) ** 2, continuous=True) > 0.95
    assert explained(decides, np.ones(90)) == explained(np.ones(90), performance) == 0.0
    assert explained(np.full(3, np.nan), np.arange(3.0)) == 0.0


@pytest.fixture
def study(store: Store) -> Iterator[StudyRecord]:
    """A study in which only the first coordinate matters."""
    toy.register()
    record = StudyRecord("mine", "toy", 0, 30, toy.RECIPE.settings({}, 30))
    store.studies.create(record)
    simulator = toy.ToySimulator()
    for index in range(30):
        x, y = (index * 7) % 5 + 6, 29 + index % 2
        roles = {"model": toy.architecture(x), "accelerator": toy.architecture(y)}
        store.architectures.add(roles.values())
        pending = simulator.pending(roles, {"task": "a"})
        store.studies.ask("mine", [NewTrial(index, pending, "random")])
        store.studies.tell("mine", index, replace(pending, measures=simulator.measured(roles, {"task": "a"})))
    yield record
    registry.refresh()


def test_the_decision_that_matters_comes_first(store: Store, study: StudyRecord) -> None:
    trials = store.studies.trials("mine")
    made = decisions_of(store, toy.RECIPE, study, trials, course_of(toy.RECIPE, study, trials))
    assert made.measure == EXPLAINED
    first, second = made.decisions
    assert first.values.tolist() == [(index * 7) % 5 + 6 for index in range(30)]
    assert list(made.importance) == [first.name, second.name]
    assert made.importance[first.name] > 0.9 > 0.1 > made.importance[second.name]


class Learning(toy.HillClimb):
    """Says what it learnt from, and that the second role matters."""

    told: Sequence[float] = ()

    def tell(self, design: Inputs, outcome: Outcome) -> None:
        super().tell(design, outcome)
        type(self).told = [*type(self).told, outcome.values[0]]

    def relevance(self) -> list[tuple[str, float]]:
        return [("0.0", 0.2), ("1.0", 0.8)]


def test_what_the_surrogate_learnt_is_asked_first(
    store: Store, study: StudyRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = toy.ToyRecipe.prepare

    def prepare(self: toy.ToyRecipe, *given: Any) -> Plan[Inputs]:
        return replace(plans(self, *given), optimiser=Learning(toy.ToyCandidates(), 0))

    monkeypatch.setattr(toy.ToyRecipe, "prepare", prepare)
    trials = store.studies.trials("mine")
    steps = course_of(toy.RECIPE, study, trials)
    made = decisions_of(store, toy.RECIPE, study, trials, steps)
    assert (made.measure, dict(made.importance)) == (LEARNT, {"1.0": 0.8, "0.0": 0.2})
    assert [one.name for one in made.decisions] == ["1.0", "0.0"]
    assert list(Learning.told) == [step.performance for step in steps]

    def broken(self: toy.ToyRecipe, *given: Any) -> Plan[Inputs]:
        raise InputError("The space has changed.")

    monkeypatch.setattr(toy.ToyRecipe, "prepare", broken)
    made = decisions_of(store, toy.RECIPE, study, trials, steps)
    assert (made.measure, [one.name for one in made.decisions]) == (EXPLAINED, ["model.x", "accelerator.x"])
