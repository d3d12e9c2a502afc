"""`explorer explore`: sweeps that can be interrupted anywhere, and their refusals."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from graphdb.settings import Settings
from graphdb.store import Store
from tests.explorer.cli.test_bad_input import refused
from tests.explorer.conftest import Run
from tests.places import ROOT

LIBRARY = ROOT / "tests/data/acceltran/library.yaml"
ELECTOR = ("explore", "elector", "--model", "bert-tiny")


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads in place of processes, which start slowly and have tests of their own."""
    monkeypatch.setattr(
        "explorer.running.executor.open_executor", lambda workers, scheduler: ThreadPoolExecutor(workers)
    )


def measured(store: Store) -> int:
    return len(store.measurements.with_measure("latency_s", simulator="acceltran"))


@pytest.mark.usefixtures("threads")
def test_a_sweep_goes_on_where_another_ended(run: Run, store: Store, tmp_path: Path) -> None:
    first = run(*ELECTOR, "--samples", 30, "--seed", 2, "--json").json
    assert (first["samples"], first["measured"], first["stored_before"], first["refused"]) == (30, 30, 0, {})
    assert measured(store) == 30
    more = run(*ELECTOR, "--samples", 50, "--seed", 2, "--json", "--plots", tmp_path / "plots").json
    assert (more["measured"], more["stored_before"]) == (20, 30)
    assert [Path(file).suffix for file in more["plots"]] == [".png", ".svg"]
    assert all(Path(file).stat().st_size > 1000 for file in more["plots"])
    again = run(*ELECTOR, "--samples", 50, "--seed", 2, "--json").json
    assert again["measured"] == 0
    assert again["pareto"] == more["pareto"]
    assert measured(store) == 50
    for row in more["pareto"]:
        assert store.measurements.get(row["key"]).measures["latency_s"] == row["measures"]["latency_s"]
        assert store.architectures.get(row["accelerator"]["key"]).space == "elector"


@pytest.mark.usefixtures("threads")
def test_no_stored_design_beats_the_pareto_table(run: Run, store: Store) -> None:
    found = run(*ELECTOR, "--samples", 60, "--json").json
    names = ("area_mm2", "energy_j", "latency_s")
    every = [
        tuple(m.measures[name] for name in names)
        for m in store.measurements.with_measure("latency_s", simulator="acceltran")
    ]
    front = [tuple(row["measures"][name] for name in names) for row in found["pareto"]]
    assert 0 < len(front) < len(every) == 60
    beaten = [
        point
        for point in every
        if any(all(a <= b for a, b in zip(other, point, strict=True)) and other != point for other in every)
    ]
    assert set(front) == set(every) - set(beaten)


@pytest.mark.usefixtures("threads")
def test_pairs_that_cannot_run_are_counted(run: Run, store: Store) -> None:
    """In reference mode, where the embeddings must lie in the weight buffer."""
    command = ("explore", "elector", "--model", "bert-base", "--samples", 40, "--mode", "reference")
    found = run(*command, "--json").json
    assert 0 < found["measured"] < 40
    assert found["measured"] + sum(found["refused"].values()) == 40
    assert all("MiB are missing" in reason for reason in found["refused"])
    table = run(*command).out
    assert f"{found['measured']} stored before, {sum(found['refused'].values())} that cannot run" in " ".join(
        table.split()
    )
    assert "Pareto-optimal" in table


@pytest.mark.usefixtures("threads")
def test_decisions_can_be_fixed_and_settings_given(run: Run) -> None:
    given = ("--set", "pe=256", "--set", "memory=hbm_32_1_4", "--set", "sequence_length=64", "--task", "training")
    found = run(*ELECTOR, "--samples", 10, *given, "--json").json
    assert found["settings"]["sequence_length"] == 64
    assert found["settings"]["task"] == "training"
    choices = [row["accelerator"]["choices"] for row in found["pareto"]]
    assert {(c["pe"], c["memory"]) for c in choices} == {(256, "hbm_32_1_4")}


@pytest.mark.usefixtures("threads")
def test_a_library_changes_every_pair(run: Run) -> None:
    plain = run(*ELECTOR, "--samples", 10, "--set", "mac_per_lane=16", "--json").json
    own = run(*ELECTOR, "--samples", 10, "--set", "mac_per_lane=16", "--library", LIBRARY, "--json").json
    assert own["measured"] == 10
    assert own["settings"]["library"]["mac_lane_16_gelu"]["dynamic_power_w"] == pytest.approx(0.0041)
    assert plain["settings"]["library"] is None


