"""`sweep`: measure a sample of a design space, many pairs at a time, and store every measurement as it comes.

Which designs a sample holds is a function of its generator alone, and the key of a measurement is known before it is
taken. So a sweep needs no record of its own: run again after an interruption, it looks up what is stored in one query
and measures the rest. A sample of more designs with the same seed begins with those of the smaller one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from explorer import registry
from explorer.contracts.recipe import Roles
from explorer.contracts.space import Choices, DesignSpace
from explorer.running.executor import Refused
from graphdb.architecture import Architecture
from graphdb.canonical import canonical_json
from graphdb.errors import InputError, UnavailableError
from graphdb.measurement import Measurement, measurement_key
from graphdb.store import Store

CHUNK = 64
"""Pairs that travel to a worker at once."""
_CHUNKS_IN_FLIGHT = 32
_STORED_AT_ONCE = 256  # about half a second of writing, which is what a kill can lose


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands.

    Attributes:
        done: pairs that were stored already, measured or refused, of `total`.
        refused: pairs that the simulator cannot measure.
        elapsed_s: since the sweep began.
        left_s: estimated from its own pace; None before the first measurement.
    """

    done: int
    total: int
    refused: int
    elapsed_s: float
    left_s: float | None


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        measurements: position of the pair -> its measurement, in the order of the pairs.
        refused: position of the pair -> why it cannot be measured.
        stored_before: how many measurements were in the database already.
    """

    measurements: Mapping[int, Measurement]
    refused: Mapping[int, str]
    stored_before: int

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why pairs were refused, the most frequent reason first."""
        return dict(Counter(self.refused.values()).most_common())


OnProgress = Callable[[Progress], None]


def draw(space: DesignSpace, count: int, generator: np.random.Generator) -> list[Choices]:
    """`count` different designs, every design equally likely; a larger count only adds to the end.

    Raises:
        InputError: fewer than 1 design, or more than the space has.
    """
    if not 1 <= count <= space.size:
        raise InputError(f"The number of samples is {count}; allowed: 1 to {space.size}, the size of {space.name}.")
    found: dict[str, Choices] = {}
    while len(found) < count:
        choices = space.sample(generator)
        found.setdefault(canonical_json(choices), choices)
    return list(found.values())


def sweep(
    store: Store,
    executor: Executor,
    simulator: str,
    pairs: Sequence[Roles],
    settings: Mapping[str, object],
    *,
    chunk: int = CHUNK,
    on_progress: OnProgress = lambda progress: None,
) -> Sweep:
    """Measure those pairs whose measurements are not stored, and store them.

    As results come in, up to 256 at a time are stored in two transactions: architectures, then measurements. A pair
    that is refused leaves nothing in the database, and is tried again by the next sweep.

    Args:
        store: where measurements are looked up and kept.
        executor: where the simulator runs.
        simulator: its registered name; it must be deterministic.
        pairs: role -> architecture of each measurement, none twice.
        settings: of the simulator; defaults are filled in.
        chunk: pairs that are measured at once by one worker.
        on_progress: is told whenever results were stored.

    Raises:
        InputError: unknown simulator or setting, or architectures whose roles are wrong.
        UnavailableError: a worker or the database is gone; what was stored stays.
    """
    full = registry.simulator(simulator).settings(settings)
    run = _Run(store, pairs, on_progress)
    run.look_up(_keys(simulator, pairs, full))
    chunks = run.missing(chunk)
    running: dict[Future[list[Measurement | Refused]], list[int]] = {}
    try:
        while True:
            for positions in islice(chunks, _CHUNKS_IN_FLIGHT - len(running)):
                work = [pairs[position] for position in positions]
                running[executor.submit(measure_chunk, simulator, work, full)] = positions
            if not running:
                return run.outcome()
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            new = [found for future in finished for found in zip(running.pop(future), future.result(), strict=True)]
            for start in range(0, len(new), _STORED_AT_ONCE):
                run.keep(new[start : start + _STORED_AT_ONCE])
    except BrokenExecutor as error:
        raise UnavailableError("A process that evaluates ended unexpectedly.") from error


def measure_chunk(
    simulator: str, pairs: Sequence[Roles], settings: Mapping[str, object]
) -> list[Measurement | Refused]:
    """Run a simulator on many pairs: the unit of work that travels to a worker process."""
    found = registry.simulator(simulator).run_batch(pairs, settings)
    return [Refused(str(outcome)) if isinstance(outcome, InputError) else outcome for outcome in found]


@dataclass
class _Run:
    """The state of one sweep."""

    store: Store
    pairs: Sequence[Roles]
    on_progress: OnProgress
    measured: dict[int, Measurement] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    stored_before: int = 0
    started: float = field(default_factory=time.monotonic)

    def look_up(self, keys: Sequence[str]) -> None:
        stored = self.store.measurements.get_many(keys)
        # A measurement without measures is one that a study has yet to take.
        self.measured = {at: stored[key] for at, key in enumerate(keys) if key in stored and stored[key].measures}
        self.stored_before = len(self.measured)
        self.report()

    def missing(self, size: int) -> Iterator[list[int]]:
        left = [position for position in range(len(self.pairs)) if position not in self.measured]
        return (left[start : start + size] for start in range(0, len(left), size))

    def keep(self, outcomes: Sequence[tuple[int, Measurement | Refused]]) -> None:
        new: list[Measurement] = []
        used: dict[str, Architecture] = {}
        for position, outcome in outcomes:
            if isinstance(outcome, Refused):
                self.refused[position] = outcome.message
                continue
            self.measured[position] = outcome
            new.append(outcome)
            used.update((found.key, found) for found in self.pairs[position].values())
        self.store.architectures.add(used.values())
        self.store.measurements.add(new)
        self.report()

    def report(self) -> None:
        elapsed_s = time.monotonic() - self.started
        done = len(self.measured) + len(self.refused)
        here = done - self.stored_before
        left_s = elapsed_s / here * (len(self.pairs) - done) if here else None
        self.on_progress(Progress(done, len(self.pairs), len(self.refused), elapsed_s, left_s))

    def outcome(self) -> Sweep:
        return Sweep(dict(sorted(self.measured.items())), dict(sorted(self.refused.items())), self.stored_before)


def _keys(simulator: str, pairs: Sequence[Roles], settings: Mapping[str, object]) -> list[str]:
    version = registry.simulator(simulator).version
    return [
        measurement_key(simulator, version, {role: found.key for role, found in pair.items()}, settings, None)
        for pair in pairs
    ]
