"""The reason why a run can never end, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.domains.accelerator.acceltran.schedule.issue import Window
from explorer.domains.accelerator.acceltran.schedule.occupancy import Occupancy
from explorer.domains.accelerator.acceltran.schedule.transfers import TransferList

_CURE = "the corrections refetch, dropped-tiles and, in training, backward"


def why_it_never_ends(windows: Iterable[Window | None], modules: Occupancy, transfers: TransferList, now: int) -> str:
    """What the first blocked window waits for or, without such a window, what the next transfer waits for.

    Args:
        windows: windows of the queues.
        modules: free and busy modules.
        transfers: transfers of the program.
        now: current cycle.
    """
    for window in windows:
        if window is None:
            continue
        name, most = window.parts[0].work.operation.name, modules.total[window.module]
        if window.tiles > most:
            return (
                f"An issue window of {window.tiles} tiles of {name} never fits {most} {window.module} modules; "
                "allowed: a smaller issue_width, more pe, or the correction dropped-tiles."
            )
        for part, needs in zip(window.parts, window.needs, strict=True):
            for tensor in needs:
                if not transfers.available(tensor, part.work, now):
                    return (
                        f"The run never ends: {name} waits for {tensor}, which is not in a buffer and will not come "
                        f"(the next transfer is that of {transfers.waiting()}); allowed: larger buffers, an "
                        f"issue_width that divides the numbers of tiles, or {_CURE}."
                    )
    return (
        f"The run never ends: the transfer of {transfers.waiting()} waits for room or for an operation that is never "
        f"done; allowed: larger buffers, or {_CURE}."
    )
