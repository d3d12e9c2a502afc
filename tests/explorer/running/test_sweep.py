"""Sweeps draw the same designs from a seed, store what they measure, and go on after any interruption."""

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
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.session import Progress, Sweep
from explorer.contracts.simulator import Roles
from explorer.domains.accelerator.elector.hardware import HYPERPARAMETERS
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.running.executor import open_executor
from explorer.running.sweep import draw, sweep
from graphdb.canonical import canonical_json
from graphdb.errors import InputError, UnavailableError
from graphdb.records import NewTrial, StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store
from tests.fault import sweeping, toy
from tests.places import ROOT


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    toy.register()
    yield
    registry.refresh()


def run(store: Store, pairs: list[Roles], settings: dict[str, Any] | None = None, **options: Any) -> Sweep:
    with ThreadPoolExecutor(2) as executor:
        return sweep(store, executor, "toy", pairs, settings or {}, **options)


def grid(count: int) -> list[Roles]:
    return sweeping.pairs()[:count]


def test_a_seed_gives_the_same_designs_and_more_only_add_to_the_end() -> None:
    space = ElectorSpace()
    few, many, other = (draw(space, n, np.random.default_rng(seed)) for n, seed in ((40, 3), (90, 3), (40, 4)))
    assert many[:40] == few
    assert few != other
    assert len({canonical_json(choices) for choices in many}) == 90
    assert all(space.violations(choices) == [] for choices in many)


def test_a_whole_space_can_be_drawn_and_no_more() -> None:
    space = ElectorSpace({name: values[:1] if name != "pe" else values for name, values in HYPERPARAMETERS.items()})
    drawn = draw(space, 5, np.random.default_rng(0))
    assert sorted(choices["pe"] for choices in drawn) == [64, 128, 256, 512, 1024]
    for count in (0, -1, 6):
        with pytest.raises(InputError, match=f"{count}.*1 to 5"):
            draw(space, count, np.random.default_rng(0))


def test_a_sweep_stores_what_it_measures_and_says_what_cannot_run(store: Store) -> None:
    pairs = grid(50)
    seen: list[Progress] = []
    swept = run(store, pairs, chunk=7, on_progress=seen.append)
    refused = [at for at, pair in enumerate(pairs) if pair["model"].choices["x"] == 5]
    assert list(swept.refused) == refused
    assert swept.reasons == {"x is 5; any other is allowed.": len(refused)}
    assert list(swept.measurements) == [at for at in range(50) if at not in refused]
    for at, measurement in swept.measurements.items():
        x, y = (pairs[at][role].choices["x"] for role in ("model", "accelerator"))
        assert measurement.measures == {"loss": (x - 11) ** 2 + (y - 29) ** 2}
    stored = store.measurements.get_many([m.key for m in swept.measurements.values()])
    assert {m.key: m for m in swept.measurements.values()} == stored
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert (seen[0].done, seen[-1].done, seen[-1].total, seen[-1].refused) == (0, 50, 50, len(refused))


def test_what_is_stored_is_looked_up_in_one_query_and_not_measured_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(store, grid(30))
    monkeypatch.setenv(toy.LOG, str(tmp_path / "log"))
    before = store.query_counter
    again = run(store, grid(30))
    lines = (tmp_path / "log").read_text().splitlines()
    assert {line.split()[0] for line in lines} == {"5"}  # refused pairs leave nothing behind, and are tried again
    assert store.query_counter - before == 1
    assert again.measurements == first.measurements
    assert (first.stored_before, again.stored_before) == (0, len(first.measurements))
    assert len(run(store, grid(45)).measurements) > again.stored_before


def test_other_settings_are_other_measurements(store: Store) -> None:
    assert run(store, grid(10), {"task": "a"}).stored_before == 0
    assert run(store, grid(10), {"task": "b"}).stored_before == 0
    assert run(store, grid(10), {"task": "a"}).stored_before == 9


