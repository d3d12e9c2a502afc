"""`sweep`: measures a sample of a design space, many pairs at a time, and stores every measurement as it arrives.

The designs of a sample depend only on its generator, and the key of a measurement is known before it is taken. A sweep
therefore needs no record: run again after an interruption, it looks up the stored measurements in one query and takes
the rest. A larger sample with the same seed begins with the designs of the smaller one.
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
_STORED_AT_ONCE = 256  # about half a second of writing, the most that a kill can lose


OnProgress = Callable[[Progress], None]


def draw(space: DesignSpace, count: int, generator: np.random.Generator) -> list[Choices]:
    """Draw different designs, each equally likely; a larger count only adds designs at the end.

    Args:
        space: space to draw from.
        count: number of designs.
        generator: random generator for the draw.

    Raises:
        InputError: the count is below 1 or above the size of the space.
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
    """Measure the pairs whose measurements are not stored, and store the results.

    As results arrive, up to 256 at a time are stored in two transactions: architectures, then measurements. A refused
    pair leaves nothing in the database, and is tried again by the next sweep.

    Args:
        store: database of the measurements.
        executor: where the simulator runs.
        simulator: registered name of the simulator.
        pairs: role -> architecture for each measurement, without duplicates.
        settings: settings of the simulator; defaults are filled in.
        chunk: number of pairs sent to a worker at once; None for the simulator's own choice.
        on_progress: function called whenever results were stored.

    Raises:
        InputError: the simulator or a setting is unknown, or the roles of the architectures are wrong.
        UnavailableError: a worker or the database is gone; stored results are kept.
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
        raise UnavailableError("An evaluation process ended unexpectedly.") from error


def measure_chunk(
    simulator: str, pairs: Sequence[Roles], settings: Mapping[str, object]
) -> list[Measurement | Refused]:
    """Run a simulator on many pairs: the unit of work that travels to a worker process.

    Args:
        simulator: registered name of the simulator.
        pairs: role -> architecture, for each measurement.
        settings: settings of all measurements.
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
        # A measurement without measures has yet to be taken by a study.
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
