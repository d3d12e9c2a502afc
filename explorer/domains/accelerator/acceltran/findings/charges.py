"""Charges: the energy that each operation, transfer and waiting period of a run spends, part by part.

Without corrections the rules are those of AccelTran's published detailed simulator: a module costs its dynamic and
leakage power while a tile keeps it busy, a transfer costs the energy of its accesses, a buffer costs its leakage while
it moves data, and nothing else costs anything (`pe.py`, `modules.py` and `buffer.py`, which never add the energy of
FIFOs, sparsity modules, dataflow modules and DMA modules). Each correction of part `energy` adds or changes one rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod

from explorer.domains.accelerator.acceltran.chip.components import Component, Components, Module, OnChipBuffer
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_MHZ, DATA_BITS
from explorer.domains.accelerator.acceltran.columns import Figure, ceiling, larger, smaller
from explorer.domains.accelerator.acceltran.costs import Costs, OperationCost, TransferCost
from explorer.domains.accelerator.acceltran.findings.reads import Reads, holders, operand_reads, tile_transfer
from explorer.domains.accelerator.acceltran.program import Program, Transfer
from explorer.domains.accelerator.acceltran.schedule.trace import OperationRun, Trace, TransferRun
from explorer.domains.accelerator.acceltran.settings.run import RunSettings

OFF_CHIP = ("main_memory_access", "main_memory_background", "main_memory_refresh")
DYNAMIC = (
    *(f"{name}_dynamic" for name in ("mac", "softmax", "layer_norm")),
    *(f"{name}_dynamic" for name in ("sparsity", "rounding", "fifo", "dataflow", "dma")),
    *(f"{name}_buffer_{way}" for name in ("activation", "weight", "mask") for way in ("write", "read")),
    "main_memory_access",
    "wake_up",
    "control",
)
"""Parts of the energy that are spent on work."""
LEAKAGE = (
    *(f"{name}_leakage" for name in ("mac", "softmax", "layer_norm")),
    *(f"{name}_leakage" for name in ("sparsity", "rounding", "fifo", "dataflow", "dma")),
    *(f"{name}_buffer_leakage" for name in ("activation", "weight", "mask")),
    "main_memory_background",
    "main_memory_refresh",
)
"""Parts of the energy that are spent on time."""
PARTS = (*DYNAMIC, *LEAKAGE)
CONTROLLED = tuple(part for part in DYNAMIC if part not in {*OFF_CHIP, "wake_up", "control"})
"""Parts of which clock tree, control and interconnect take a share; in an order, so that sums of them repeat."""


class Account(ABC):
    """What energy is charged to: one item of a run, or columns of items of many pairs (see `columns`)."""

    __slots__ = ()

    @abstractmethod
    def add(self, part: str, price_nj: Figure, *amounts: Figure) -> None:
        """Add to a part of the energy.

        Args:
            part: part of the energy.
            price_nj: energy of one unit in nJ, a property of the accelerator.
            amounts: factors that give the number of units.
        """

    def work(self, part: str, module: Component, cycles: Figure) -> None:
        """Charge one module's dynamic and leakage power for a number of cycles.

        Args:
            part: prefix of the names of both parts.
            module: module that works.
            cycles: number of cycles in which it works.
        """
        # mW / MHz = nJ per cycle
        self.add(f"{part}_dynamic", module.dynamic_mw / CLOCK_MHZ, cycles)
        self.add(f"{part}_leakage", module.leakage_mw / CLOCK_MHZ, cycles)


@dataclass(slots=True)
class Charge(Account):
    """Energy that one item of a run spends.

    Attributes:
        start, end: cycles over which the energy is spent evenly.
        run: operation or transfer; None for background energy.
        joules: part of `PARTS` -> energy in J.
    """

    start: int
    end: int
    run: OperationRun | TransferRun | None
    joules: dict[str, float] = field(default_factory=dict)

    def add(self, part: str, price_nj: float, *amounts: float) -> None:
        """Add to a part of the energy; see `Account`."""
        nanojoules = prod(amounts, start=price_nj)
        if nanojoules:
            self.joules[part] = self.joules.get(part, 0.0) + nanojoules * 1e-9


def charges(program: Program, costs: Costs, trace: Trace, chip: Components, settings: RunSettings) -> list[Charge]:
    """All charges of a run: operations, transfers, then background energy.

    Args:
        program: program that ran.
        costs: costs of its operations and transfers.
        trace: record of when they ran.
        chip: accelerator on which they ran.
        settings: settings of the run.
    """
    switches = settings.switches
    held, tiles = holders(program), _Tiles(costs)
    spent = []
    for run in trace.operations:
        cost = costs.operation(run.operation)
        spent.append(Charge(run.start, max(run.end, run.start + 1), run))
        charge_operation(spent[-1], run, cost, chip, settings)
        if "buffer-reads" in switches:
            charge_reads(spent[-1], operand_reads(run, cost, chip, held, switches), cost, tiles, chip)
    if "wake-up" in switches:
        _wake_up(spent, costs, trace, chip)
    spent += [_transfer(run, costs.transfer(run.transfer), trace, chip, settings) for run in trace.transfers]
    spent += _busy_leakage(trace, chip)
    if "retention" in switches:
        spent += _retention(trace, chip)
    if "background" in switches:
        spent.append(Charge(0, max(trace.cycles, 1), None))
        charge_main_memory(spent[-1], trace.cycles, chip)
    if "control" in switches:
        for charge in spent:
            joules = sum(joules for part, joules in charge.joules.items() if part in CONTROLLED)
            charge.add("control", chip.control_dynamic * joules * 1e9)
    return spent


class _Tiles:
    """Costs of moving a tile, each computed once."""

    def __init__(self, costs: Costs) -> None:
        self._cost = costs.transfer
        self._known: dict[Transfer, TransferCost] = {}

    def __call__(self, reads: Reads) -> TransferCost:
        transfer = tile_transfer(reads)
        if transfer not in self._known:
            self._known[transfer] = self._cost(transfer)
        return self._known[transfer]


def charge_operation(
    charge: Account, run: OperationRun, cost: OperationCost, chip: Components, settings: RunSettings
) -> None:
    """Charge the modules that an operation's tiles occupy, and those that work for one cycle of each tile.

    Args:
        charge: account to charge.
        run: operation as it ran.
        cost: cost of one of its tiles.
        chip: accelerator on which it ran.
        settings: settings of the run.
    """
    charge.work(cost.module.value, chip.module(cost.module), run.module_cycles)
    if "sparsity-modules" in settings.switches and cost.module is Module.MAC_LANE:
        charge.work("sparsity", chip.modules["pre_sparsity"], run.tiles)
        charge.work("sparsity", chip.modules["post_sparsity"], run.tiles)
        if settings.training:
            charge.work("rounding", chip.modules["stochastic_rounding"], run.tiles)
    if "dataflow-dma" in settings.switches:
        charge.work("dataflow", chip.modules["dataflow"], run.tiles)


def charge_reads(
    charge: Account,
    operands: Iterable[Reads],
    cost: OperationCost,
    tiles: Callable[[Reads], TransferCost],
    chip: Components,
) -> None:
    """Charge reading operands and their masks from the buffers; for MAC lanes, values also pass through the FIFOs.

    Args:
        charge: account to charge.
        operands: reads of each operand.
        cost: cost of one tile of the operation.
        tiles: function that gives the cost of moving one tile.
        chip: accelerator on which it ran.
    """
    for reads in operands:
        tile = tiles(reads)
        charge.add(f"{reads.buffer}_buffer_read", chip.buffers[reads.buffer].access_nj, tile.buffer_bytes, reads.times)
        charge.add("mask_buffer_read", chip.buffers["mask"].access_nj, tile.mask_buffer_bytes, reads.times)
        if cost.module is Module.MAC_LANE:
            fill_cycles = ceiling(tile.bits / (DATA_BITS * chip.fifo_depth))
            charge.work("fifo", chip.modules["fifo"], fill_cycles * reads.times)


def _transfer(run: TransferRun, cost: TransferCost, trace: Trace, chip: Components, settings: RunSettings) -> Charge:
    """The charge of a transfer's accesses: the share of its data and mask that moved before the end of the run."""
    charge = Charge(run.start, max(run.end, run.mask_end, run.start + 1), run)
    moved, mask_moved = (_share(run.start, end, trace.cycles) for end in (run.end, run.mask_end))
    charge_transfer(charge, run.transfer, cost, (moved, mask_moved), chip, settings)
    return charge


