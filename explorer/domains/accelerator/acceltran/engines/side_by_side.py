"""Estimates of many pairs of model and accelerator side by side: the arithmetic of `analytic`, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components, Module, stacked
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_MHZ
from explorer.domains.accelerator.acceltran.columns import Figure
from explorer.domains.accelerator.acceltran.costs import (
    Machine,
    OperationCost,
    TransferCost,
    operation_cost,
    transfer_cost,
)
from explorer.domains.accelerator.acceltran.engines.ledger import Ledger, sums
from explorer.domains.accelerator.acceltran.engines.outline import (
    HOLDERS,
    OPERATIONS,
    TRANSFERS,
    Numbers,
    Outline,
    Positions,
)
from explorer.domains.accelerator.acceltran.findings.charges import (
    CONTROLLED,
    charge_main_memory,
    charge_operation,
    charge_reads,
    charge_transfer,
    retention_nj,
)
from explorer.domains.accelerator.acceltran.findings.energy import energy_measures
from explorer.domains.accelerator.acceltran.findings.measures import measured
from explorer.domains.accelerator.acceltran.findings.reads import operand_reads, tile_transfer
from explorer.domains.accelerator.acceltran.program import Operation, Transfer
from explorer.domains.accelerator.acceltran.schedule.trace import COMPUTE_STALLS, MEMORY_STALLS, OperationRun, Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.sparsity import role_sparsities

Flags = npt.NDArray[np.bool_]
_MODULES = tuple(Module)


class Pair(NamedTuple):
    """One pair.

    Attributes:
        outline: the model.
        chip, machine: the accelerator.
        issue_width: number of tiles of an issue window.
    """

    outline: Outline
    chip: Components
    machine: Machine
    issue_width: int


def estimates(pairs: Sequence[Pair], settings: RunSettings) -> tuple[Mapping[str, Figure], Flags]:
    """The measures of pairs, and whether each can run.

    Args:
        pairs: pairs whose accelerators have the same loop order.
        settings: settings of the run.

    Raises:
        InputError: an operation or the loop order of one of them is refused.
    """
    return _Estimate(pairs, settings).measures()


def _joined(arrays: Sequence[Positions], sizes: Sequence[int]) -> Positions:
    """Positions of several tables in the table of them all, whose rows follow each other."""
    before = np.cumsum([0, *sizes[:-1]])
    joined: Positions = np.concatenate(arrays) + np.repeat(before, [len(array) for array in arrays])
    return joined


def _all_heads(outlines: Sequence[Outline], operations: Positions, transfers: Positions) -> _AllHeads:
    """The heads of all pairs.

    Args:
        outlines: outline of each pair.
        operations, transfers: place of each row of all pairs' tables, one after the other.
    """
    tables = [outline.heads for outline in outlines]
    heads, groups = [len(table.group) for table in tables], [len(table.times) for table in tables]
    rows = [len(outline.operations) for outline in outlines]
    transfer_rows = [len(outline.transfers) for outline in outlines]
    return _AllHeads(
        operations[_joined([table.operation for table in tables], rows)],
        _joined([table.operation_head for table in tables], heads),
        transfers[_joined([table.transfer for table in tables], transfer_rows)],
        _joined([table.transfer_head for table in tables], heads),
        _joined([table.group for table in tables], groups),
        np.concatenate([table.count for table in tables]),
        np.concatenate([table.times for table in tables]),
        np.repeat(np.arange(len(tables)), groups),
    )


class _Rows:
    """Rows of all pairs, those with one pattern side by side.

    Patterns follow each other by what they are, not by their numbers, which depend on what a process met before: sums
    over them are the same in every process.

    Attributes:
        pair: pair of each row.
        columns: remaining columns of the table.
        place: for each row of the pairs' tables, one after the other, its place here.
    """

    def __init__(self, tables: Sequence[Numbers], patterns: Sequence[Operation | Transfer]) -> None:
        """
        Args:
            tables: table of each pair, the number of the pattern first.
            patterns: pattern of each number.
        """
        table = np.concatenate(tables)
        numbers, of_row = np.unique(table[:, 0].astype(int), return_inverse=True)
        names = [repr(patterns[number]) for number in numbers.tolist()]
        by_name = np.argsort(names)
        ranks = np.argsort(by_name)
        order = np.argsort(ranks[of_row], kind="stable")
        self.pair = np.repeat(np.arange(len(tables)), [len(rows) for rows in tables])[order]
        self.columns = table[order, 1:].T.copy()
        self.place = np.empty(len(order), dtype=np.intp)
        self.place[order] = np.arange(len(order))
        self._starts = np.flatnonzero(np.diff(ranks[of_row][order], prepend=-1))
        self._patterns = numbers[by_name].tolist()

    def groups(self) -> list[tuple[int, slice]]:
        """Each pattern, with its rows."""
        bounds = [*self._starts.tolist(), len(self.pair)]
        return [(pattern, slice(*ends)) for pattern, ends in zip(self._patterns, pairwise(bounds), strict=True)]


class _Moved(NamedTuple):
    """Costs of transfers.

    Attributes:
        bits, mask_bits, cycles, mask_cycles: those of `TransferCost`, row by row.
        buffer: position of each row's buffer in `BUFFERS`.
        costs: pattern -> all costs of its rows.
    """

    bits: Numbers
    mask_bits: Numbers
    cycles: Numbers
    mask_cycles: Numbers
    buffer: Positions
    costs: dict[int, TransferCost]


class _AllHeads(NamedTuple):
    """The heads of all pairs, as in `HeadTable` (`like_it` is its `count`), and the pair of each group."""

    operation: Positions
    operation_head: Positions
    transfer: Positions
    transfer_head: Positions
    group: Positions
    like_it: Numbers
    times: Numbers
    pair: Positions


class _Grid(NamedTuple):
    """The tiles and lanes of the accelerators of some rows; see `findings.reads.Lanes`."""

    tile_b: Figure
    tile: Figure
    loop_order: str
    lanes: Figure


class _Estimate:
    """Pairs side by side."""

    def __init__(self, pairs: Sequence[Pair], settings: RunSettings) -> None:
        self._settings, self._sparsity = settings, role_sparsities(settings)
        self._outlines = [pair.outline for pair in pairs]
        self._chip = stacked([pair.chip for pair in pairs])
        self._room = {name: cast("Numbers", buffer.bits) for name, buffer in self._chip.buffers.items()}
        self._machines = np.array([pair.machine for pair in pairs], dtype=np.float64).T
        self._issue_width = np.array([pair.issue_width for pair in pairs], dtype=np.float64)
        self._count, self._lanes = len(pairs), self._modules(Module.MAC_LANE)
        self._ledger = Ledger(self._count)
        self._cycles = np.zeros(self._count)
        self._module_cycles: dict[Module, Numbers] = {kind: np.zeros(self._count) for kind in Module}
        self._buffer_cycles = {name: np.zeros(self._count) for name in BUFFERS}
        self._memory_bits = np.zeros(self._count)
        self._work = _Rows([outline.operations for outline in self._outlines], OPERATIONS)
        self._moves = _Rows([outline.transfers for outline in self._outlines], TRANSFERS)

    def measures(self) -> tuple[Mapping[str, Figure], Flags]:
        """The measures of the pairs, and whether each can run."""
        alone, port = self._operations()
        costs = self._costs(self._moves)
        held, moving, fits = self._transfers(costs)
        self._heads(alone, port, costs, moving)
        self._cycles = np.maximum(self._cycles, 1)
        trace = Trace(
            cycles=cast("int", self._cycles),
            operations=(),
            transfers=(),
            module_cycles=cast("dict[Module, int]", self._module_cycles),
            buffer_cycles=cast("dict[str, int]", self._buffer_cycles),
            held_bit_cycles=cast("dict[str, float]", self._held_bit_cycles(held)),
            peak_bits={},
            stalls=dict.fromkeys((*MEMORY_STALLS, *COMPUTE_STALLS), 0),
            overlap_cycles=0,
        )
        joules = self._waiting(trace)
        footprints = [dict(outline.footprint_elements) for outline in self._outlines]
        footprint = {name: np.array([sizes[name] for sizes in footprints], dtype=np.float64) for name in footprints[0]}
        return measured(energy_measures(joules), footprint, self._memory_bits, trace, self._chip, self._settings), fits

    def _operations(self) -> tuple[Numbers, Numbers]:
        """Charge all operations, and add those outside heads to the cycles.

        Returns:
            For each row the cycles that it takes alone, and those of the class of modules that it occupies in a head.
        """
        rows, machines = self._work, self._machines[:, self._work.pair]
        alone, port = np.empty(len(rows.pair)), np.empty(len(rows.pair))
        self._classes = np.empty(len(rows.pair), dtype=np.intp)
        batch, x, y, z, times, outside = rows.columns
        for pattern, at in rows.groups():
            machine = Machine(*machines[:, at])
            operation = replace(OPERATIONS[pattern], batch=batch[at], x=x[at], y=y[at], z=z[at])
            cost = operation_cost(operation, machine, self._settings, self._sparsity)
            tiles = cast("Numbers", cost.tiles)
            self._charge(operation, cost, times[at] * tiles, rows.pair[at], machine)
            alone[at] = self._alone(cost, rows.pair[at])
            port[at] = tiles * (cost.cycles + 1)
            self._classes[at] = _MODULES.index(cost.module)
        self._cycles += self._sums(alone * outside, rows.pair)
        return alone, port

    def _charge(
        self, operation: Operation, cost: OperationCost, tiles: Numbers, of_pair: Positions, machine: Machine
    ) -> None:
        """Charge an operation that runs so many tiles in all."""
        switches, ledger = self._settings.switches, self._ledger
        ledger.of_pair = of_pair
        run = OperationRun(operation, 0, 0, cast("int", tiles), cast("int", tiles * cost.cycles))
        self._module_cycles[cost.module] += self._sums(run.module_cycles, of_pair)
        charge_operation(ledger, run, cost, self._chip, self._settings)
        if "buffer-reads" in switches:
            grid = _Grid(machine.tile_b, machine.tile, self._chip.loop_order, self._lanes[of_pair])
            operands = operand_reads(run, cost, grid, HOLDERS, switches)
            charge_reads(ledger, operands, cost, lambda reads: self._cost(tile_transfer(reads), machine), self._chip)

    def _cost(self, transfer: Transfer, machine: Machine) -> TransferCost:
        return transfer_cost(transfer, machine, self._settings, self._sparsity)

    def _alone(self, cost: OperationCost, of_pair: Positions) -> Numbers:
        """Cycles from the issue of an operation's first window until its last tile is done, if all modules are free."""
        modules = self._modules(cost.module)[of_pair]
        width = np.minimum(self._issue_width[of_pair], modules)
        last, at_once = -(-cost.tiles // width) - 1, modules // width
        return last // at_once * np.maximum(cost.cycles + 1, at_once) + last % at_once + cost.cycles + 1

    def _modules(self, kind: Module) -> Numbers:
        """Number of tiles of a class that run at the same time."""
        if kind is Module.SOFTMAX and "softmax-units" not in self._settings.switches:
            kind = Module.LAYER_NORM  # a tile takes all softmax modules of an element
        return cast("Numbers", self._chip.module(kind).count)

    def _costs(self, rows: _Rows) -> _Moved:
        """Costs of transfers, row by row."""
        machines = self._machines[:, rows.pair]
        bits, mask_bits, cycles, mask_cycles = np.empty((4, len(rows.pair)))
        moved = _Moved(bits, mask_bits, cycles, mask_cycles, np.empty(len(rows.pair), dtype=np.intp), {})
        for pattern, at in rows.groups():
            transfer = replace(TRANSFERS[pattern], elements=cast("int", rows.columns[0, at]))
            cost = self._cost(transfer, Machine(*machines[:, at]))
            moved.costs[pattern], moved.buffer[at] = cost, BUFFERS.index(transfer.buffer)
            moved.bits[at], moved.mask_bits[at] = cost.bits, cost.mask_bits
            moved.cycles[at], moved.mask_cycles[at] = cost.cycles, cost.mask_cycles
        return moved

    def _transfers(self, moved: _Moved) -> tuple[dict[str, Numbers], Numbers, Flags]:
        """Charge all transfers, and add those outside heads to the cycles.

        Returns:
            For each buffer the bits that it is given, for each row the cycles that it takes if it has to be moved, and
            for each pair whether it can run.
        """
        rows = self._moves
        _, times, outside, again, _ = rows.columns
        held = {name: np.zeros(self._count) for name in BUFFERS}
        fits = np.ones(self._count, dtype=bool)
        for pattern, at in rows.groups():
            if TRANSFERS[pattern].action != "write_back":
                kept, pair = times[at] - again[at], rows.pair[at]
                held[TRANSFERS[pattern].buffer] += self._sums(moved.bits[at] * kept, pair)
                held["mask"] += self._sums(moved.mask_bits[at] * kept, pair)
                fits[self._rest(pattern, at, moved)] = "refetch" in self._settings.switches
        free = np.all([held[name] <= self._room[name] for name in BUFFERS], axis=0)
        skipped = again * free[rows.pair]
        for pattern, at in rows.groups():
            self._move(TRANSFERS[pattern], moved.costs[pattern], times[at] - skipped[at], rows.pair[at])
        moving = np.where(skipped > 0, 0, np.maximum(moved.cycles, moved.mask_cycles))
        self._cycles += self._sums(moving * outside, rows.pair)
        return held, moving, fits

    def _rest(self, pattern: int, at: slice, moved: _Moved) -> Positions:
        """Move the part of tensors that does not fit: stored in main memory, and brought once for each reader.

        Returns:
            The pairs of these tensors.
        """
        rows, transfer = self._moves, TRANSFERS[pattern]
        pair, bits = rows.pair[at], moved.bits[at]
        mask_share = self._room["mask"][pair] / np.maximum(moved.mask_bits[at], 1)
        share = np.minimum(self._room[transfer.buffer][pair] / np.where(bits, bits, 1), mask_share)
        large = np.flatnonzero((share < 1) & (bits > 0))
        if large.size:
            elements, times, _, _, readers = rows.columns[:, at][:, large]
            rest, pair = np.rint(elements * (1 - share[large])), pair[large]
            machine = Machine(*self._machines[:, pair])
            rest_of = replace(transfer, elements=cast("int", rest))
            streams = [(replace(rest_of, action="load"), readers)]
            if transfer.action == "store":
                streams.append((replace(rest_of, action="write_back"), times))
            for stream, count in streams:
                cost = self._cost(stream, machine)
                self._move(stream, cost, count, pair)
                self._cycles += self._sums(np.maximum(cost.cycles, cost.mask_cycles) * count, pair)
        return rows.pair[at][large]

    def _move(self, transfer: Transfer, cost: TransferCost, times: Numbers, of_pair: Positions) -> None:
        """Charge a transfer that happens so often."""
        self._buffer_cycles[transfer.buffer] += self._sums(cost.cycles * times, of_pair)
        self._buffer_cycles["mask"] += self._sums(cost.mask_cycles * times, of_pair)
        if transfer.action != "store":
            self._memory_bits += self._sums((cost.bits + cost.mask_bits) * times, of_pair)
        self._ledger.of_pair = of_pair
        charge_transfer(self._ledger, transfer, cost, (times, times), self._chip, self._settings)

    def _heads(self, alone: Numbers, port: Numbers, moved: _Moved, moving: Numbers) -> None:
        """Add the heads to the cycles: each group those of its busiest port or class of modules, or longest head."""
        heads = _all_heads(self._outlines, self._work.place, self._moves.place)
        classes, of_group = len(_MODULES), heads.group[heads.operation_head]
        count, size = heads.like_it[heads.operation_head], len(heads.times)
        modules = np.stack([self._modules(kind) for kind in _MODULES])
        kinds = self._classes[heads.operation]
        shares = count * port[heads.operation] / modules[kinds, self._work.pair[heads.operation]]
        busy = [sums(shares, of_group * classes + kinds, size * classes).reshape(size, classes)]
        ports = heads.group[heads.transfer_head]
        count = heads.like_it[heads.transfer_head]
        for cycles, of_buffer in ((moved.cycles, moved.buffer), (moved.mask_cycles, np.full_like(moved.buffer, 2))):
            places = ports * len(BUFFERS) + of_buffer[heads.transfer]
            taken = sums(count * cycles[heads.transfer], places, size * len(BUFFERS))
            busy.append(taken.reshape(size, len(BUFFERS)))
        lengths = sums(alone[heads.operation], heads.operation_head, len(heads.group))
        lengths += sums(moving[heads.transfer], heads.transfer_head, len(heads.group))
        longest = np.concatenate(busy, axis=1).max(axis=1)
        np.maximum.at(longest, heads.group, lengths)
        self._cycles += self._sums(np.rint(longest) * heads.times, heads.pair)

    def _held_bit_cycles(self, held: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """Stored tensors stay until room is needed, so a buffer fills up evenly and then stays full."""
        held_bit_cycles = {}
        for name, bits in held.items():
            capacity = self._room[name]
            full = capacity * (1 - capacity / np.maximum(bits, 1) / 2)
            held_bit_cycles[name] = self._cycles * np.where(bits <= capacity, bits / 2, full)
        return held_bit_cycles

    def _waiting(self, trace: Trace) -> dict[str, Numbers]:
        """Charge leakage of the buffers, background energy, and the control of all; return the energy by part."""
        ledger, switches = self._ledger, self._settings.switches
        ledger.of_pair = np.arange(self._count)
        for name, buffer in self._chip.buffers.items():
            moving = self._buffer_cycles[name]
            ledger.add(f"{name}_buffer_leakage", buffer.leakage_mw / CLOCK_MHZ, moving)
            if "retention" in switches:  # every program brings weights, and stores activations, from the first cycle
                held = trace.held_bit_cycles[name]
                leakage = retention_nj(buffer, self._cycles, moving, held, self._chip.bank_bits)
                ledger.add(f"{name}_buffer_leakage", 1.0, leakage)
        if "background" in switches:
            charge_main_memory(ledger, self._cycles, self._chip)
        joules = ledger.joules()
        if "control" in switches:
            controlled = sum((joules[part] for part in CONTROLLED), np.zeros(self._count))
            joules["control"] = self._chip.control_dynamic * controlled
        return joules

    def _sums(self, amounts: Figure, of_pair: Positions) -> Numbers:
        return sums(amounts, of_pair, self._count)
