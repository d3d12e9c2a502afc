"""Where evaluations run: a pool of processes on this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from explorer import registry
from explorer.contracts.simulator import Roles
from graphdb.errors import InputError, UnavailableError
from graphdb.measurement import Measurement

CONNECT_TIMEOUT = "10s"


@dataclass(frozen=True)
class Refused:
    """A design that the simulator cannot measure, with its reason."""

    message: str


def evaluate(simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement | Refused:
    """Run a simulator: the unit of work that travels to a worker process.

    Args:
        simulator: its registered name.
        architectures: role -> architecture.
        settings: of the run.
    """
    try:
        return registry.simulator(simulator).run(architectures, settings)
    except InputError as error:
        return Refused(str(error))


@contextmanager
def open_executor(workers: int, scheduler: str | None = None) -> Iterator[Executor]:
    """An executor for the length of a study.

    Args:
        workers: number of processes; ignored where a scheduler is named.
        scheduler: address of a Dask scheduler (`tcp://host:port`).

    Raises:
        InputError: no workers, or Dask asked for but not installed.
        UnavailableError: the scheduler does not answer.
    """
    if scheduler is not None:
        with _dask_executor(scheduler) as executor:
            yield executor
        return
    if workers < 1:
        raise InputError(f"--workers is {workers}; at least 1 process is needed.")
    # Not `fork`: the driver and torch keep threads, and a fork of a threaded process can dead-lock.
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_with_the_parent
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _leave_with_the_parent() -> None:
    """End this worker when its parent is gone, even by `kill -9`: a pool's workers would wait for ever."""
    # A terminal sends Ctrl-C to the workers too, but it is for the parent to say what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _dask_executor(scheduler: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "--scheduler needs Dask, which is not installed: pip install 'explorer-codesign[dask]'."
        ) from error
    if not scheduler.startswith(("tcp://", "tls://", "ws://", "inproc://")):
        raise InputError(f"--scheduler is {scheduler!r}; the address of a Dask scheduler is needed, tcp://host:port.")
    try:
        client = Client(scheduler, timeout=CONNECT_TIMEOUT)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"No Dask scheduler answers at {scheduler}; give tcp://host:port of a running one."
        ) from error
    with client:
        executor: Executor = client.get_executor()  # type: ignore[no-untyped-call]
        yield executor
