"""Tensors that must not be evicted by the published rules: those that a window needs, until one of its tiles is done.

Source: `process_cycle` of AccelTran's published `accelerator.py`: tiles are searched in order, from the last one
outside heads that was seen to be done; the search ends at the first one there that is not done, or in a head at its
first one. A tile that never runs therefore prevents all later ones from releasing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from explorer.domains.accelerator.acceltran.schedule.buffers import BufferState
from explorer.domains.accelerator.acceltran.schedule.issue import NEVER, Stage, Window, Work


class Required:
    """Marks tensors in buffers as required, cycle by cycle."""

    def __init__(self, stages: tuple[Stage, ...], buffers: Mapping[str, BufferState]) -> None:
        self._stages, self._buffers = stages, buffers
        self._stage = self._index = 0

    def update(self, windows: Iterable[Window | None], now: int) -> None:
        """Release the tensors that finished tiles needed, and hold those that the current windows need."""
        for name in self._released(now):
            self._mark(name, False)
        for window in windows:
            for needs in window.needs if window else ():
                for name in needs:
                    self._mark(name, True)

    def _mark(self, name: str, required: bool) -> None:
        for buffer in self._buffers.values():
            if buffer.has(name):
                buffer.held[name].required = required

    def _released(self, now: int) -> set[str]:
        """Tensors that were needed by a tile which is done by now."""
        released: set[str] = set()
        for number in range(self._stage, len(self._stages)):
            stage = self._stages[number]
            if stage.heads:
                for queue in stage.queues:
                    for work in queue.works:
                        if not _begun(work, now):
                            break
                        released.update(work.operation.needs)
                        if not _complete(work, now):
                            break
                continue
            works = stage.queues[0].works
            for index in range(self._index if number == self._stage else 0, len(works)):
                if not _begun(works[index], now):
                    return released
                self._stage, self._index = number, index
                released.update(works[index].operation.needs)
                if not _complete(works[index], now):
                    return released
        return released


def _begun(work: Work, now: int) -> bool:
    return work.first_done <= now and work.lost_from > 0


def _complete(work: Work, now: int) -> bool:
    return work.last_done <= now and work.lost_from == NEVER
