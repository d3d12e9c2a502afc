"""How studies end: what they say of bad measures, of spaces without a design left, and of time and convergence."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.objective import Linear, Logarithmic, Objective, Term
from explorer.contracts.optimiser import Inputs, Proposal
from explorer.contracts.recipe import Plan
from explorer.contracts.session import Progress, Report
from explorer.contracts.simulator import Roles
from explorer.running.merits import performances
from explorer.running.study import Study
from explorer.services.closest import closest_of, unmet
from graphdb.architecture import Architecture
from graphdb.errors import ConflictError, InputError
from graphdb.records import StudyRecord, StudyState, TrialState
from graphdb.store import Store
from tests.fault import toy


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    registry.refresh()


def run(
    store: Store,
    name: str,
    recipe: toy.ToyRecipe = toy.RECIPE,
    *,
    budget: int = 12,
    time_limit_s: float | None = None,
    until_converged: bool = False,
    seen: Callable[[Progress], None] = lambda progress: None,
    **settings: object,
) -> StudyRecord:
    """Run a new study, or go on with it; its record afterwards."""
    if name not in {one.name for one in store.studies.list()}:
        full = toy.RECIPE.settings({"task": name} | settings, budget)
        store.studies.create(StudyRecord(name, "toy", 3, budget, full, until_converged=until_converged))
    with ThreadPoolExecutor(2) as executor:
        Study(store, store.studies.get(name), recipe, executor, seen, time_limit_s).run()
    return store.studies.get(name)


def measuring(monkeypatch: pytest.MonkeyPatch, measured: Callable[[int], Mapping[str, float]]) -> None:
    def run_of(self: object, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        return measured(int(architectures["model"].choices["x"]))

    monkeypatch.setattr(toy.ToySimulator, "measured", run_of)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_measure_that_is_no_number_fails_its_trial(
    store: Store, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    measuring(monkeypatch, lambda x: {"loss": value if x % 2 else float(x)})
    assert run(store, "odd").state is StudyState.DONE
    trials = store.studies.trials("odd")
    failed = [one for one in trials if one.state is TrialState.FAILED]
    assert 0 < len(failed) < len(trials) == 12
    assert {one.message for one in failed} == {f"The measure 'loss' is {value}; only finite numbers can be stored."}


def test_a_measure_that_a_run_does_not_give_fails_its_trial_and_is_told_of(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, lambda x: {"loss": float(x)} if x % 2 else {})
    record = run(store, "lacking")
    assert record.state is StudyState.DONE
    assert "of 12 measured trials have no performance and count as failed; trial" in record.message
    assert "The measure loss is missing; found none." in record.message


class Decades(toy.ToyRecipe):
    """The toy on a scale on which nothing has no place."""

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        return Objective((Term("loss", 1.0, Direction.MINIMISE, Logarithmic(1.0, 1e4)),))


def test_a_measure_without_a_logarithm_fails_its_trial(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, lambda x: {"loss": float(x % 2)})
    record = run(store, "zero", Decades())
    assert (record.state, "must be positive" in record.message) == (StudyState.DONE, True)
    values = performances(Decades(), record, store.studies.trials("zero"))
    assert 0 < len(values) < 12


def test_equal_performances_are_told_of(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, lambda x: {"loss": 320.0})
    record = run(store, "flat")
    assert record.state is StudyState.DONE
    assert record.message == "All 12 measured designs have the same performance (0.9), so none was better."


class Single(toy.ToyCandidates):
    """One pair of points."""

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [(np.array([1.0]), np.array([2.0]))] * count

    def neighbours(self, design: Inputs) -> list[Inputs]:
        return []


class SingleRecipe(toy.ToyRecipe):
    """The toy in a space of one design."""

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        return replace(super().prepare(store, record, report), optimiser=toy.HillClimb(Single(), record.seed))


@pytest.mark.parametrize("ahead", [0, 3])
def test_a_space_with_one_design_is_measured_once(store: Store, ahead: int) -> None:
    for _ in range(2):
        record = run(store, "single", SingleRecipe(), ahead=ahead)
        assert record.state is StudyState.DONE
        assert record.message == "Every design that the search could find has been measured: 1 trials of 12."
        assert len(store.studies.trials("single")) == 1


class Content(toy.HillClimb):
    """Expects nothing more once it was told ten trials."""

    @property
    def converged(self) -> bool:
        return len(self.observations) >= 10

    def expectation(self) -> float:
        return 0.5

    def ask(self, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        proposals = super().ask(count, pending)
        return [replace(one, expected=(0.25, 0.125 if place else math.nan)) for place, one in enumerate(proposals)]


class ContentRecipe(toy.ToyRecipe):
    """The toy with an optimiser that converges."""

    climb = Content


@pytest.mark.parametrize(("ahead", "count"), [(0, 12), (6, 16)])
def test_a_study_ends_when_it_has_converged_if_asked_to(store: Store, ahead: int, count: int) -> None:
    assert run(store, "budget alone", ContentRecipe(), budget=20, ahead=ahead).message == ""
    assert len(store.studies.trials("budget alone")) == 20
    for _ in range(2):
        record = run(store, "content", ContentRecipe(), budget=20, until_converged=True, ahead=ahead)
        assert record.state is StudyState.DONE
        assert record.message.startswith(f"Converged after {count} of 20 trials: the optimiser expects no further")
        assert store.studies.counts("content")[TrialState.PENDING] == 0
        assert len(store.studies.trials("content")) == count
    store.studies.set_until_converged("content", False)
    assert run(store, "content", ContentRecipe()).message == ""
    whole, resumed = (
        [(one.origin, one.measurement.roles) for one in store.studies.trials(name)]
        for name in ("budget alone", "content")
    )
    assert resumed == whole


def test_what_is_expected_is_stored_and_shown(store: Store) -> None:
    shown: list[Progress] = []
    record = run(store, "expecting", ContentRecipe(), seen=shown.append)
    assert record.expectation == 0.5
    expected = [one.expected for one in store.studies.trials("expecting")]
    assert expected == [None, *[(0.25, 0.125)] * 3] * 3  # a deviation that is no number is not kept
    last = shown[-1]
    trials = store.studies.trials("expecting")
    values = performances(toy.RECIPE, record, trials)
    assert last.incumbent is not None and last.best == values[last.incumbent] == max(values.values())
    assert (last.expectation, last.origin, last.hypervolume) == (0.5, trials[-1].origin, None)


class ClimbBySeveral(toy.HillClimb):
    """Climbs by the mean of any number of values."""

    objectives = None


class Several(toy.ToyRecipe):
    """The toy with two objectives in either order."""

    climb = ClimbBySeveral

    def __init__(self, *, swapped: bool = False) -> None:
        self.swapped = swapped

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        scales = (Linear(100.0), Linear(3200.0))
        terms = [Term("loss", 0.5, Direction.MINIMISE, scale) for scale in scales]
        return Objective(tuple(terms[::-1] if self.swapped else terms), separate=True)


def test_the_hypervolume_of_several_objectives_is_shown(store: Store) -> None:
    shown: list[Progress] = []
    run(store, "several", Several(), seen=shown.append)
    assert shown[-1].hypervolume is not None
    assert shown[0].hypervolume is None


def test_objectives_in_another_order_after_a_resume_are_told_anew(store: Store) -> None:
    def stop(now: Progress) -> None:
        if now.done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store, "swapped", Several(), seen=stop)
    record = run(store, "swapped", Several(swapped=True))
    assert (record.state, record.message) == (StudyState.DONE, "")
    trials = store.studies.trials("swapped")
    values = [performances(Several(swapped=swapped), record, trials) for swapped in (False, True)]
    assert values[0] == values[1]


def test_a_time_limit_stops_a_study_that_can_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    late = time.monotonic() + 3600

    def measured(x: int) -> Mapping[str, float]:
        monkeypatch.setattr("explorer.running.study.time.monotonic", lambda: late)
        return {"loss": float(x)}

    measuring(monkeypatch, measured)
    record = run(store, "slow", time_limit_s=60, ahead=2)
    assert record.state is StudyState.STOPPED
    assert record.message == "Stopped after the time limit of 1 min 0 s; go on with: explorer search --resume slow"
    counts = store.studies.counts("slow")
    assert counts[TrialState.PENDING] == 0 and 0 < sum(counts.values()) < 12
    assert run(store, "slow", time_limit_s=None).state is StudyState.DONE


def test_a_space_that_has_changed_since_is_told_of(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Space:
        def violations(self, choices: Mapping[str, Any]) -> list[str]:
            return [f"x is {choices['x']}; allowed: below 0."]

        def build(self, choices: Mapping[str, Any]) -> Architecture:
            raise AssertionError

    run(store, "before", budget=4)
    store.studies.set_budget("before", 8)
    monkeypatch.setattr(registry, "space", lambda name: Space())
    with pytest.raises(ConflictError, match=r"^The space toy has changed since the study before began: .*begin a new"):
        run(store, "before")
    assert len(store.studies.trials("before")) == 4
    monkeypatch.undo()
    assert run(store, "before").state is StudyState.DONE


def test_nothing_feasible_names_the_closest_and_what_it_misses(store: Store) -> None:
    record = run(store, "strict", worst=-1.0)
    trials = store.studies.trials("strict")
    text = unmet(record, closest_of(toy.RECIPE, record, trials), trials)
    assert text.startswith("No trial of strict meets its constraints. The closest is trial ")
    assert "above its maximum of -1" in text


def test_a_study_that_cannot_begin_has_failed(store: Store) -> None:
    class Unable(toy.ToyRecipe):
        def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
            raise InputError("The point is none of those that this study chooses from.")

    with pytest.raises(InputError, match="none of those"):
        run(store, "unable", Unable())
    record = store.studies.get("unable")
    assert record.state is StudyState.FAILED
    assert record.message == "The point is none of those that this study chooses from."
