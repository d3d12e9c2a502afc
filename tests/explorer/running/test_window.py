"""Trials under way while others are chosen: the same trials whichever ends first, and whenever the search is killed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.optimiser import Inputs, Outcome, Proposal
from explorer.contracts.recipe import Plan
from explorer.contracts.session import Progress, Report
from explorer.contracts.simulator import Roles
from explorer.running.study import Study
from graphdb.errors import InputError, UnavailableError
from graphdb.records import StudyRecord, StudyState, TrialRecord, TrialState
from graphdb.store import Store
from tests.fault import toy

AHEAD = 6


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    registry.refresh()


class Shuffled(Executor):
    """Runs one of the waiting evaluations at a time, a random one."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._thread = ThreadPoolExecutor(1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            self._waiting.append((future, lambda: fn(*args, **kwargs)))
        self._thread.submit(self._run_one)
        return future

    def _run_one(self) -> None:
        with self._lock:
            future, work = self._waiting.pop(int(self._generator.integers(len(self._waiting))))
        if future.set_running_or_notify_cancel():
            future.set_result(work())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()


def create(store: Store, name: str, budget: int = 40, **settings: object) -> None:
    full = {"task": name, "ahead": AHEAD} | settings
    store.studies.create(StudyRecord(name, "toy", 3, budget, toy.RECIPE.settings(full, budget)))


