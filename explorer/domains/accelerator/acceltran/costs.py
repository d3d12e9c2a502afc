"""The cost of one operation or transfer of a program on an accelerator, whenever it runs.

Without corrections it is the cost that AccelTran's published `modules.py` and `buffer.py` charge, down to the order of
the floating-point operations, so that every cycle is rounded in the same way. The corrections:

- `effectual-pairs`: a pair of operands is multiplied where neither is zero, a share (1 - s_left)(1 - s_right) of all
  pairs; a convolution multiplies each element by each element of the kernel (the published count, `tile_y - kernel` per
  row, is below zero for a kernel longer than a tile).
- `lane-imbalance`: each of the n pairs of each of a lane's N multipliers remains with probability p, so the busiest
  multiplier has about `n p + z sqrt(n p (1 - p))` pairs, at most n; z is the expected largest of N normal deviates,
  approximated by the quantile (N - 3/8) / (N + 1/4) (G. Blom, Statistical Estimates and Transformed Beta-Variables,
  1958).
- `row-normalisation`: softmax and layer norm pass twice over all elements, once for the statistics of full rows and
  once for the values, at the published rate (one element per cycle for softmax, one row of a tile for layer norm);
  zeros count in a row's statistics and give results that are not zero, so neither pass skips any.
- `data-bytes`: the amount of data moved follows from a tensor's bits; a load is then also a write to its buffer.

Sizes may be columns (see `columns`): an operation, a transfer and a machine then stand for many, and so does the cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any, NamedTuple

from explorer.domains.accelerator.acceltran.chip.components import Module
from explorer.domains.accelerator.acceltran.chip.constants import (
    CLOCK_MHZ,
    DATA_BITS,
    Overlay,
    constants,
    memory_constants,
    published_bits_per_cycle,
)
from explorer.domains.accelerator.acceltran.chip.hardware import hardware
from explorer.domains.accelerator.acceltran.columns import Figure, ceiling, larger, root, smaller, smallest
from explorer.domains.accelerator.acceltran.program import Kind, Operation, TensorRole, Transfer
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.memory import UserMemory
from graphdb.errors import InputError

Sparsity = Callable[[TensorRole], float]
"""Share of zeros in a tensor of that role."""
_IN_WEIGHT_BUFFER = frozenset({TensorRole.WEIGHT, TensorRole.EMBEDDING, TensorRole.OPTIMISER_STATE})
_TRUE_BANDWIDTH = 8e9 / (published_bits_per_cycle(1e9) * CLOCK_MHZ * 1e6)
"""Ratio of a bandwidth to the value that the published code uses for it."""


@dataclass(frozen=True, slots=True)
class OperationCost:
    """The tiles of an operation, and the cost of one of them.

    Attributes:
        module: class of modules that its tiles occupy.
        tiles: number of tiles, in the order of the accelerator's loops.
        cycles: number of cycles that one tile keeps a module busy.
        multiplications: number of multiplications of one tile before any are skipped.
        tile_elements: numbers of elements of one tile's first and second operand.
    """

    module: Module
    tiles: int
    cycles: int
    multiplications: int
    tile_elements: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TransferCost:
    """The amount of data that a transfer moves, and how long that takes.

    Attributes:
        bits: number of bits that the tensor takes in its data buffer.
        mask_bits: number of bits that its mask takes in the mask buffer.
        cycles, mask_cycles: numbers of cycles that the data buffer and the mask buffer are busy.
        buffer_bytes, mask_buffer_bytes: numbers of bytes moved into or out of the buffers for which energy is charged.
        memory_bytes: number of bytes (data and mask) moved into or out of main memory for which energy is charged.
    """

    bits: float
    mask_bits: float
    cycles: int
    mask_cycles: int
    buffer_bytes: float
    mask_buffer_bytes: float
    memory_bytes: float


class Costs(NamedTuple):
    """Costs of operations and transfers on the accelerator, with the settings of the run.

    Attributes:
        operation, transfer: functions from an operation or a transfer to its cost. `transfer` is also called for the
            tiles that are read (see `findings.reads`).
    """

    operation: Callable[[Operation], OperationCost]
    transfer: Callable[[Transfer], TransferCost]


class Machine(NamedTuple):
    """The properties of an accelerator that costs depend on; bandwidths in bits per cycle, as in the published code.

    Attributes:
        tile_b, tile: sizes of a tile, along the batch and along the other axes.
        multipliers: number of multipliers of a MAC lane.
        memory_bandwidth: bandwidth of main memory.
        activation_bandwidth, weight_bandwidth, mask_bandwidth: bandwidths of the buffers.
        largest_deviate: expected largest of as many normal deviates as a lane has multipliers.
    """

    tile_b: int
    tile: int
    multipliers: int
    memory_bandwidth: float
    activation_bandwidth: float
    weight_bandwidth: float
    mask_bandwidth: float
    largest_deviate: float = 0.0


def machine(choices: Mapping[str, Any], training: bool, overlay: Overlay = ()) -> Machine:
    """The machine that an accelerator's choices describe.

    Args:
        choices: choices of an accelerator; its memory may be user-defined.
        training: whether stochastic rounding is included.
        overlay: constants of a user's library that replace published ones.

    Raises:
        InputError: a choice is missing, or the tables of constants do not cover it.
    """
    hardware(choices, training, overlay)
    table, memory = constants(overlay), choices["memory"]
    activation, weight, mask = (table[f"{name}_buffer", ""]["bandwidth"] for name in ("activation", "weight", "mask"))
    return Machine(
        choices["tile_b"],
        choices["tile_x"],
        choices["mac_per_lane"],
        memory_constants(memory if isinstance(memory, str) else UserMemory.of(memory), overlay)["bandwidth"],
        activation,
        weight,
        mask,
        _largest_deviate(choices["mac_per_lane"]),
    )


def operation_cost(operation: Operation, machine: Machine, settings: RunSettings, sparsity: Sparsity) -> OperationCost:
    """The tiles of an operation, and the cycles of one tile.

    Args:
        operation: operation of a program.
        machine: machine that runs it.
        settings: settings of the run.
        sparsity: sparsity of a tensor by its role.

    Raises:
        InputError: the published code would never finish a convolution, whose count of multiplications is negative.
    """
    tile_b, tile = machine.tile_b, machine.tile
    plane, tiles = tile_b * tile * tile, _tiles(operation, machine)
    match operation.kind:
        case Kind.PRODUCT:
            multiplications = plane * tile
            cycles = _lane_cycles(operation, multiplications, machine, settings, sparsity)
            return OperationCost(Module.MAC_LANE, tiles, cycles, multiplications, (plane, plane))
        case Kind.CONVOLUTION:
            each = tile * operation.z if "effectual-pairs" in settings.switches else tile - operation.z
            multiplications = tile_b * tile * each
            cycles = _lane_cycles(operation, multiplications, machine, settings, sparsity)
            return OperationCost(Module.MAC_LANE, tiles, cycles, multiplications, (plane, operation.z))
        case Kind.SOFTMAX | Kind.LAYER_NORM:
            softmax = operation.kind is Kind.SOFTMAX
            module = Module.SOFTMAX if softmax else Module.LAYER_NORM
            return OperationCost(module, tiles, _row_cycles(operation, machine, settings, sparsity), 0, (plane, 0))
        case Kind.NON_LINEARITY:
            return OperationCost(Module.MAC_LANE, tiles, 1, 0, (plane, 0))
        case Kind.ELEMENTWISE:
            pair = operation.left is not operation.right or len(operation.needs) > 1
            cycles = -(-plane // machine.multipliers)
            return OperationCost(Module.MAC_LANE, tiles, cycles, plane, (plane, plane if pair else 0))


def transfer_cost(transfer: Transfer, machine: Machine, settings: RunSettings, sparsity: Sparsity) -> TransferCost:
    """The bits of a tensor and its mask, the time to move them, and the bytes that energy is charged for.

    As published, main memory serves the data and the mask of a tensor at the same time, each at full bandwidth.

    Args:
        transfer: transfer of a program.
        machine: machine that carries it out.
        settings: settings of the run.
        sparsity: sparsity of a tensor by its role.
    """
    zeros, elements = _zeros(transfer, settings, sparsity), transfer.elements
    bits, mask_bits = elements * (DATA_BITS * (1.0 - zeros)), elements * 1.0
    scale = _TRUE_BANDWIDTH if "bandwidth" in settings.switches else 1.0
    bandwidths = [machine.memory_bandwidth] * 2
    stored = transfer.action == "store"
    if stored:
        bandwidths = [
            machine.weight_bandwidth if transfer.buffer == "weight" else machine.activation_bandwidth,
            machine.mask_bandwidth,
        ]
    # As published, an access counts elements as bytes, and only stores write to a buffer.
    data_bytes, mask_bytes = (elements * 1.0, elements * 1.0) if stored else (elements * (1 - zeros),) * 2
    buffer_bytes, mask_buffer_bytes = (data_bytes, mask_bytes) if stored else (0.0, 0.0)
    if "data-bytes" in settings.switches:
        buffer_bytes = data_bytes = bits / 8
    if "mask-bytes" in settings.switches:
        mask_buffer_bytes = mask_bytes = mask_bits / 8
    return TransferCost(
        bits,
        mask_bits,
        ceiling(bits / (bandwidths[0] * scale)),
        ceiling(mask_bits / (bandwidths[1] * scale)),
        buffer_bytes,
        mask_buffer_bytes,
        0.0 if stored else data_bytes + mask_bytes,
    )


def _tiles(operation: Operation, machine: Machine) -> Figure:
    sizes = [operation.x, operation.y]
    if operation.kind is Kind.PRODUCT:
        sizes.append(operation.z)
    tiles = -(-operation.batch // machine.tile_b) * math.prod(-(-size // machine.tile) for size in sizes)
    return tiles if operation.density == 1.0 else ceiling(tiles * operation.density)


def _lane_cycles(
    operation: Operation, multiplications: Figure, machine: Machine, settings: RunSettings, sparsity: Sparsity
) -> Figure:
    """Cycles that a MAC lane takes for a tile; at least one where corrections are on."""
    on = settings.switches
    if "effectual-pairs" in on:
        kept = (1 - sparsity(operation.left)) * (1 - sparsity(operation.right))
    else:
        kept = 1 - sparsity(_skipping(operation))
    each = multiplications * 1.0 / machine.multipliers
    cycles = ceiling(each * kept)
    if smallest(cycles) < 0:
        raise InputError(
            f"The convolution {operation.name} has a kernel of {operation.z} in tiles of {machine.tile}, which takes "
            "the published code less than no time and so never ends; allowed: a shorter kernel, or the correction "
            "effectual-pairs."
        )
    if "lane-imbalance" in on:
        spread = machine.largest_deviate * root(larger(each * kept * (1 - kept), 0.0))
        cycles = ceiling(smaller(each, each * kept + spread))
    return larger(cycles, 1) if on else cycles


def _skipping(operation: Operation) -> TensorRole:
    """The operand whose zeros the published code skips: the activation, or the gradient in the backward pass."""
    if operation.backward:
        return TensorRole.GRADIENT
    return operation.right if operation.left in _IN_WEIGHT_BUFFER else operation.left


@lru_cache(maxsize=64)
def _largest_deviate(count: int) -> float:
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))


def _row_cycles(operation: Operation, machine: Machine, settings: RunSettings, sparsity: Sparsity) -> Figure:
    tile_b, tile = machine.tile_b, machine.tile
    softmax = operation.kind is Kind.SOFTMAX
    if "row-normalisation" in settings.switches:
        return 2 * tile_b * (tile * tile if softmax else tile + tile)
    # As published, softmax ignores the batch.
    steps = tile * tile if softmax else tile_b * (tile + tile)
    return ceiling(steps * (1 - sparsity(operation.left)))


def _zeros(transfer: Transfer, settings: RunSettings, sparsity: Sparsity) -> float:
    """Share of zeros in a tensor; as published, it depends only on the buffer."""
    if "operation-sparsity" in settings.switches:
        return sparsity(transfer.role)
    return settings.weight_sparsity if transfer.buffer == "weight" else settings.activation_sparsity
