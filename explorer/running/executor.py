"""Executors of evaluations: a pool of processes on this machine, or a Dask cluster."""

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
    """A design that the simulator cannot measure, with the reason."""

    message: str


def evaluate(simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement | Refused:
    """Run a simulator: the unit of work that travels to a worker process.

    Args:
        simulator: registered name of the simulator.
        architectures: role -> architecture.
        settings: settings of the run.
    """
    try:
        return registry.simulator(simulator).run(architectures, settings)
    except InputError as error:
        return Refused(str(error))


@contextmanager
def open_executor(workers: int, scheduler: str | None = None) -> Iterator[Executor]:
    """An executor for the duration of a study.

    Args:
        workers: number of processes; ignored if a scheduler is given.
        scheduler: address of a Dask scheduler (`tcp://host:port`).

    Raises:
        InputError: there are no workers, or Dask is requested but not installed.
        UnavailableError: the scheduler does not answer.
    """
    if scheduler is not None:
        with _dask_executor(scheduler) as executor:
            yield executor
        return
    if workers < 1:
        raise InputError(f"--workers is {workers}; at least 1 process is needed.")
    # Not `fork`: the driver and torch keep threads, and forking a threaded process can deadlock.
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_with_the_parent
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _leave_with_the_parent() -> None:
    """End this worker when its parent is gone, even after `kill -9`: the workers of a pool would wait for ever."""
    # A terminal sends Ctrl-C to the workers too, but the parent decides what happens.
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
