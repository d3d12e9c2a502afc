"""Leases: one process at a time works on a study or a job, and the work of a process that died can be taken over."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphdb.errors import ConflictError, ExplorerError, UnavailableError
from graphdb.store import Leased, Store

LEASE_S = 120.0
_RENEWALS = 4  # in the time of a lease


@contextmanager
def leased(store: Store, name: str, label: Leased = Leased.STUDY) -> Iterator[Callable[[], None]]:
    """Hold a study or a job for the duration of a run.

    A thread renews the lease, however long the work takes between two calls of the yielded function, which renews it
    too and tells whether it was lost. A holder on this machine whose process is gone is replaced at once; one
    elsewhere, when its lease has expired.

    Args:
        store: database.
        name: name of the study or job.
        label: whether it is a study or a job.

    Raises:
        ConflictError: another process holds it.
        NotFoundError: there is no study or job with that name.
    """
    leases = store.leases(label)
    owner = owner_of(os.getpid())

    def renew() -> None:
        if not leases.take(name, owner, LEASE_S):
            raise ConflictError(
                f"The {label.value.lower()} {name} is being run by {leases.owner(name)}; wait for it, or stop it first."
            )

    free_if_gone(store, name, label)
    renew()
    ended = threading.Event()
    watch = threading.Thread(target=_keep_alive, args=(renew, ended), name=f"lease of {name}", daemon=True)
    watch.start()
    try:
        yield renew
    finally:
        ended.set()
        watch.join()  # or it might take the lease again after the release
        # A lost database must not hide the original error; the lease then expires by itself.
        with suppress(UnavailableError):
            leases.release(name, owner)


def _keep_alive(renew: Callable[[], None], ended: threading.Event) -> None:
    """Renew a lease until the work has ended; a loss is noticed by the work itself, when it renews the lease."""
    while not ended.wait(LEASE_S / _RENEWALS):
        try:
            renew()
        except UnavailableError:
            continue  # the database may come back before the lease expires
        except ExplorerError:
            return


def owner_of(process: int) -> str:
    """The holder that a process of this machine is."""
    return f"{socket.gethostname()}:{process}"


def free_if_gone(store: Store, name: str, label: Leased = Leased.STUDY) -> None:
    """Release the lease of a holder on this machine whose process has ended.

    Raises:
        NotFoundError: there is no study or job with that name.
    """
    leases = store.leases(label)
    holder = leases.owner(name)
    if holder is not None and holder != owner_of(os.getpid()) and is_gone(holder):
        leases.release(name, holder)


def is_gone(holder: str) -> bool:
    """Whether a holder, `host:process`, is a process of this machine that has ended."""
    host, _, process = holder.rpartition(":")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_uncollected(int(process))


def _is_uncollected(process: int) -> bool:
    """Whether a process has ended, but its parent does not know yet; False where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