def charge_transfer(
    charge: Account,
    transfer: Transfer,
    cost: TransferCost,
    moved: tuple[Figure, Figure],
    chip: Components,
    settings: RunSettings,
) -> None:
    """Charge the accesses of a transfer.

    Args:
        charge: account to charge.
        transfer: the transfer.
        cost: its cost.
        moved: numbers of times that its data and its mask moved, or the share that did.
        chip: accelerator on which it ran.
        settings: settings of the run.
    """
    times, mask_times = moved
    way = "read" if transfer.action == "write_back" else "write"
    buffer = transfer.buffer
    memory_bytes, memory_mask_bytes = _memory_bytes(cost, settings)
    charge.add("main_memory_access", chip.memory_access_nj, memory_bytes * times + memory_mask_bytes * mask_times)
    charge.add(f"{buffer}_buffer_{way}", chip.buffers[buffer].access_nj, cost.buffer_bytes, times)
    charge.add(f"mask_buffer_{way}", chip.buffers["mask"].access_nj, cost.mask_buffer_bytes, mask_times)
    if "dataflow-dma" in settings.switches:
        charge.work("dma", chip.modules["dma"], cost.cycles * times)


def _share(start: int, end: int, cycles: int) -> float:
    """The share of a move from `start` to `end` that is done by `cycles`; 0 if the buffer held its tensor."""
    return max(min(end, cycles) - start, 0) / (end - start) if end > start else 0.0


