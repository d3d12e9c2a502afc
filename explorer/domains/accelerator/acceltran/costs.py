"""What one operation or transfer of a program costs on an accelerator, whenever it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Module(StrEnum):
    """Classes of modules that tiles occupy."""

    MAC_LANE = "mac"
    SOFTMAX = "softmax"
    LAYER_NORM = "layer_norm"


@dataclass(frozen=True, slots=True)
class OperationCost:
    """Tiles of an operation, and what one of them takes.

    Attributes:
        module: which class of modules its tiles occupy.
        tiles: how many there are, in the order of the accelerator's loops.
        cycles: that a module is busy with one tile.
        multiplications: of one tile, before any is skipped.
        tile_elements: of one tile's first and second operand.
    """

    module: Module
    tiles: int
    cycles: int
    multiplications: int
    tile_elements: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TransferCost:
    """What a transfer moves, and for how long.

    Attributes:
        bits: that the tensor takes in its data buffer.
        mask_bits: that it takes in the mask buffer.
        cycles, mask_cycles: that the data buffer and the mask buffer are busy.
        buffer_bytes, mask_buffer_bytes: moved into or out of the buffers, as energy is charged for them.
        memory_bytes: moved into or out of main memory, data and mask, as energy is charged for them.
    """

    bits: float
    mask_bits: float
    cycles: int
    mask_cycles: int
    buffer_bytes: float
    mask_buffer_bytes: float
    memory_bytes: float
