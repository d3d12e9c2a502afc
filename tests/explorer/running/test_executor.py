"""Evaluations in a pool of processes and on a Dask cluster give the same measurements."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer import registry
from explorer.running.executor import Refused, evaluate, open_executor
from graphdb.architecture import Architecture
from graphdb.errors import InputError, UnavailableError
from graphdb.measurement import Measurement
from tests.places import ROOT

SETTINGS = {"engine": "fast", "mode": "reference"}  # in which embeddings must lie in the weight buffer


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, Architecture]]:
    """Two pairs that run and one whose embeddings are too large for the weight buffer."""
    named = (("bert-tiny", "edge"), ("bert-mini", "server"), ("bert-base", "edge"))
    return [
        {"model": registry.preset(model), "accelerator": registry.preset(accelerator)} for model, accelerator in named
    ]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a Dask cluster of two worker processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def outcomes(pairs: list[dict[str, Architecture]], workers: int, scheduler: str | None) -> list[Measurement | Refused]:
    with open_executor(workers, scheduler) as executor:
        futures = [executor.submit(evaluate, "acceltran", pair, SETTINGS) for pair in pairs]
        return [future.result(timeout=600) for future in futures]


def test_the_pool_measures_and_refuses_as_this_process_does(pairs: list[dict[str, Architecture]]) -> None:
    measured = outcomes(pairs, 2, None)
    assert measured == [evaluate("acceltran", pair, SETTINGS) for pair in pairs]
    assert isinstance(measured[2], Refused)
    assert "MiB are missing" in measured[2].message


def test_a_dask_cluster_measures_the_same(pairs: list[dict[str, Architecture]], scheduler: str) -> None:
    assert outcomes(pairs, 1, scheduler) == outcomes(pairs, 2, None)


def test_no_worker_and_no_scheduler_are_refused() -> None:
    with pytest.raises(InputError, match="--workers is 0"), open_executor(0):
        pass


def test_a_scheduler_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.running.executor.CONNECT_TIMEOUT", "1s")
    with pytest.raises(UnavailableError, match=r"tcp://127\.0\.0\.1:9"), open_executor(1, "tcp://127.0.0.1:9"):
        pass
    with pytest.raises(InputError, match="nonsense"), open_executor(1, "nonsense"):
        pass


def test_workers_leave_when_the_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, time\n"
        "from explorer.running.executor import open_executor\n"
        "if __name__ == '__main__':\n"
        "    with open_executor(1) as executor:\n"
        "        print(executor.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(600)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 300
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()
