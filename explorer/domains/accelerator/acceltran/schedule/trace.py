"""`Trace`: what happened when, as the scheduler of the detailed engine found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.domains.accelerator.acceltran.chip.components import Module
from explorer.domains.accelerator.acceltran.program import Buffer, Operation, Transfer

MEMORY_STALLS = ("buffer_busy", "mask_buffer_busy", "no_space", "no_mask_space", "waiting_for_compute")
COMPUTE_STALLS = ("no_free_module", "data_missing", "waiting_for_result")


@dataclass(frozen=True, slots=True)
class OperationRun:
    """One operation as it ran.

    Attributes:
        operation: which.
        start: cycle of its first tile's issue.
        end: cycle in which its last tile is done.
        tiles: tiles that ran, those that ran twice counted twice, those that were dropped left out.
        module_cycles: cycles times modules that its tiles kept busy, as energy is charged for them.
        wake_ups: times that a module which had been idle took one of its tiles.
    """

    operation: Operation
    start: int
    end: int
    tiles: int
    module_cycles: int
    wake_ups: int = 0


@dataclass(frozen=True, slots=True)
class TransferRun:
    """One transfer as it ran; transfers whose tensor was in the buffer already are left out.

    Attributes:
        transfer: which; of a refetch or spill, the one that the scheduler made.
        start, end: cycles of its beginning and of its end in its data buffer.
        mask_end: cycle of its end in the mask buffer.
        unplanned: whether the program did not ask for it: an evicted tensor that is fetched again, or a spill.
        times: how many transfers this one stands for, in an estimate without a schedule.
    """

    transfer: Transfer
    start: int
    end: int
    mask_end: int
    unplanned: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole run.

    Attributes:
        cycles: until the last operation is done.
        operations: in the order of the program's compute list, heads one after the other.
        transfers: in the order in which they started.
        module_cycles: busy cycles times modules of each class.
        buffer_cycles: cycles in which each buffer (and `mask`) moved data.
        held_bit_cycles: bits held, summed over the cycles, of each buffer (and `mask`).
        peak_bits: most bits held at once in each buffer (and `mask`).
        stalls: cause -> cycles times heads that waited for it, all of `MEMORY_STALLS` and `COMPUTE_STALLS`.
        overlap_cycles: cycles in which MAC lanes and softmax modules were busy at the same time.
    """

    cycles: int
    operations: tuple[OperationRun, ...]
    transfers: tuple[TransferRun, ...]
    module_cycles: Mapping[Module, int]
    buffer_cycles: Mapping[Buffer | str, int]
    held_bit_cycles: Mapping[Buffer | str, float]
    peak_bits: Mapping[Buffer | str, float]
    stalls: Mapping[str, int]
    overlap_cycles: int
