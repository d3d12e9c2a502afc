"""Starts, stops, inspects and wipes the server of a data directory; calls may be repeated and may run concurrently."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from graphdb.embedded.files import (
    EXIT_ANOTHER_SERVES,
    EXIT_STORAGE_FULL,
    EXIT_TOO_MANY_FILES,
    DataDirectory,
    ServerState,
    try_lock,
)
from graphdb.embedded.jars import NEO4J_VERSION, Progress, provision
from graphdb.embedded.process import is_alive, resident_memory_bytes, start_time
from graphdb.errors import ConflictError, InputError, StorageFullError, UnavailableError
from graphdb.system_errors import ENOUGH_FILES, allowed_files, is_full, sentence, too_many_files

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0
LOCK_TIMEOUT_S = 5.0
NEEDED_BYTES = 100_000_000
"""Free disk space without which no server is started."""
NEEDED_FILES = 448
"""Open files without which no server is started: its jars, its indexes and some connections."""
_POLL_S = 0.05


@dataclass(frozen=True)
class ServerStatus:
    """Whether the server of a data directory is running, and where it answers."""

    running: bool
    uri: str | None
    version: str
    pid: int | None
    data_directory: str
    memory_bytes: int | None


def status(data_directory: Path) -> ServerStatus:
    """The current status of the server of `data_directory`."""
    state = DataDirectory(data_directory).read_state()
    if state is None:
        return ServerStatus(False, None, NEO4J_VERSION, None, str(data_directory), None)
    return ServerStatus(
        True,
        f"bolt://127.0.0.1:{state.port}",
        state.version,
        state.pid,
        str(data_directory),
        resident_memory_bytes(state.pid),
    )


def start(data_directory: Path, *, port: int = 7687, progress: Progress | None = None) -> ServerStatus:
    """Starts the server unless it is already running; if the preferred port is taken, it listens on another.

    The server outlives the calling process.

    Args:
        data_directory: the data directory to serve.
        port: the preferred port on 127.0.0.1.
        progress: called with the number of jars fetched.

    Raises:
        InputError: the port is out of range.
        ProvisionError, StorageFullError: Neo4j cannot be installed on this machine.
        UnavailableError: the server did not start; the message gives the path of its log.
    """
    if not 1 <= port <= 65535:
        raise InputError(f"The port is {port}; ports go from 1 to 65535.")
    data_directory = data_directory.absolute()
    directory = DataDirectory(data_directory)
    if directory.read_state() is None:
        _check_files()
        jars = provision(progress)
        _create(directory)
        _await_server(directory, _spawn(directory, jars, port))
    return status(data_directory)


def stop(data_directory: Path, *, timeout_s: float = STOP_TIMEOUT_S) -> ServerStatus:
    """Stops the server cleanly, or by force after `timeout_s`; does nothing if no server is running."""
    directory = DataDirectory(data_directory.absolute())
    server = _server_process(directory)
    if server is not None:
        pid, started = server
        _signal(pid, signal.SIGTERM)
        if not _dies_within(pid, started, timeout_s):
            _signal(pid, signal.SIGKILL)
            _dies_within(pid, started, timeout_s)
    return status(data_directory)


def wipe(data_directory: Path) -> None:
    """Stops the server and removes its data; the downloaded Neo4j is kept.

    Raises:
        ConflictError: the server cannot be stopped, or another process is just starting one.
    """
    directory = DataDirectory(data_directory.absolute())
    stop(data_directory)
    if not directory.root.exists():
        return
    lock = _lock_within(directory, LOCK_TIMEOUT_S)
    if lock is None:
        raise ConflictError(f"The server of {directory.root} cannot be stopped, so its data was left as it is.")
    try:
        shutil.rmtree(directory.database, ignore_errors=True)
        for path in (directory.state, directory.log):
            path.unlink(missing_ok=True)
        if directory.database.exists():
            raise ConflictError(f"Some of {directory.database} cannot be removed; see its permissions.")
    finally:
        os.close(lock)


def _check_files() -> None:
    """Refuses to start a server that would end at the limit of open files, which it raises as far as it may."""
    limit = allowed_files()
    if limit is not None and limit < NEEDED_FILES:
        raise UnavailableError(
            f"The embedded Neo4j needs {NEEDED_FILES} open files, and the limit is {limit}; raise it with: "
            f"ulimit -n {ENOUGH_FILES}."
        )


def _create(directory: DataDirectory) -> None:
    try:
        directory.create()
        free_bytes = shutil.disk_usage(directory.root).free
    except OSError as error:
        raise UnavailableError(f"The data directory {directory.root} cannot be made: {error.strerror}.") from error
    if free_bytes < NEEDED_BYTES:  # Neo4j itself would wait for space without a message
        raise StorageFullError(
            f"The disk of {directory.root} is full: {free_bytes // 1_000_000} MB are free, the database needs "
            f"{NEEDED_BYTES // 1_000_000} MB to start."
        )


def _spawn(directory: DataDirectory, jars: Path, port: int) -> subprocess.Popen[bytes]:
    try:
        with directory.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "graphdb.embedded.child", str(directory.root), str(jars), str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                cwd="/",
            )
    except OSError as error:
        if is_full(error):
            raise StorageFullError(sentence(error, directory.root)) from error
        raise UnavailableError(f"The server of {directory.root} cannot be started: {error.strerror}.") from error
    threading.Thread(target=process.wait, daemon=True).start()  # reaps the process if it ends before this one
    return process


def _await_server(directory: DataDirectory, process: subprocess.Popen[bytes]) -> ServerState:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        state = directory.read_state()
        if state is not None:
            return state
        if process.returncode == EXIT_STORAGE_FULL:
            raise StorageFullError(f"The disk of {directory.root} is full; the database needs more room to start.")
        if process.returncode == EXIT_TOO_MANY_FILES:
            raise UnavailableError(too_many_files())
        if process.returncode not in (None, EXIT_ANOTHER_SERVES):
            raise UnavailableError(
                f"The embedded Neo4j ended with status {process.returncode} while starting; see {directory.log}."
            )
        time.sleep(_POLL_S)
    raise UnavailableError(
        f"The embedded Neo4j did not answer within {START_TIMEOUT_S:.0f} s of its start; see {directory.log}."
    )


def _server_process(directory: DataDirectory) -> tuple[int, str] | None:
    """The process that serves the directory or is starting to; None if no process holds the lock."""
    state = directory.read_state()
    if state is not None:
        return state.pid, state.started
    if not directory.lock.exists():
        return None
    lock = try_lock(directory.lock)
    if lock is not None:
        os.close(lock)
        return None
    try:
        pid = int(directory.lock.read_text())
    except ValueError:
        return None
    return pid, start_time(pid)


def _lock_within(directory: DataDirectory, timeout_s: float) -> int | None:
    """Waits for the lock, which the threads of a killed server may hold slightly longer than their process lives."""
    deadline = time.monotonic() + timeout_s
    while (lock := try_lock(directory.lock)) is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return lock


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # already gone, or owned by another user: the caller checks


def _dies_within(pid: int, started: str, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_alive(pid, started):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
