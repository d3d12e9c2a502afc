"""Reads of operands from the buffers: the number of tiles of each tensor that the modules of an operation fetch."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple, Protocol

from explorer.domains.accelerator.acceltran.columns import is_nothing
from explorer.domains.accelerator.acceltran.costs import OperationCost
from explorer.domains.accelerator.acceltran.findings.reuse import Reuse, convolution_reuse, reuse
from explorer.domains.accelerator.acceltran.program import Buffer, Kind, Operation, Program, TensorRole, Transfer, flat
from explorer.domains.accelerator.acceltran.schedule.trace import OperationRun

Holders = Mapping[str, tuple[TensorRole, Buffer]]
_IN_WEIGHT_BUFFER = frozenset({TensorRole.WEIGHT, TensorRole.EMBEDDING, TensorRole.OPTIMISER_STATE})


class Reads(NamedTuple):
    """Reads of one operand.

    Attributes:
        role: role of its tensor.
        buffer: buffer that holds it.
        elements: number of elements of one tile.
        times: number of tiles that are read; a fraction if an operation leaves out some of its tiles.
    """

    role: TensorRole
    buffer: Buffer
    elements: int
    times: float


def holders(program: Program) -> Holders:
    """Tensor -> its role, and the buffer that holds it."""
    return {transfer.tensor: (transfer.role, transfer.buffer) for transfer in flat(program.memory)}


class Lanes(Protocol):
    """What reads depend on: the tiles, their order, and the number of MAC lanes of an accelerator."""

    @property
    def tile_b(self) -> int: ...
    @property
    def tile(self) -> int: ...
    @property
    def loop_order(self) -> str: ...
    @property
    def lanes(self) -> int: ...


def operand_reads(
    run: OperationRun, cost: OperationCost, chip: Lanes, held: Holders, switches: Set[str]
) -> list[Reads]:
    """The reads of an operation's tiles: products and convolutions read what they cannot re-use, others each operand.

    Tiles that ran twice, or not at all, count with their share of the whole operation's reads.

    Args:
        run: operation as it ran.
        cost: cost of one of its tiles.
        chip: accelerator on which it ran.
        held: tensor -> role and buffer.
        switches: corrections that are on.
    """
    operation = run.operation
    along_b = -(-operation.batch // chip.tile_b)
    along_x, along_y, along_z = (-(-size // chip.tile) for size in (operation.x, operation.y, operation.z))
    saved, tiles = Reuse(0, 0), along_b * along_x * along_y
    shared = (False, False)
    if operation.kind is Kind.PRODUCT:
        tiles *= along_z
        once = "weights-once" in switches
        shared = (once and operation.left is TensorRole.WEIGHT, once and operation.right is TensorRole.WEIGHT)
        saved = reuse(chip.loop_order, along_b, along_x, along_z, along_y, lanes=chip.lanes, shared=shared)
    elif operation.kind is Kind.CONVOLUTION:
        saved = convolution_reuse(chip.loop_order, along_b, along_x, along_y, chip.lanes)
    reads = []
    for role, elements, reused, one in zip(
        (operation.left, operation.right), cost.tile_elements, saved, shared, strict=True
    ):
        if not is_nothing(elements):
            # A tile of a weight shared by the whole batch does not grow with the number of sequences.
            size = elements // chip.tile_b if one else elements
            reads.append(Reads(role, _buffer(operation, role, held), size, (tiles - reused) * run.tiles / tiles))
    return reads


def _buffer(operation: Operation, role: TensorRole, held: Holders) -> Buffer:
    """The buffer of the tensor of that role that the operation needs; by default the one for tensors of that kind."""
    for tensor in operation.needs:
        holder = held.get(tensor)
        if holder is not None and holder[0] is role:
            return holder[1]
    return "weight" if role in _IN_WEIGHT_BUFFER else "activation"


def tile_transfer(reads: Reads) -> Transfer:
    """One tile as a transfer that costs can be asked for: reading it costs the same as storing it."""
    return Transfer("tile", "store", reads.buffer, reads.elements, reads.role)
