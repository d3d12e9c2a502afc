"""Steady states: while the same windows are issued again and again, whole periods of a run are alike.

Inside operations all windows of a queue are alike. As long as no transfer or operation starts or ends, what happens
next depends only on the current windows and on how much longer the modules are busy. When this state repeats, so does
everything that happened in between, and any number of such periods can be skipped. A state is compared with an earlier
one, which is replaced after 1, 2, 4, ... cycles (R. P. Brent, An improved Monte Carlo factorization algorithm, 1980),
so a period is found in time proportional to its length.
"""

from __future__ import annotations

from typing import NamedTuple

from explorer.domains.accelerator.acceltran.schedule.issue import Window
from explorer.domains.accelerator.acceltran.schedule.occupancy import Occupancy

PATIENCE = 16
"""Number of cycles before a state is kept: most windows change sooner."""


class State(NamedTuple):
    """The state of a run at the start of a cycle.

    Attributes:
        now: current cycle.
        windows: windows of the queues.
        places: positions of the queues.
        order: positions relative to each other, if the order of issue depends on them.
        busy: (cycles from now, class, tiles) of busy modules.
        counts: current counts: stalls and overlap, and the resources that the windows' operations have used.
    """

    now: int
    windows: tuple[Window | None, ...]
    places: tuple[int, ...]
    order: tuple[int, ...]
    busy: tuple[tuple[int, str, int], ...]
    counts: tuple[int, ...]


def state_of(
    now: int,
    windows: list[Window | None],
    places: list[int],
    by_place: bool,
    modules: Occupancy,
    counts: tuple[int, ...],
) -> State:
    """The state of a run.

    Args:
        now: current cycle.
        windows: windows of the queues.
        places: positions of the queues.
        by_place: whether the order of issue depends on positions.
        modules: free and busy modules.
        counts: current counts.
    """
    busy = tuple(sorted((done - now, str(module), tiles) for done, _, module, tiles, _ in modules.releases))
    order = tuple(place - max(places) if place >= 0 else 1 for place in places) if by_place else ()
    return State(now, tuple(windows), tuple(places), order, busy, counts)


class Steady:
    """Detects repetitions of a state."""

    def __init__(self) -> None:
        self._kept: State | None = None
        self._age, self._longest = 0, 1

    def forget(self) -> None:
        """Start again, because something has changed."""
        self._kept, self._age, self._longest = None, 0, 1

    def differs(self, now: int, windows: list[Window | None], modules: Occupancy) -> bool:
        """Whether a quick check shows that the state is not the kept one, and need not be kept itself.

        Args:
            now: current cycle.
            windows: windows of the queues.
            modules: free and busy modules.
        """
        kept = self._kept
        self._age += 1
        if kept is None:
            return self._age < PATIENCE
        if self._age > self._longest:
            return False
        return (
            len(kept.busy) != len(modules.releases)
            or (bool(kept.busy) and kept.busy[0][0] != modules.next_release - now)
            or any(one is not other for one, other in zip(kept.windows, windows, strict=True))
        )

    def seen(self, state: State) -> State | None:
        """The kept state, if this one repeats it."""
        kept = self._kept
        if kept is not None and (kept.busy, kept.order) == (state.busy, state.order) and kept.places != state.places:
            same = all(one is other for one, other in zip(kept.windows, state.windows, strict=True))
            if same:
                return kept
        if kept is None or self._age > self._longest:
            self._kept, self._age, self._longest = state, 0, 2 * self._longest
        return None
