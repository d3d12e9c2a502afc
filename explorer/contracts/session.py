"""`Session`: what a verb may ask of the product, so that domains know no database.

Whatever a session stores is stored when the call returns. It holds no database open between the calls of a long verb
longer than it must: `release` lets go of it, and the next call takes it up again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from explorer.contracts.simulator import Roles
from graphdb.architecture import Architecture, Scalar
from graphdb.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Progress:
    """Where long work stands.

    Attributes:
        done: steps, trials or designs, of `total`.
        total: how many there will be.
        phase: what is going on, in a few words.
        left_s: estimated time; None before anything is known.
        best: best performance so far; None where there is none.
        refused: designs that cannot be measured.

    Example:
        >>> Progress(3, 12, "measuring", left_s=9.0).done
        3
    """

    done: int
    total: int
    phase: str = ""
    left_s: float | None = None
    best: float | None = None
    refused: int = 0


class Report(Protocol):
    """Is told in a few words what is being done."""

    def __call__(self, phase: str, /) -> None: ...


class Interrupted(KeyboardInterrupt):
    """The user ended long work; the message says how to go on."""


@dataclass(frozen=True)
class Descent:
    """That an architecture came from another one.

    Attributes:
        child: what was made.
        parent: what it was made of.
        how: `crossover`, `weight transfer` ...
        about: more of it, such as the share of weights taken over.

    Example:
        >>> parent, child = (Architecture.of("bridges", "all", {"mass": mass}, [], []) for mass in (3, 2))
        >>> Descent(child, parent, "mutation", {"step": 1}).how
        'mutation'
    """

    child: Architecture
    parent: Architecture
    how: str
    about: Mapping[str, Scalar]


@dataclass(frozen=True)
class Sweep:
    """What measuring many designs found.

    Attributes:
        measurements: position of the pair -> its measurement, in the order of the pairs.
        refused: position of the pair -> why it cannot be measured.
        stored_before: how many measurements were in the database already.

    Example:
        >>> Sweep({}, {0: "It is too long.", 1: "It is too long."}, stored_before=0).reasons
        {'It is too long.': 2}
    """

    measurements: Mapping[int, Measurement]
    refused: Mapping[int, str]
    stored_before: int

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why pairs were refused, the most frequent reason first."""
        return dict(Counter(self.refused.values()).most_common())


class Session(Protocol):
    """A user's session, as a verb sees it."""

    def resolve(
        self, reference: str | Mapping[str, Any], *, domain: str, overrides: Mapping[str, Any] | None = None
    ) -> Architecture:
        """The architecture that a user means: a preset, a key or its first digits, a file, or JSON.

        Args:
            reference: as the user gave it.
            domain: that it must be of.
            overrides: decisions to be changed, where the domain knows how.

        Raises:
            InputError: nothing of that name, malformed or illegal JSON, or an architecture of another domain.
            NotFoundError: a key that the database does not hold.
        """

    def add(self, architectures: Iterable[Architecture]) -> int:
        """Store architectures; how many were new."""

    def descend(self, descents: Iterable[Descent]) -> None:
        """Store children and parents, and that the ones came from the others."""

    def measure(self, simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
        """Run a simulator, and store the architectures with the measurement.

        Args:
            simulator: its registered name.
            architectures: role -> architecture.
            settings: of the run; defaults are filled in.

        Raises:
            InputError: unknown simulator or setting, or architectures that cannot be simulated together.
        """

    def keep(self, measurements: Iterable[Measurement]) -> int:
        """Store measurements of stored architectures; how many were new."""

    def report(self, phase: str) -> None:
        """Tell the user in a few words what is being done."""

    def advance(self, progress: Progress) -> None:
        """Show the user how far the work is."""

    def release(self) -> None:
        """Let go of the database before work that may take days."""
