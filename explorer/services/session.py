"""`DatabaseSession`: the `Session` of verbs, based on the database and the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from explorer.contracts.listening import listening
from explorer.contracts.session import Descent, Progress, Report
from graphdb.settings import Settings

if TYPE_CHECKING:
    from explorer.contracts.fact import Fact
    from explorer.contracts.simulator import Roles
    from graphdb.architecture import Architecture
    from graphdb.measurement import Measurement
    from graphdb.store import Store


def _silent(what: object, /) -> None:
    del what


class DatabaseSession:
    """A user's session with the database, which is opened when it is first needed.

    Args:
        settings: the settings of the database.
        report: called with a few words about the current work.
        advance: called with the progress of the work.
        note: called with one sentence when reading changed what the user gave.
    """

    def __init__(
        self,
        settings: Settings,
        report: Report = _silent,
        advance: Callable[[Progress], None] = _silent,
        note: Callable[[str], None] = _silent,
    ) -> None:
        self._settings = settings
        self._note = note
        self._report = report
        self._advance = advance
        self._open = ExitStack()
        self._store: Store | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def store(self) -> Store:
        """The open database."""
        if self._store is None:
            from graphdb.connection import open_store

            self._store = self._open.enter_context(open_store(self._settings, starting=self._starting))
        return self._store

    def resolve(
        self, reference: str | Mapping[str, Any], *, domain: str, overrides: Mapping[str, Any] | None = None
    ) -> Architecture:
        """The architecture that a user refers to; see `Session`."""
        from explorer.services.references import resolve_architecture

        return resolve_architecture(self.store, reference, domain=domain, overrides=overrides, note=self._note)

    def facts(self, architecture: Architecture) -> Sequence[Fact]:
        """What follows from an architecture of any domain without a simulation."""
        from explorer import registry

        return registry.facts(architecture)

    def add(self, architectures: Iterable[Architecture]) -> int:
        """Stores architectures; returns how many were new."""
        return self.store.architectures.add(architectures)

    def descend(self, descents: Iterable[Descent]) -> None:
        """Stores children and parents, and the descent of the ones from the others."""
        from explorer.running.lineage import store_descents

        store_descents(self.store, descents)

    def measure(self, simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
        """Runs a simulator, and stores the architectures with the measurement; see `Session`."""
        from explorer.services.simulations import simulate

        with listening(lambda done, total: self.advance(Progress(done, total, "simulating"))):
            return simulate(self.store, simulator, architectures, settings)

    def keep(self, measurements: Iterable[Measurement]) -> int:
        """Stores measurements of stored architectures; returns how many were new."""
        return self.store.measurements.add(measurements)

    def report(self, phase: str) -> None:
        """Shows the user a few words about the current work."""
        self._report(phase)

    def advance(self, progress: Progress) -> None:
        """Shows the user the progress of the work."""
        self._advance(progress)

    @contextmanager
    def _starting(self) -> Iterator[Callable[[int, int], None]]:
        self.report("starting the database")
        yield lambda done, total: self.advance(Progress(done, total, "fetching the database"))

    def release(self) -> None:
        """Closes the database; the next call that needs it opens it again."""
        self._store = None
        self._open.close()
