"""`Periods`: skips periods of a run that is in a steady state (see `steady`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer.domains.accelerator.acceltran.schedule.buffers import BufferState
from explorer.domains.accelerator.acceltran.schedule.issue import NEVER, Cursor, Window
from explorer.domains.accelerator.acceltran.schedule.occupancy import Occupancy
from explorer.domains.accelerator.acceltran.schedule.stalls import Stalls
from explorer.domains.accelerator.acceltran.schedule.steady import Steady, state_of


class Periods:
    """Finds and skips the repetitions in the scheduler's state."""

    def __init__(
        self,
        cursor: Cursor,
        modules: Occupancy,
        buffers: Mapping[str, BufferState],
        stalls: Stalls,
        marks: Sequence[int],
        equal: bool,
    ) -> None:
        """Watch a run.

        Args:
            cursor: positions of its windows.
            modules: busy and free modules.
            buffers: buffers with their ports.
            stalls: counts of what waited.
            marks: heap of the cycles in which first and last tiles are done.
            equal: whether the queue that is furthest behind goes first.
        """
        self._cursor, self._modules, self._buffers = cursor, modules, buffers
        self._stalls, self._marks, self._equal = stalls, marks, equal
        self._steady = Steady()

    def forget(self) -> None:
        """Start again, because something has changed."""
        self._steady.forget()

    def pass_over(self, now: int, windows: list[Window | None]) -> int:
        """Skip as many equal periods as possible; return the cycle to continue with.

        Args:
            now: cycle that would come next.
            windows: windows of the queues.
        """
        if self._steady.differs(now, windows, self._modules):
            return now
        stalls, places = self._stalls, self._cursor.positions
        counts = (*stalls.counts.values(), stalls.overlap, *_used(windows))
        by_place = self._equal and len(windows) > 1
        if by_place and len({queue.length for queue in self._cursor.queues}) > 1:
            return now  # the order depends on shares of different lengths
        before = self._steady.seen(state_of(now, windows, places, by_place, self._modules, counts))
        if before is None:
            return now
        period = now - before.now
        steps = [place - earlier for place, earlier in zip(places, before.places, strict=True)]
        times = min(self._unchanged_for(now) // period, *self._repeats_left(windows, steps))
        if times > 0:
            counted = [count - earlier for count, earlier in zip(counts, before.counts, strict=True)]
            self._repeat(windows, times, period, steps, counted)
        self._steady.forget()
        return now + max(times, 0) * period

    def _unchanged_for(self, now: int) -> int:
        """Number of cycles before the next transfer or operation begins or ends."""
        ends = [buffer.free_at for buffer in self._buffers.values() if buffer.in_use]
        ends += self._marks[:1]
        return min(ends, default=NEVER) - now - 1

    def _repeats_left(self, windows: list[Window | None], steps: list[int]) -> list[int]:
        """For each queue, how often it can advance by its step with the same window."""
        queues = zip(self._cursor.queues, self._cursor.positions, windows, steps, strict=True)
        return [queue.inside(place, window) // step for queue, place, window, step in queues if window and step]

    def _repeat(
        self, windows: list[Window | None], times: int, period: int, steps: list[int], counted: list[int]
    ) -> None:
        """Skip periods, in each of which the queues advance by `steps` and the counts grow by `counted`."""
        self._modules.pass_over(times * period)
        for number, step in enumerate(steps):
            self._cursor.positions[number] += times * step
        amounts = iter(counted)
        for cause, amount in zip(self._stalls.counts, amounts, strict=False):
            self._stalls.counts[cause] += times * amount
        self._stalls.overlap += times * next(amounts)
        for window, step in zip(windows, steps, strict=True):
            if window:
                work = window.parts[0].work
                work.ran += times * next(amounts)
                work.module_cycles += times * next(amounts)
                work.wake_ups += times * next(amounts)
                work.end += times * period if step else 0


def _used(windows: list[Window | None]) -> list[int]:
    """The resources that the operations of the windows have used."""
    works = [window.parts[0].work for window in windows if window]
    return [number for work in works for number in (work.ran, work.module_cycles, work.wake_ups)]
