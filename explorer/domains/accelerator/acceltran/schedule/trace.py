"""`Trace`: the record of a run by the scheduler of the detailed engine."""

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
        operation: operation that ran.
        start: cycle in which its first tile is issued.
        end: cycle in which its last tile is done.
        tiles: number of tiles that ran; those that ran twice count twice, dropped ones not at all.
        module_cycles: cycles times modules that its tiles kept busy, for which energy is charged.
        wake_ups: number of times that an idle module took one of its tiles.
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
        transfer: transfer that ran; for a refetch or spill, the one that the scheduler made.
        start, end: cycles in which it starts and ends in its data buffer.
        mask_end: cycle in which it ends in the mask buffer.
        unplanned: whether it is not in the program: a refetch of an evicted tensor, or a spill.
    """

    transfer: Transfer
    start: int
    end: int
    mask_end: int
    unplanned: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """The record of a whole run.

    Attributes:
        cycles: number of cycles until the last operation is done.
        operations: operations in the order of the program's compute list, heads one after the other.
        transfers: transfers in the order in which they started.
        module_cycles: busy cycles times modules, for each class.
        buffer_cycles: number of cycles in which each buffer (and `mask`) moved data.
        held_bit_cycles: bits held in each buffer (and `mask`), summed over the cycles.
        peak_bits: largest number of bits held at once in each buffer (and `mask`).
        stalls: cause -> number of cycles times heads that waited for it, for all of `MEMORY_STALLS` and
            `COMPUTE_STALLS`.
        overlap_cycles: number of cycles in which MAC lanes and softmax modules were busy at the same time.
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