def command(*more: object) -> list[str]:
    return [sys.executable, "-m", "explorer.cli.main", *ELECTOR, *map(str, more), "--json"]


def heed_control_c() -> None:
    """A test run that a shell started in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_kill_9_and_control_c_lose_nothing(store: Store, server_settings: Settings) -> None:
    environment = server_settings.environment()
    arguments = ("--seed", 7, "--workers", 1)
    for ending in (signal.SIGKILL, signal.SIGINT):
        before = measured(store)
        process = subprocess.Popen(
            command("--samples", 10_000, *arguments),  # so many that none ends by itself before it is ended
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed_control_c,
        )
        while process.poll() is None and measured(store) < before + 64:
            time.sleep(0.01)
        assert process.poll() is None, process.stderr and process.stderr.read()
        # A terminal sends Ctrl-C to the whole group, workers included.
        (os.kill if ending is signal.SIGKILL else os.killpg)(process.pid, ending)
        out, err = process.communicate(timeout=600)
        assert not out
        if ending is signal.SIGINT:
            assert process.returncode == 130, err
            assert "continues with the rest" in " ".join(err.split())
            assert "Traceback" not in err
        else:
            assert process.returncode == -signal.SIGKILL
    kept = measured(store)
    assert 128 <= kept < 10_000
    rest = command("--samples", kept + 100, *arguments)  # a larger sample begins with the smaller one
    done = subprocess.run(rest, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["stored_before"], found["measured"]) == (kept, 100)
    assert measured(store) == kept + 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chess",), ("chess", "elector", "dataflow")),
        (("elector", "--model", "bert-tiny", "--samples", "0"), ("--samples", "0", "1 to")),
        (("elector", "--model", "bert-tiny", "--samples", "-5"), ("--samples", "-5")),
        (("elector", "--model", "bert-tiny", "--samples", "15000000"), ("15000000", "1 to", "14850000")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--seed", "-1"), ("seed", "-1")),
        (("elector", "--model", "bert-huge", "--samples", "5"), ("bert-huge", "bert-tiny")),
        (("elector", "--model", "edge", "--samples", "5"), ("edge", "transformer")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--engine", "slow"), ("slow", "fast")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--mode", "wrong"), ("wrong", "reference")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--workers", "0"), ("--workers", "0")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--scheduler", "x"), ("--scheduler", "'x'", "tcp://")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--set", "pe=65"), ("pe", "65", "64, 128")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--set", "memory=ddr9"), ("memory", "ddr9", "hbm")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--set", "issue_width=4"), ("issue_width", "tile_b")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--set", "beauty=4"), ("beauty", "pe")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--set", "sequence_length=0"), ("sequence_length", "1")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--library", "no.yaml"), ("no.yaml", "cannot be read")),
        (("elector", "--model", "bert-tiny", "--samples", "5", "--plots", LIBRARY), ("--plots", "is not a folder")),
    ],
)
def test_explorations_that_cannot_be(
    run: Run, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(run("explore", *arguments, "--json"), *words)
    assert store.architectures.counts() == {}
    assert measured(store) == 0


@pytest.mark.usefixtures("threads")
def test_a_sample_is_written_as_rows_with_decisions_and_reasons(run: Run, store: Store, tmp_path: Path) -> None:
    from pyarrow import parquet

    for name in ("sample.csv", "sample.parquet"):
        told = run(*ELECTOR, "--samples", 30, "--seed", 2, "--json", "--out", tmp_path / name).json
        assert told["out"] == str(tmp_path / name)
    text = run(*ELECTOR, "--samples", 30, "--seed", 2, "--out", tmp_path / "sample.csv").out
    assert str(tmp_path / "sample.csv") in text
    with (tmp_path / "sample.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    typed = parquet.read_table(tmp_path / "sample.parquet").to_pylist()
    assert [row["sample"] for row in typed] == list(range(30))
    assert {row["sample"] for row in typed if row["pareto"]} == {row["sample"] for row in told["pareto"]}
    for row, cells in zip(rows, typed, strict=True):
        stored = store.measurements.get(cells["measurement_key"])
        accelerator = store.architectures.get(cells["accelerator_key"])
        assert stored.roles == {"model": cells["model_key"], "accelerator": accelerator.key}
        assert {name: cells[name] for name in stored.measures} == stored.measures
        assert {name: cells[f"accelerator.{name}"] for name in accelerator.choices} == accelerator.choices
        assert float(row["latency_s"]) == cells["latency_s"]
    refused = run(*ELECTOR, "--samples", 30, "--out", tmp_path / "sample.xlsx")
    assert (refused.status, ".csv or .parquet" in refused.err) == (2, True)