def test_a_measurement_that_a_study_waits_for_is_taken(store: Store) -> None:
    pair = grid(1)[0]
    store.architectures.add(pair.values())
    store.studies.create(StudyRecord("waiting", "toy", 0, 1, {}))
    store.studies.ask("waiting", [NewTrial(0, registry.simulator("toy").pending(pair, {}), "test")])
    swept = run(store, [pair])
    assert swept.stored_before == 0
    assert store.studies.trials("waiting")[0].measurement == swept.measurements[0]


@pytest.mark.parametrize("name", ["acceltran", "transcode"])
def test_a_sweep_with_any_simulator_knows_its_own_results(store: Store, name: str) -> None:
    known = {"accuracy": 0.9, "accuracy_source": "measured"} if name == "transcode" else {}
    pairs = [
        {"model": registry.preset("bert-tiny"), "accelerator": registry.preset(chip)} for chip in ("edge", "edge-lp")
    ]
    settings = {"engine": "fast", **known}
    with ThreadPoolExecutor(1) as executor:
        first = sweep(store, executor, name, pairs, settings)
        again = sweep(store, executor, name, pairs, settings)
    assert (first.stored_before, again.stored_before) == (0, 2)
    assert again.measurements == first.measurements


def test_architectures_that_cannot_play_the_roles_are_refused_at_once(store: Store) -> None:
    with pytest.raises(InputError, match="given to toy are model: points"):
        run(store, [{"model": toy.architecture(1)}])


def test_processes_measure_as_threads_do(store: Store) -> None:
    designs = draw(ElectorSpace(), 40, np.random.default_rng(1))
    pairs = [
        {"model": registry.preset("bert-tiny"), "accelerator": registry.space("elector").build(choices)}
        for choices in designs
    ]
    with open_executor(2) as executor:
        swept = sweep(store, executor, "acceltran", pairs, {}, chunk=8)
    expected = registry.simulator("acceltran").run_batch(pairs, {})
    assert list(swept.measurements.values()) == expected


def test_a_worker_that_dies_ends_in_a_sentence(store: Store) -> None:
    model = registry.preset("bert-tiny")
    pairs = [{"model": model, "accelerator": registry.preset(name)} for name in ("edge", "server")]
    with open_executor(1) as executor:
        process = executor.submit(os.getpid).result()
        os.kill(process, signal.SIGKILL)
        with pytest.raises(UnavailableError, match="ended unexpectedly"):
            while True:  # the pool notices a moment later
                sweep(store, executor, "acceltran", pairs, {"sequence_length": int(time.monotonic() * 1e3) % 60_000})


def test_kill_9_measures_nothing_again_that_was_stored(store: Store, server_settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = server_settings.environment() | {toy.LOG: str(log), toy.SECONDS: "0.005"}
    keys = {
        (pair["model"].choices["x"], pair["accelerator"].choices["x"]): registry.simulator("toy").pending(pair, {}).key
        for pair in sweeping.pairs()
    }
    names = {key: f"{x} {y}" for (x, y), key in keys.items()}
    kills = 0
    while True:
        stored = {names[key] for key in store.measurements.get_many(list(names))}
        read = len(log.read_text().splitlines()) if log.exists() else 0
        process = subprocess.Popen([sys.executable, "-m", "tests.fault.sweeping"], env=environment, cwd=ROOT)
        while process.poll() is None and (
            kills >= 3 or len(store.measurements.get_many(list(names))) < len(stored) + 30
        ):
            time.sleep(0.01)
        ended = process.poll() is not None
        if not ended:
            process.kill()
            kills += 1
        process.wait()
        evaluated = [line.strip() for line in log.read_text().splitlines()[read:]]
        assert stored.isdisjoint(evaluated)
        assert max(Counter(evaluated).values()) == 1
        if ended:
            break
    assert process.returncode == 0
    assert kills == 3
    kept = store.measurements.get_many(list(names))
    assert {names[key] for key in kept} == {f"{x} {y}" for x, y in keys if x != 5}
    for measurement in kept.values():
        x, y = map(int, names[measurement.key].split())
        assert measurement.measures == {"loss": (x - 11) ** 2 + (y - 29) ** 2}