def run(
    store: Store,
    name: str,
    executor: Executor | None = None,
    recipe: toy.ToyRecipe = toy.RECIPE,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> None:
    with executor or ThreadPoolExecutor(2) as workers:
        Study(store, store.studies.get(name), recipe, workers, on_progress).run()


def trials_of(store: Store, name: str) -> list[tuple[int, str, str, int | None, tuple[str, ...]]]:
    """Every trial: its index, its state, how and when it was chosen, and who took part."""
    return [
        (trial.index, str(trial.state), trial.origin, trial.told, tuple(trial.measurement.roles.values()))
        for trial in store.studies.trials(name)
    ]


def test_more_are_asked_for_when_few_enough_are_under_way(store: Store) -> None:
    create(store, "window", budget=22)
    run(store, "window")
    told = [trial.told for trial in store.studies.trials("window")]
    # 4 of 0 to 3, then 4 of 4 to 7 as only 4 were under way; from then on, when all but 6 have been told.
    assert told == [0] * 8 + [2] * 4 + [6] * 4 + [10] * 4 + [14] * 2
    create(store, "rounds", budget=10, ahead=0)
    run(store, "rounds")
    assert [trial.told for trial in store.studies.trials("rounds")] == [0] * 4 + [4] * 4 + [8] * 2


def test_the_order_in_which_trials_end_changes_nothing(store: Store) -> None:
    create(store, "in order")
    run(store, "in order", ThreadPoolExecutor(1))
    expected = trials_of(store, "in order")
    assert {state for _, state, *_ in expected} == {"done", "failed"}  # refusals among those under way
    for seed in range(3):
        create(store, f"shuffled {seed}")
        run(store, f"shuffled {seed}", Shuffled(seed))
        assert trials_of(store, f"shuffled {seed}") == expected


def test_the_next_are_chosen_while_workers_measure(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ask, measured = threading.Event(), toy.HillClimb.ask, toy.ToySimulator.measured

    def noted(self: toy.HillClimb, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        if pending:
            asked.set()
        return ask(self, count, pending)

    def waiting(self: toy.ToySimulator, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        assert asked.wait(60)  # in rounds, nothing is asked before this has ended
        return measured(self, architectures, settings)

    monkeypatch.setattr(toy.HillClimb, "ask", noted)
    monkeypatch.setattr(toy.ToySimulator, "measured", waiting)
    create(store, "meanwhile", budget=12)
    run(store, "meanwhile", ThreadPoolExecutor(4))
    assert store.studies.counts("meanwhile")[TrialState.PENDING] == 0


def test_all_workers_are_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    four, measured = threading.Barrier(4), toy.ToySimulator.measured

    def together(self: toy.ToySimulator, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        four.wait(60)  # ends only if four are being measured
        return measured(self, architectures, settings)

    monkeypatch.setattr(toy.ToySimulator, "measured", together)
    create(store, "busy", budget=40, batch=1, ahead=8)  # a round of one would keep a single worker busy
    run(store, "busy", ThreadPoolExecutor(4))
    assert store.studies.counts("busy")[TrialState.PENDING] == 0


def stop_at(done: int) -> Callable[[Progress], None]:
    def progress(now: Progress) -> None:
        if now.done >= done:
            raise KeyboardInterrupt

    return progress


def test_interrupted_anywhere_it_goes_on_as_if_undisturbed(store: Store, tmp_path: Path) -> None:
    create(store, "undisturbed", budget=26)
    run(store, "undisturbed", Shuffled(0))
    expected = trials_of(store, "undisturbed")
    create(store, "struck", budget=26)
    for done in (1, 3, 4, 9, 10, 17, 25):
        with pytest.raises(KeyboardInterrupt):
            run(store, "struck", Shuffled(done), on_progress=stop_at(done))
        assert trials_of(store, "struck")[: len(expected)]
    run(store, "struck", Shuffled(99))
    assert trials_of(store, "struck") == expected


def test_a_larger_budget_goes_on_as_if_it_had_been_given_at_once(store: Store) -> None:
    create(store, "grown", budget=20)
    run(store, "grown", Shuffled(1))
    store.studies.set_budget("grown", 28)
    run(store, "grown", Shuffled(2))
    create(store, "at once", budget=28)
    run(store, "at once")
    assert trials_of(store, "grown") == trials_of(store, "at once")


def test_what_another_study_measures_in_the_meantime_is_not_measured_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store, "asking", task="shared")
    with pytest.raises(KeyboardInterrupt):
        run(store, "asking", on_progress=stop_at(6))
    asked = store.studies.trials("asking")
    pending = [one for one in asked if one.state is TrialState.PENDING]
    assert pending
    for one in pending:
        store.measurements.add([replace(one.measurement, measures={"loss": 7.0})])
    monkeypatch.setenv(toy.LOG, str(tmp_path / "log"))
    run(store, "asking")
    after = {one.index: one for one in store.studies.trials("asking")}
    assert all(after[one.index].measurement.measures == {"loss": 7.0} for one in pending)
    evaluations = Counter((tmp_path / "log").read_text().splitlines())
    assert sum(evaluations.values()) == 40 - len(asked)
    assert max(evaluations.values()) == 1


class Staged(toy.HillClimb):
    """Proposes nothing beyond the next ten trials before all of these have been told."""

    def ask(self, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        left = 10 - len(self.observations) % 10 - len(pending)
        return super().ask(min(count, left), pending) if left > 0 else []


class StagedRecipe(toy.ToyRecipe):
    """The toy with stages."""

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        return replace(super().prepare(store, record, report), optimiser=Staged(toy.ToyCandidates(), record.seed))


def test_an_optimiser_that_waits_for_a_stage_is_asked_again(store: Store) -> None:
    create(store, "stages", budget=36)
    run(store, "stages", Shuffled(1), StagedRecipe())
    trials = store.studies.trials("stages")
    assert [one.index for one in trials] == list(range(36))
    assert all((one.told or 0) >= one.index // 10 * 10 for one in trials)
    create(store, "struck", budget=36)
    for done in (8, 10, 12):
        with pytest.raises(KeyboardInterrupt):
            run(store, "struck", Shuffled(done), StagedRecipe(), stop_at(done))
    run(store, "struck", Shuffled(3), StagedRecipe())
    assert trials_of(store, "struck") == trials_of(store, "stages")


def test_earlier_measurements_are_recalled_before_anything_is_told(store: Store) -> None:
    heard: list[str] = []
    earlier = [((np.array([1.0]), np.array([2.0])), Outcome((0.5,)))]

    class Hearing(toy.HillClimb):
        def recall(self, design: Inputs, outcome: Outcome) -> None:
            heard.append(f"recall {int(design[0][0])} {outcome.values[0]}")

        def tell(self, design: Inputs, outcome: Outcome) -> None:
            heard.append("tell")
            super().tell(design, outcome)

    class Warm(toy.ToyRecipe):
        def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
            plan = super().prepare(store, record, report)
            return replace(plan, optimiser=Hearing(toy.ToyCandidates(), record.seed), earlier=earlier)

    create(store, "warm", budget=4)
    for _ in range(2):
        run(store, "warm", recipe=Warm())
    assert heard == ["recall 1 0.5", *["tell"] * 4] * 2
    assert store.studies.get("warm").state is StudyState.DONE


def test_the_record_of_a_training_depends_only_on_what_was_told(store: Store) -> None:
    known: dict[int, list[int]] = {}

    class Noting(toy.ToyRecipe):
        def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
            plan = super().prepare(store, record, report)

            def pending(roles: Roles, done: Sequence[TrialRecord]) -> Any:
                known[len(known)] = [one.index for one in done]
                return plan.pending(roles, done)

            return replace(plan, pending=pending)

    create(store, "noting", budget=20)
    run(store, "noting", Shuffled(5), Noting())
    trials = store.studies.trials("noting")
    failed = {one.index for one in trials if one.state is TrialState.FAILED}
    assert known == {one.index: [i for i in range(one.told or 0) if i not in failed] for one in trials}


def test_a_worker_that_is_gone_ends_the_run_with_one_sentence(store: Store) -> None:
    class Broken(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("gone"))
            return future

    create(store, "broken")
    with pytest.raises(UnavailableError, match="ended unexpectedly"):
        run(store, "broken", Broken())
    run(store, "broken")
    create(store, "undisturbed")
    run(store, "undisturbed")
    assert trials_of(store, "broken") == trials_of(store, "undisturbed")


def test_refusals_under_way_are_told_in_their_place(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: object, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        raise InputError("Nothing fits.")

    monkeypatch.setattr(toy.ToySimulator, "measured", refused)
    create(store, "refused", budget=12)
    run(store, "refused", Shuffled(0))
    assert store.studies.counts("refused")[TrialState.FAILED] == 12
    assert {one.message for one in store.studies.trials("refused")} == {"Nothing fits."}
