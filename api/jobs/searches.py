"""Searches started through the API: separate processes, a limited number at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from graphdb.errors import ConflictError
from graphdb.records import StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store


class Searches:
    """Starts studies in child processes, which outlive the API.

    Args:
        settings: the settings of the database, which each child opens for itself.
        maximum: the number of searches of this API process that may run at the same time.
    """

    def __init__(self, settings: Settings, maximum: int = 2) -> None:
        self._settings = settings
        self._maximum = maximum
        self._running: set[int] = set()
        self._lock = threading.Lock()

    def start(
        self, plan: Callable[[], StudyRecord], store: Store | None = None, time_limit_s: float | None = None
    ) -> StudyRecord:
        """Stores a study and runs it in the background.

        Args:
            plan: stores the study; called only if another search may start.
            store: the database of the study, in which its lease is taken for the new process, so that the study is
                running from then on; None leaves that to the process.
            time_limit_s: the time after which it asks for no more trials; None for no limit.

        Raises:
            ConflictError: too many searches are running.
        """
        from explorer.services import studies  # heavy, and not needed to know the schema

        with self._lock:
            self._reap()
            if len(self._running) >= self._maximum:
                raise ConflictError(
                    f"{len(self._running)} searches that were started here are running; at most {self._maximum} may "
                    "run at a time. Try again when one is done."
                )
            record = plan()
            process = studies.spawn_study(self._settings, record.name, time_limit_s=time_limit_s)
            self._running.add(process)
            if store is not None:
                studies.hold_study(store, record.name, process)
            return record

    def running(self) -> frozenset[int]:
        """The process ids of the searches that have not ended."""
        with self._lock:
            self._reap()
            return frozenset(self._running)

    def _reap(self) -> None:
        self._running = {pid for pid in self._running if not _has_ended(pid)}


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # subprocess has collected it
        return True
