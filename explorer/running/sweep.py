"""`sweep`: measure a sample of a design space, many pairs at a time, and store every measurement as it comes.

Which designs a sample holds is a function of its generator alone, and the key of a measurement is known before it is
taken. So a sweep needs no record of its own: run again after an interruption, it looks up what is stored in one query
and measures the rest. A sample of more designs with the same seed begins with those of the smaller one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from explorer import registry
from explorer.contracts.session import Progress, Sweep
from explorer.contracts.simulator import Roles
from explorer.contracts.space import Choices, DesignSpace
from explorer.running.executor import Refused
from graphdb.architecture import Architecture
from graphdb.canonical import canonical_json
from graphdb.errors import InputError, UnavailableError
from graphdb.measurement import Measurement
from graphdb.store import Store

_CHUNKS_IN_FLIGHT = 32
_STORED_AT_ONCE = 256  # about half a second of writing, which is what a kill can lose


OnProgress = Callable[[Progress], None]


def draw(space: DesignSpace, count: int, generator: np.random.Generator) -> list[Choices]:
    """Different designs, every design equally likely; a larger count only adds to the end.

    Args:
        space: drawn from.
        count: of designs.
        generator: of the choice.

    Raises:
        InputError: fewer than 1 design, or more than the space has.
    """
    if not 1 <= count <= space.size:
        raise InputError(f"The number of samples is {count}; allowed: 1 to {space.size}, the size of {space.name}.")
    drawn: dict[str, Choices] = {}
    while len(drawn) < count:
        choices = space.sample(generator)
        drawn.setdefault(canonical_json(choices), choices)
    return list(drawn.values())


def sweep(
    store: Store,
    executor: Executor,
    simulator: str,
    pairs: Sequence[Roles],
    settings: Mapping[str, object],
    *,
    chunk: int | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Sweep:
    """Measure those pairs whose measurements are not stored, and store them.

    As results come in, up to 256 at a time are stored in two transactions: architectures, then measurements. A pair
    that is refused leaves nothing in the database, and is tried again by the next sweep.

    Args:
        store: where measurements are looked up and kept.
        executor: where the simulator runs.
        simulator: its registered name.
        pairs: role -> architecture of each measurement, none twice.
        settings: of the simulator; defaults are filled in.
        chunk: pairs that travel to a worker at once; None for what the simulator asks for.
        on_progress: is told whenever results were stored.

    Raises:
        InputError: unknown simulator or setting, or architectures whose roles are wrong.
        UnavailableError: a worker or the database is gone; what was stored stays.
    """
    measurer = registry.simulator(simulator)
    full = measurer.settings(settings)
    for pair in pairs:
        measurer.check_roles(pair)
    run = _Run(store, pairs, on_progress)
    run.look_up([measurer.measurement_key({role: one.key for role, one in pair.items()}, full) for pair in pairs])
    chunks = run.missing(measurer.chunk(full) if chunk is None else chunk)
    running: dict[Future[list[Measurement | Refused]], list[int]] = {}
    try:
        while True:
            for positions in islice(chunks, _CHUNKS_IN_FLIGHT - len(running)):
                work = [pairs[position] for position in positions]
                running[executor.submit(measure_chunk, simulator, work, full)] = positions
            if not running:
                return run.outcome()
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            new = [taken for future in finished for taken in zip(running.pop(future), future.result(), strict=True)]
            for start in range(0, len(new), _STORED_AT_ONCE):
                run.keep(new[start : start + _STORED_AT_ONCE])
    except BrokenExecutor as error:
        raise UnavailableError("A process that evaluates ended unexpectedly.") from error


def measure_chunk(
    simulator: str, pairs: Sequence[Roles], settings: Mapping[str, object]
) -> list[Measurement | Refused]:
    """Run a simulator on many pairs: the unit of work that travels to a worker process.

    Args:
        simulator: its registered name.
        pairs: role -> architecture, for each measurement.
        settings: of all of them.
    """
    outcomes = registry.simulator(simulator).run_batch(pairs, settings)
    return [Refused(str(outcome)) if isinstance(outcome, InputError) else outcome for outcome in outcomes]


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
            used.update((one.key, one) for one in self.pairs[position].values())
        self.store.architectures.add(used.values())
        self.store.measurements.add(new)
        self.report()

    def report(self) -> None:
        elapsed_s = time.monotonic() - self.started
        done = len(self.measured) + len(self.refused)
        here = done - self.stored_before
        left_s = elapsed_s / here * (len(self.pairs) - done) if here else None
        self.on_progress(Progress(done, len(self.pairs), "measuring", left_s, refused=len(self.refused)))

    def outcome(self) -> Sweep:
        return Sweep(dict(sorted(self.measured.items())), dict(sorted(self.refused.items())), self.stored_before)
