"""`Stalls`: how long transfers and windows waited, by cause, and how long modules worked at the same time."""

from __future__ import annotations

from explorer.domains.accelerator.acceltran.schedule.trace import COMPUTE_STALLS, MEMORY_STALLS


class Stalls:
    """Counts of waiting transfers and windows, summed over the cycles.

    Attributes:
        counts: cause -> number of cycles times heads that waited for it.
        overlap: number of cycles in which MAC lanes and softmax modules were busy at the same time.
        transfers: cause -> number of transfers that currently wait for it, in every cycle until they are checked again.
        windows: number of windows that currently wait, by `COMPUTE_STALLS`.
    """

    def __init__(self) -> None:
        self.counts = dict.fromkeys((*MEMORY_STALLS, *COMPUTE_STALLS), 0)
        self.overlap = 0
        self.transfers = dict.fromkeys(MEMORY_STALLS, 0)
        self.windows = (0, 0, 0)
        self._transfers_since = 0

    def look_at_transfers(self, now: int) -> None:
        """Add up the transfers that have waited until now, and restart their count."""
        for cause, count in self.transfers.items():
            self.counts[cause] += count * (now - self._transfers_since)
        self.transfers = dict.fromkeys(MEMORY_STALLS, 0)
        self._transfers_since = now

    def pass_cycles(self, cycles: int, overlapping: bool) -> None:
        """Add up the windows that wait for some cycles, in which MAC lanes and softmax modules may both be busy."""
        for cause, count in zip(COMPUTE_STALLS, self.windows, strict=True):
            if count:
                self.counts[cause] += count * cycles
        self.overlap += cycles * overlapping
