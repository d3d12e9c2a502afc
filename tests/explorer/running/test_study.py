"""Studies survive `kill -9` of the search and of Neo4j: nothing lost, nothing recorded twice, the same trials."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from explorer import registry
from explorer.running.lease import leased
from explorer.running.study import Study, performances
from graphdb import embedded
from graphdb.connection import open_store
from graphdb.errors import ConflictError
from graphdb.records import StudyRecord, StudyState, TrialState
from graphdb.settings import Settings
from graphdb.store import Store
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


def test_kill_9_of_the_search_loses_nothing(store: Store, server_settings: Settings, tmp_path: Path) -> None:
    store.studies.create(record("undisturbed", budget=60, task="undisturbed"))
    run_here(store, "undisturbed")
    store.studies.create(record("killed", budget=60, task="killed"))
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
    # A kill can interrupt one round, whose results may be measured and not yet recorded: nothing else may run again.
    evaluations = Counter(log.read_text().splitlines())
    assert sum(times - 1 for times in evaluations.values()) <= store.studies.get("killed").settings["batch"] * kills


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
