"""The embedded server through its life: raced starts, taken ports, kill -9, stop and wipe."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from graphdb import embedded
from graphdb.connection import open_store
from graphdb.embedded import lifecycle
from graphdb.embedded.files import DataDirectory, try_lock
from graphdb.errors import ConflictError, InputError, StorageFullError, UnavailableError
from graphdb.records import NewTrial, StudyRecord, TrialState
from graphdb.settings import Settings
from tests.graphdb.designs import design, pending, taken


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose server, if any, ends with the test."""
    yield tmp_path / "data"
    embedded.stop(tmp_path / "data", timeout_s=0)


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_what_was_acknowledged_survives_kill_9(directory: Path) -> None:
    settings = Settings(data_directory=directory, retry_s=0.5)  # a lost server is given up soon
    with socket.socket() as taken_port:
        taken_port.bind(("127.0.0.1", 0))
        taken_port.listen()
        wanted = taken_port.getsockname()[1]
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: embedded.start(directory, port=wanted), range(2))
    assert first.pid == second.pid
    assert first.running
    assert first.uri is not None
    assert not first.uri.endswith(f":{wanted}")
    assert first.memory_bytes is not None
    assert first.memory_bytes > 100e6

    with open_store(settings) as store:
        store.architectures.add([design(i) for i in range(3)])
        store.studies.create(StudyRecord("s", "r", 0, 3, {}))
        store.studies.ask("s", [NewTrial(i, pending(design(i)), "initial") for i in range(3)])
        assert store.studies.tell("s", 0, taken(design(0), 1.0))
        _kill(first.pid)
        with pytest.raises(UnavailableError) as caught:
            store.studies.tell("s", 1, taken(design(1), 2.0))
        assert "\n" not in str(caught.value)
    assert not embedded.status(directory).running

    again = embedded.start(directory)
    assert again.running
    assert again.pid != first.pid
    with open_store(settings) as store:
        assert [trial.state for trial in store.studies.trials("s")] == [
            TrialState.DONE,
            TrialState.PENDING,
            TrialState.PENDING,
        ]
        assert store.studies.tell("s", 1, taken(design(1), 2.0))
        assert store.architectures.get(design(2).key) == design(2)

    assert not embedded.stop(directory).running
    assert not embedded.stop(directory).running
    embedded.wipe(directory)
    assert not DataDirectory(directory).database.exists()


def test_a_starter_that_is_killed_leaves_a_server_or_nothing(directory: Path) -> None:
    code = f"from pathlib import Path; from graphdb import embedded; embedded.start(Path({str(directory)!r}))"
    with subprocess.Popen([sys.executable, "-c", code]) as starter:
        while not DataDirectory(directory).lock.exists() and starter.poll() is None:
            time.sleep(0.01)
        starter.kill()
    status = embedded.start(directory)
    assert status.running
    with open_store(Settings(data_directory=directory), start=False) as store:
        assert store.studies.list() == []


def test_a_stale_state_file_is_not_believed(directory: Path) -> None:
    directory.mkdir()
    state = DataDirectory(directory).state
    for text in (
        "",
        "{",
        "[]",
        '{"pid": 1}',
        json.dumps({"pid": os.getpid(), "started": "1", "port": 1, "version": "1"}),
    ):
        state.write_text(text)
        assert not embedded.status(directory).running


def test_wipe_refuses_what_it_cannot_stop(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOCK_TIMEOUT_S", 0.2)
    directory.mkdir()
    data = DataDirectory(directory).database / "data"
    data.mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import fcntl,time;f=open({str(directory / 'server.lock')!r},'w');"
         "fcntl.flock(f,fcntl.LOCK_EX);print('held',flush=True);time.sleep(60)"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ConflictError, match="cannot be stopped"):
            embedded.wipe(directory)
        assert data.exists()
    finally:
        holder.kill()
        holder.communicate()
    embedded.wipe(directory)
    assert not data.exists()


def test_the_lock_is_exclusive(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "lock")
    assert held is not None
    assert try_lock(tmp_path / "lock") is None
    os.close(held)
    again = try_lock(tmp_path / "lock")
    assert again is not None
    os.close(again)


def test_the_password_is_made_once_and_private(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: directory.password(), range(8)))) == 1
    path = tmp_path / "data" / "password"
    assert path.stat().st_mode & 0o077 == 0
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none(tmp_path: Path, port: int) -> None:
    with pytest.raises(InputError, match="port"):
        embedded.start(tmp_path, port=port)


def test_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be made"):
        embedded.start(tmp_path / "file" / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which only root may do")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        with pytest.raises(StorageFullError, match="full"):
            embedded.start(disk / "data")
    finally:
        embedded.stop(disk / "data", timeout_s=0)
        subprocess.run(["umount", "-l", str(disk)], check=True)
