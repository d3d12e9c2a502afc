"""Leases: one process at a time works on a study or a job, and the work of a process that died can be taken over."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from graphdb.errors import ConflictError, UnavailableError
from graphdb.store import Leased, Store

LEASE_S = 120.0


@contextmanager
def leased(store: Store, name: str, label: Leased = Leased.STUDY) -> Iterator[Callable[[], None]]:
    """Hold a study or a job for the duration of a run; the yielded function renews the lease.

    A holder on this machine whose process is gone is replaced at once; one elsewhere, when its lease has expired.

    Args:
        store: database.
        name: name of the study or job.
        label: whether it is a study or a job.

    Raises:
        ConflictError: another process holds it.
        NotFoundError: there is no study or job with that name.
    """
    leases = store.leases(label)
    owner = f"{socket.gethostname()}:{os.getpid()}"

    def renew() -> None:
        if not leases.take(name, owner, LEASE_S):
            raise ConflictError(
                f"The {label.value.lower()} {name} is being run by {leases.owner(name)}; wait for it, or stop it first."
            )

    holder = leases.owner(name)
    if holder is not None and holder != owner and is_gone(holder):
        leases.release(name, holder)
    renew()
    try:
        yield renew
    finally:
        # A lost database must not hide the original error; the lease then expires by itself.
        with suppress(UnavailableError):
            leases.release(name, owner)


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
    return False