def _memory_bytes(cost: TransferCost, settings: RunSettings) -> tuple[Figure, Figure]:
    """Bytes of a transfer's data and mask from or to main memory; as published, the same number for both."""
    if "data-bytes" in settings.switches:
        data = smaller(cost.bits / 8, cost.memory_bytes)
    elif "mask-bytes" in settings.switches:
        data = larger(cost.memory_bytes - cost.mask_bits / 8, 0.0)
    else:
        data = cost.memory_bytes / 2
    return data, cost.memory_bytes - data


def _wake_up(operations: Iterable[Charge], costs: Costs, trace: Trace, chip: Components) -> None:
    """Charge a module's leakage up to the break-even time for each time that it wakes up.

    A controller that knows when the next tile comes does not switch a module off if waking it up costs more than that
    saves, so all wake-ups of a class of modules together cost no more than switching off has saved.
    """
    waking: dict[Module, list[tuple[Charge, int]]] = {}
    for charge in operations:
        if isinstance(charge.run, OperationRun) and charge.run.wake_ups:
            waking.setdefault(costs.operation(charge.run.operation).module, []).append((charge, charge.run.wake_ups))
    for kind, woken in waking.items():
        module = chip.module(kind)
        idle = max(module.count * trace.cycles - trace.module_cycles.get(kind, 0), 0)
        cycles = min(chip.break_even_cycles, idle / sum(wake_ups for _, wake_ups in woken))
        for charge, wake_ups in woken:
            charge.add("wake_up", module.leakage_mw / CLOCK_MHZ * cycles * wake_ups)


def _busy_leakage(trace: Trace, chip: Components) -> list[Charge]:
    """Leakage of the buffers as published: a whole buffer leaks only in the cycles in which it moves data."""
    leaking = []
    for name, buffer in chip.buffers.items():
        spent = buffer.leakage_mw / CLOCK_MHZ * trace.buffer_cycles.get(name, 0)
        moves = [(run, _end(run, name)) for run in trace.transfers if name in ("mask", run.transfer.buffer)]
        busy = sum(end - run.start for run, end in moves)
        for run, end in moves:
            if end > run.start:
                leaking.append(Charge(run.start, end, run))
                leaking[-1].add(f"{name}_buffer_leakage", spent * (end - run.start) / busy)
    return leaking


def _retention(trace: Trace, chip: Components) -> list[Charge]:
    """Leakage of the banks that hold data while a buffer moves nothing; the last of them is half full on average."""
    leaking = []
    for name, buffer in chip.buffers.items():
        starts = [run.start for run in trace.transfers if name in ("mask", run.transfer.buffer)]
        holding = trace.cycles - min(starts, default=trace.cycles)
        if holding < 1:
            continue
        leaking.append(Charge(min(starts), trace.cycles, None))
        moving = trace.buffer_cycles.get(name, 0)
        charge = retention_nj(buffer, holding, moving, trace.held_bit_cycles.get(name, 0.0), chip.bank_bits)
        leaking[-1].add(f"{name}_buffer_leakage", charge)
    return leaking


def retention_nj(
    buffer: OnChipBuffer, holding: Figure, moving: Figure, held_bit_cycles: Figure, bank_bits: float
) -> Figure:
    """Leakage of the banks of a buffer that hold data while it moves none, in nJ.

    Args:
        buffer: the buffer.
        holding: number of cycles in which it holds data.
        moving: number of cycles in which it moves data.
        held_bit_cycles: bits that it holds, summed over the cycles.
        bank_bits: size of the banks that it can switch off separately.
    """
    waiting = larger(holding - moving, 0)
    bits = smaller(held_bit_cycles / holding + bank_bits / 2, buffer.bits)
    return buffer.leakage_mw / CLOCK_MHZ * waiting * bits / buffer.bits


def charge_main_memory(charge: Account, cycles: Figure, chip: Components) -> None:
    """Charge the background and refresh energy of the main memory for a run of so many cycles."""
    charge.add("main_memory_background", chip.background_mw / CLOCK_MHZ, cycles)
    charge.add("main_memory_refresh", chip.refresh_mw / CLOCK_MHZ, cycles)


def _end(run: TransferRun, buffer: str) -> int:
    return run.mask_end if buffer == "mask" else run.end
