"""`Session`: the services of the product for verbs, so that domains know nothing about the database.

Whatever a session stores is stored when the call returns. Between the calls of a long verb it need not keep the
database open: `release` closes it, and the next call opens it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from explorer.contracts.fact import Fact
from explorer.contracts.simulator import Roles
from graphdb.architecture import Architecture, Scalar
from graphdb.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of long work.

    Attributes:
        done: the number of steps, trials or designs done.
        total: the number in total.
        phase: the current work, in a few words.
        left_s: the estimated time left; None before anything is known.
        best: the best performance so far; None if there is none.
        refused: the number of designs that cannot be measured.
        incumbent: the number of the best trial so far; None if there is none.
        origin: how the latest design was chosen.
        hypervolume: the hypervolume of the Pareto front so far, of a search by several objectives.
        expectation: how much improvement the latest choice was expected to bring; None if that is not known.

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
    incumbent: int | None = None
    origin: str = ""
    hypervolume: float | None = None
    expectation: float | None = None


class Report(Protocol):
    """Called with a few words about the current work."""

    def __call__(self, phase: str, /) -> None: ...


class Interrupted(KeyboardInterrupt):
    """The user interrupted long work; the message says how to continue."""


@dataclass(frozen=True)
class Descent:
    """The descent of an architecture from another one.

    Attributes:
        child: the new architecture.
        parent: the architecture that it came from.
        how: the kind of step: `crossover`, `weight transfer` ...
        about: properties of the step, such as the share of weights taken over.

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
    """The results of measuring many designs.

    Attributes:
        measurements: position of the pair -> its measurement, in the order of the pairs.
        refused: position of the pair -> the reason why it cannot be measured.
        stored_before: the number of measurements that were already in the database.

    Example:
        >>> Sweep({}, {0: "It is too long.", 1: "It is too long."}, stored_before=0).reasons
        {'It is too long.': 2}
    """

    measurements: Mapping[int, Measurement]
    refused: Mapping[int, str]
    stored_before: int

    @property
    def reasons(self) -> Mapping[str, int]:
        """The reasons why pairs were refused and their counts, the most frequent first."""
        return dict(Counter(self.refused.values()).most_common())


class Session(Protocol):
    """A user's session, as a verb sees it."""

    def resolve(
        self, reference: str | Mapping[str, Any], *, domain: str, overrides: Mapping[str, Any] | None = None
    ) -> Architecture:
        """The architecture that a user refers to by a preset, a key or its first digits, a file, or JSON.

        Args:
            reference: the user's text.
            domain: the required domain.
            overrides: decisions to change, if the domain supports it.

        Raises:
            InputError: the name is unknown, the JSON malformed or illegal, or the architecture of another domain.
            NotFoundError: the key is not in the database.
        """

    def facts(self, architecture: Architecture) -> Sequence[Fact]:
        """What follows from an architecture of any domain without a simulation."""

    def add(self, architectures: Iterable[Architecture]) -> int:
        """Stores architectures; returns how many were new."""

    def descend(self, descents: Iterable[Descent]) -> None:
        """Stores children and parents, and the descent of the ones from the others."""

    def measure(self, simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
        """Runs a simulator, and stores the architectures with the measurement.

        Args:
            simulator: the registered name of the simulator.
            architectures: role -> architecture.
            settings: the settings of the run; defaults are filled in.

        Raises:
            InputError: the simulator or a setting is unknown, or the architectures cannot be simulated together.
        """

    def keep(self, measurements: Iterable[Measurement]) -> int:
        """Stores measurements of stored architectures; returns how many were new."""

    def report(self, phase: str) -> None:
        """Shows the user a few words about the current work."""

    def advance(self, progress: Progress) -> None:
        """Shows the user the progress of the work."""

    def release(self) -> None:
        """Closes the database before work that may take days."""
