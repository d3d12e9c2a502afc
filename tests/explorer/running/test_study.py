"""Studies survive `kill -9` of the search and of Neo4j: nothing lost, nothing recorded twice, the same trials."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.objective import Linear, Objective, Term
from explorer.contracts.optimiser import Inputs
from explorer.contracts.recipe import Plan
from explorer.contracts.session import Progress, Report
from explorer.running import lease
from explorer.running.lease import leased
from explorer.running.merits import performances
from explorer.running.study import Study
from explorer.services import studies
from graphdb import embedded
from graphdb.connection import open_store
from graphdb.errors import ConflictError, InputError
from graphdb.records import StudyRecord, StudyState, TrialState
from graphdb.settings import Settings
from graphdb.store import LeaseStore, Store
from tests.fault import toy
from tests.places import ROOT

KILLS = 6


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    registry.refresh()


def record(name: str, budget: int = 40, seed: int = 3, **settings: object) -> StudyRecord:
    return StudyRecord(name, "toy", seed, budget, toy.RECIPE.settings(settings, budget))


def run_here(store: Store, name: str) -> None:
    with ThreadPoolExecutor(2) as executor:
        Study(store, store.studies.get(name), toy.RECIPE, executor).run()


def pairs(store: Store, name: str) -> list[tuple[int, str, tuple[str, ...]]]:
    """Every trial: index, origin, and who took part."""
    return [
        (trial.index, trial.origin, tuple(trial.measurement.roles.values())) for trial in store.studies.trials(name)
    ]


def test_a_study_spends_its_budget_and_finds_the_optimum(store: Store) -> None:
    store.studies.create(record("plain", budget=120))
    run_here(store, "plain")
    trials = store.studies.trials("plain")
    assert [trial.index for trial in trials] == list(range(120))
    assert store.studies.get("plain").state is StudyState.DONE
    values = performances(toy.RECIPE, store.studies.get("plain"), trials)
    first = max(value for index, value in values.items() if index < 10)
    assert max(values.values()) > first
    refused = [trial for trial in trials if trial.state is TrialState.FAILED]
    assert all("x is 5" in trial.message for trial in refused)


def test_the_same_seed_gives_the_same_trials_and_another_seed_does_not(store: Store) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        store.studies.create(record(name, seed=seed))
        run_here(store, name)
    assert pairs(store, "a") == pairs(store, "b")
    assert pairs(store, "a") != pairs(store, "c")


def test_measurements_of_another_study_are_not_taken_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(toy.LOG, str(tmp_path / "log"))
    for name in ("first", "second"):
        store.studies.create(record(name))
        run_here(store, name)
    lines = (tmp_path / "log").read_text().splitlines()
    repeated = [line for line, times in Counter(lines).items() if times > 1 and line.split()[1] != "5"]
    assert repeated == []
    assert pairs(store, "first") == pairs(store, "second")


def test_a_finished_study_goes_on_with_a_larger_budget(store: Store) -> None:
    store.studies.create(record("short", budget=20))
    run_here(store, "short")
    before = pairs(store, "short")
    store.studies.set_budget("short", 28)
    run_here(store, "short")
    store.studies.create(record("long", budget=28))
    run_here(store, "long")
    assert pairs(store, "short")[:20] == before
    assert pairs(store, "short") == pairs(store, "long")


def test_infeasible_trials_do_not_count_as_best(store: Store) -> None:
    store.studies.create(record("bounded", worst=200.0))
    run_here(store, "bounded")
    trials = store.studies.trials("bounded")
    values = performances(toy.RECIPE, store.studies.get("bounded"), trials)
    assert 0 < len(values) < len(trials)
    assert all(trials[index].measurement.measures["loss"] <= 200 for index in values)


def test_one_process_runs_a_study_at_a_time(store: Store) -> None:
    store.studies.create(record("held"))
    assert store.studies.lease("held", "elsewhere:1", 60)
    with pytest.raises(ConflictError, match="elsewhere:1"), leased(store, "held"):
        pass


def test_a_dead_holder_on_this_machine_is_replaced_at_once(store: Store) -> None:
    import socket

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    store.studies.create(record("orphan"))
    assert store.studies.lease("orphan", f"{socket.gethostname()}:{gone.pid}", 600)
    run_here(store, "orphan")
    assert store.studies.get("orphan").state is StudyState.DONE


def evaluated(log: Path) -> int:
    """How many evaluations have begun."""
    return len(log.read_text().splitlines()) if log.exists() else 0


def start(name: str, settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    environment = settings.environment() | {toy.LOG: str(log), toy.SECONDS: "0.03"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.toy", name], env=environment, cwd=ROOT, start_new_session=True
    )


@pytest.mark.parametrize("ahead", [0, 6])
def test_kill_9_of_the_search_loses_nothing(
    store: Store, server_settings: Settings, tmp_path: Path, ahead: int
) -> None:
    store.studies.create(record("undisturbed", budget=60, task="undisturbed", ahead=ahead))
    run_here(store, "undisturbed")
    store.studies.create(record("killed", budget=60, task="killed", ahead=ahead))
    log, generator, kills = tmp_path / "log", np.random.default_rng(7), 0
    while True:
        wanted = evaluated(log) + int(generator.integers(1, 15))  # the clock would tell more of the machine
        process = start("killed", server_settings, log)
        while process.poll() is None and (kills == KILLS or evaluated(log) < wanted):
            time.sleep(0.01)
        if process.poll() is not None:
            break
        time.sleep(float(generator.uniform(0, 0.1)))  # anywhere in a round
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert process.returncode == 0
    assert kills >= 1
    assert pairs(store, "killed") == pairs(store, "undisturbed")
    counts = store.studies.counts("killed")
    assert counts.get(TrialState.PENDING, 0) == 0
    assert sum(counts.values()) == 60
    # A kill can interrupt what is under way, which may be measured and not yet recorded: nothing else may run again.
    evaluations = Counter(log.read_text().splitlines())
    under_way = store.studies.get("killed").settings["batch"] + ahead
    assert sum(times - 1 for times in evaluations.values()) <= under_way * kills


def test_kill_9_of_neo4j_loses_nothing(tmp_path: Path) -> None:
    settings = Settings(data_directory=tmp_path / "data", retry_s=0.5)
    log = tmp_path / "log"
    try:
        with open_store(settings) as store:
            store.studies.create(record("undisturbed", budget=40, task="undisturbed"))
            run_here(store, "undisturbed")
            expected = pairs(store, "undisturbed")
            store.studies.create(record("struck", budget=40, task="struck"))
        process = start("struck", settings, log)
        while process.poll() is None and evaluated(log) < 10:
            time.sleep(0.01)
        server = embedded.status(settings.data_directory).pid
        assert server is not None
        os.kill(server, signal.SIGKILL)
        assert process.wait(timeout=600) != 0
        process = start("struck", settings, log)
        assert process.wait(timeout=600) == 0
        with open_store(settings) as store:
            assert pairs(store, "struck") == expected
            assert store.studies.counts("struck").get(TrialState.PENDING, 0) == 0
        evaluations = Counter(log.read_text().splitlines())
        assert sum(times - 1 for times in evaluations.values()) <= 4  # one round may be measured again
    finally:
        embedded.wipe(settings.data_directory)


class Founded(toy.ToyRecipe):
    """The toy, begun with a table of bytes that depends on how much was measured by then."""

    def basis(self, store: Store, record: StudyRecord, report: Report) -> Mapping[str, str]:
        count = len(store.measurements.with_measure("loss"))
        return {"figures": store.tables.save("figures of a test", str(count).encode())}

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        count = int(store.tables.get(record.basis["figures"]))
        return super().prepare(store, replace(record, seed=record.seed + count), report)


def run_founded(store: Store, name: str, stop_after: int | None = None) -> None:
    def progress(now: Progress) -> None:
        if stop_after is not None and now.done >= stop_after:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as executor:
        study = Study(store, store.studies.get(name), Founded(), executor, progress)
        if stop_after is None:
            study.run()
        else:
            with pytest.raises(KeyboardInterrupt):
                study.run()


def test_a_study_goes_on_with_what_it_began_with_whatever_is_measured_in_between(store: Store) -> None:
    store.studies.create(record("began", task="began"))
    run_founded(store, "began", stop_after=9)
    began = store.studies.get("began")
    assert began.basis.keys() == {"figures"}
    assert store.tables.get(began.basis["figures"]) == b"0"
    store.studies.create(record("between", budget=8))
    run_here(store, "between")  # other measurements, from which a new study would begin otherwise
    run_founded(store, "began")
    assert store.studies.get("began").basis == began.basis
    store.studies.create(record("undisturbed", task="undisturbed"))
    run_here(store, "undisturbed")
    assert pairs(store, "began") == pairs(store, "undisturbed")
    store.studies.create(record("later", task="later"))
    run_founded(store, "later")
    assert store.studies.get("later").basis != began.basis
    assert pairs(store, "later") != pairs(store, "began")


def test_the_lease_is_renewed_during_an_evaluation_however_long_it_takes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_S", 30.0)
    monkeypatch.setattr(lease, "_RENEWALS", 600)
    renewed, take = threading.Semaphore(0), LeaseStore.take

    def counted(self: LeaseStore, name: str, owner: str, seconds: float) -> bool:
        taken = take(self, name, owner, seconds)
        renewed.release()
        return taken

    monkeypatch.setattr(LeaseStore, "take", counted)
    seen: list[str] = []

    def measured(self: object, architectures: object, settings: object) -> dict[str, float]:
        if not seen:
            while renewed.acquire(blocking=False):
                pass
            for _ in range(3):  # renewals while nothing but this evaluation goes on
                assert renewed.acquire(timeout=60)
            seen.append(studies.shown_state(store.studies.get("long")))
        return {"loss": 1.0}

    monkeypatch.setattr(toy.ToySimulator, "measured", measured)
    store.studies.create(record("long", budget=4))
    run_here(store, "long")
    assert set(seen) == {"running"}  # in both threads, or in the first one
    assert store.studies.get("long").runner is None


def test_a_lost_lease_ends_the_run(store: Store) -> None:
    store.studies.create(record("lost"))
    with pytest.raises(ConflictError, match="elsewhere:1"), leased(store, "lost") as renew:
        store.studies.release("lost", lease.owner_of(os.getpid()))
        assert store.studies.lease("lost", "elsewhere:1", 60)
        renew()
    assert store.studies.lease_owner("lost") == "elsewhere:1"


def test_an_interrupted_study_is_shown_as_interrupted(store: Store) -> None:
    store.studies.create(record("broken"))
    run_founded(store, "broken", stop_after=5)
    assert store.studies.get("broken").state is StudyState.RUNNING
    assert studies.shown_state(store.studies.get("broken")) == "interrupted"
    run_founded(store, "broken")
    assert studies.shown_state(store.studies.get("broken")) == "done"


def test_a_killed_study_is_shown_as_interrupted_and_a_living_one_as_running(
    store: Store, server_settings: Settings, tmp_path: Path
) -> None:
    store.studies.create(record("killed", budget=400, task="killed"))
    process = start("killed", server_settings, tmp_path / "log")
    try:
        while process.poll() is None and evaluated(tmp_path / "log") < 2:
            time.sleep(0.01)
        assert studies.shown_state(store.studies.get("killed")) == "running"
        with pytest.raises(ConflictError, match="stop it first"):
            studies.delete_study(store, "killed")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, but nobody has collected it
    assert studies.shown_state(store.studies.get("killed")) == "interrupted"
    process.wait()
    assert studies.shown_state(store.studies.get("killed")) == "interrupted"
    with pytest.raises(ConflictError, match="not running: its state is interrupted"):
        studies.stop_study(store, "killed")
    studies.delete_study(store, "killed")
    assert store.studies.list() == []


def test_a_study_of_another_process_is_stopped_and_goes_on_as_if_undisturbed(
    store: Store, server_settings: Settings, tmp_path: Path
) -> None:
    store.studies.create(record("stopped", budget=60, task="stopped"))
    process = start("stopped", server_settings, tmp_path / "log")
    while process.poll() is None and evaluated(tmp_path / "log") < 2:
        time.sleep(0.01)
    assert studies.stop_study(store, "stopped").stopping
    assert process.wait(timeout=600) == 0
    stopped = store.studies.get("stopped")
    assert stopped.state is StudyState.STOPPED
    assert "explorer search --resume stopped" in stopped.message
    counts = store.studies.counts("stopped")
    assert counts[TrialState.PENDING] == 0 and 0 < sum(counts.values()) < 60  # whole rounds
    with pytest.raises(ConflictError, match="not running: its state is stopped"):
        studies.stop_study(store, "stopped")
    run_here(store, "stopped")
    assert (store.studies.get("stopped").state, store.studies.get("stopped").message) == (StudyState.DONE, "")
    store.studies.create(record("undisturbed", budget=60, task="undisturbed"))
    run_here(store, "undisturbed")
    assert pairs(store, "stopped") == pairs(store, "undisturbed")


def test_an_optimiser_of_one_objective_is_refused_before_anything_is_asked(store: Store) -> None:
    class Several(toy.ToyRecipe):
        def objective(self, settings: Mapping[str, Any]) -> Objective:
            terms = [Term("loss", 0.5, Direction.MINIMISE, Linear(10.0))] * 2
            return Objective(tuple(terms), separate=True)

    store.studies.create(record("several"))
    with pytest.raises(InputError, match="HillClimb searches by 1 objective"), ThreadPoolExecutor(1) as executor:
        Study(store, store.studies.get("several"), Several(), executor).run()
    assert store.studies.trials("several") == []
