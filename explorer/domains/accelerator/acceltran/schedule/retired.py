"""Which tensors finished tiles let go, as the published scheduler finds them.

Source: `process_cycle` of AccelTran's published `accelerator.py`: tiles are looked through in order, from the last one
outside heads that was found done; the search ends at the first one there that is not done, or in a head at its first
one. A tile that never runs therefore keeps all later ones from letting anything go.
"""

from __future__ import annotations

from explorer.domains.accelerator.acceltran.schedule.issue import NEVER, Stage, Work


class Retired:
    """The search, from cycle to cycle."""

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        self._stages = stages
        self._stage = self._index = 0

    def released(self, now: int) -> set[str]:
        """Tensors that some tile done by then needed."""
        found: set[str] = set()
        for number in range(self._stage, len(self._stages)):
            stage = self._stages[number]
            if stage.heads:
                for queue in stage.queues:
                    for work in queue.works:
                        if not _begun(work, now):
                            break
                        found.update(work.operation.needs)
                        if not _complete(work, now):
                            break
                continue
            works = stage.queues[0].works
            for index in range(self._index if number == self._stage else 0, len(works)):
                if not _begun(works[index], now):
                    return found
                self._stage, self._index = number, index
                found.update(works[index].operation.needs)
                if not _complete(works[index], now):
                    return found
        return found


def _begun(work: Work, now: int) -> bool:
    return work.first_done <= now and work.lost_from > 0


def _complete(work: Work, now: int) -> bool:
    return work.last_done <= now and work.lost_from == NEVER
