"""The fast engine in mode `corrected`: the detailed engine's measures, estimated without a schedule.

Program, costs and energies are those of the detailed engine, switch by switch; only the order of events is not
followed. Operations outside heads run one after the other, each with its transfers before and after it, because their
stores wait for them and hold up later transfers. The heads of a layer share modules and ports: they take as long as the
busiest of these, or as the longest head. Peak power, overlap, stalls, occupancy of the buffers, wake-ups, and spills of
tensors that fit one by one but not together need a schedule, and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components, Module, components
from explorer.domains.accelerator.acceltran.chip.constants import MEBIBYTE_BITS
from explorer.domains.accelerator.acceltran.costs import Costs, OperationCost, TransferCost
from explorer.domains.accelerator.acceltran.engines.detailed import costs_on
from explorer.domains.accelerator.acceltran.engines.outline import Moved, Outline, outline
from explorer.domains.accelerator.acceltran.findings.charges import charges
from explorer.domains.accelerator.acceltran.findings.measures import measured
from explorer.domains.accelerator.acceltran.schedule.trace import (
    COMPUTE_STALLS,
    MEMORY_STALLS,
    OperationRun,
    Trace,
    TransferRun,
)
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.elector.hardware import default_issue_width
from graphdb.errors import InputError

_SCHEDULED = ("peak_power_w", "overlap", "stall_", "peak_")
"""Prefixes of measures that need a schedule."""


def evaluate(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], settings: RunSettings
) -> list[dict[str, float] | InputError]:
    """Measures of each (model dictionary, accelerator choices) pair; an error in place of a pair that cannot run."""
    outcomes: list[dict[str, float] | InputError] = []
    for model, accelerator in pairs:
        try:
            outcomes.append(estimate(model, accelerator, settings))
        except InputError as error:
            outcomes.append(error)
    return outcomes


def estimate(model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings) -> dict[str, float]:
    """Estimate the measures of one batch.

    Args:
        model: dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`).
        accelerator: choices of the accelerator; by default the issue width is a quarter of the processing elements.
        settings: settings of the run.

    Raises:
        InputError: the model or accelerator is malformed, or a tensor does not fit and the correction `refetch` is off.
    """
    chip = components(accelerator, settings.training, settings.overlay)
    rows = outline(build_program(model, chip.batch_size, settings))
    costs = costs_on(accelerator, settings)
    issue_width = accelerator.get("issue_width", default_issue_width(accelerator["pe"]))
    trace = _Estimate(rows, costs, chip, settings, issue_width).trace()
    spent = charges(rows.tensors, costs, trace, chip, settings)
    measures = measured(spent, rows.tensors, costs, trace, chip, settings)
    return {name: value for name, value in measures.items() if not name.startswith(_SCHEDULED)}


class _Estimate:
    """One pair."""

    def __init__(self, rows: Outline, costs: Costs, chip: Components, settings: RunSettings, issue_width: int) -> None:
        self._rows, self._chip, self._settings, self._issue_width = rows, chip, settings, issue_width
        self._operations = [costs.operation(operation) for operation, _ in rows.operations]
        self._transfers = [costs.transfer(moved.transfer) for moved in rows.transfers]
        self._held = self._held_bits()
        self._again_is_free = all(self._held[name] <= chip.buffers[name].bits for name in self._held)
        self._streams = [
            run for moved, cost in zip(rows.transfers, self._transfers, strict=True) for run in self._rest(moved, cost)
        ]
        self._streamed = [costs.transfer(transfer) for transfer, _ in self._streams]

    def trace(self) -> Trace:
        """The distinct operations and transfers, each of which stands for all that are like it."""
        cycles = self._cycles()
        moves = [
            (moved.transfer, cost, moved.times - moved.again * self._again_is_free)
            for moved, cost in zip(self._rows.transfers, self._transfers, strict=True)
        ]
        moves += [
            (transfer, cost, times) for (transfer, times), cost in zip(self._streams, self._streamed, strict=True)
        ]
        busy = dict.fromkeys(BUFFERS, 0)
        for transfer, cost, times in moves:
            busy[transfer.buffer] += cost.cycles * times
            busy["mask"] += cost.mask_cycles * times
        module_cycles = dict.fromkeys(Module, 0)
        for (_, count), work in zip(self._rows.operations, self._operations, strict=True):
            module_cycles[work.module] += count * work.tiles * work.cycles
        capacity = {name: buffer.bits for name, buffer in self._chip.buffers.items()}
        return Trace(
            cycles=cycles,
            operations=tuple(
                OperationRun(operation, 0, cycles, count * work.tiles, count * work.tiles * work.cycles)
                for (operation, count), work in zip(self._rows.operations, self._operations, strict=True)
            ),
            transfers=tuple(
                TransferRun(transfer, 0, min(cost.cycles, cycles), min(cost.mask_cycles, cycles), times=times)
                for transfer, cost, times in moves
                if times
            ),
            module_cycles=module_cycles,
            buffer_cycles=busy,
            # Stored tensors stay until room is needed, so a buffer fills up evenly and then stays full.
            held_bit_cycles={
                name: cycles
                * (bits / 2 if bits <= capacity[name] else capacity[name] * (1 - capacity[name] / bits / 2))
                for name, bits in self._held.items()
            },
            peak_bits={},
            stalls=dict.fromkeys((*MEMORY_STALLS, *COMPUTE_STALLS), 0),
            overlap_cycles=0,
        )

    def _held_bits(self) -> dict[str, float]:
        """Total number of bits that are brought into or stored in each buffer."""
        held = dict.fromkeys(BUFFERS, 0.0)
        for moved, cost in zip(self._rows.transfers, self._transfers, strict=True):
            if moved.transfer.action != "write_back":
                held[moved.transfer.buffer] += cost.bits * (moved.times - moved.again)
                held["mask"] += cost.mask_bits * (moved.times - moved.again)
        return held

    def _rest(self, moved: Moved, cost: TransferCost) -> list[tuple[Any, int]]:
        """The part of a tensor that does not fit: stored in main memory, and brought once for each reader."""
        transfer, buffers = moved.transfer, self._chip.buffers
        if transfer.action == "write_back" or not cost.bits:
            return []
        share = min(buffers[transfer.buffer].bits / cost.bits, buffers["mask"].bits / max(cost.mask_bits, 1.0))
        if share >= 1:
            return []
        if "refetch" not in self._settings.switches:
            raise InputError(
                f"The tensor {transfer.tensor} needs {cost.bits / MEBIBYTE_BITS:.4g} MiB of the {transfer.buffer} "
                f"buffer and {cost.mask_bits / MEBIBYTE_BITS:.4g} MiB of the mask buffer; allowed: larger buffers, or "
                "the correction refetch."
            )
        rest = replace(transfer, elements=round(transfer.elements * (1 - share)), made_by=None)
        streams = [(replace(rest, action="load"), moved.readers)]
        if transfer.action == "store":
            streams.append((replace(rest, action="write_back"), moved.times))
        return streams

    def _cycles(self) -> int:
        rows = self._rows
        alone = [self._alone(work) for work in self._operations]
        total = sum(alone[position] * times for position, times in rows.single_operations)
        total += sum(self._moving(position, times) for position, times in rows.single_transfers)
        total += sum(self._side_by_side(group.heads, alone) * group.times for group in rows.head_groups)
        streams = zip(self._streams, self._streamed, strict=True)
        return max(total + sum(max(cost.cycles, cost.mask_cycles) * times for (_, times), cost in streams), 1)

    def _moving(self, position: int, times: int) -> int:
        cost, moved = self._transfers[position], self._rows.transfers[position]
        if moved.again and self._again_is_free:
            return 0
        return max(cost.cycles, cost.mask_cycles) * times

    def _side_by_side(
        self, heads: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...], alone: Sequence[int]
    ) -> int:
        """Cycles of heads: those of the busiest port or class of modules, or of the longest head."""
        busy = dict.fromkeys((*Module, *BUFFERS), 0.0)
        longest = 0
        for work, moves, count in heads:
            for position in work:
                cost = self._operations[position]
                busy[cost.module] += count * cost.tiles * (cost.cycles + 1) / self._modules(cost.module)
            for position in moves:
                moved = self._transfers[position]
                busy[self._rows.transfers[position].transfer.buffer] += count * moved.cycles
                busy["mask"] += count * moved.mask_cycles
            head = sum(alone[position] for position in work) + sum(self._moving(position, 1) for position in moves)
            longest = max(longest, head)
        return round(max(longest, *busy.values()))

    def _alone(self, cost: OperationCost) -> int:
        """Cycles from the issue of an operation's first window until its last tile is done, if all modules are free."""
        if not cost.tiles:
            return 0
        modules = self._modules(cost.module)
        width = min(self._issue_width, modules)
        last, at_once = -(-cost.tiles // width) - 1, modules // width
        return last // at_once * max(cost.cycles + 1, at_once) + last % at_once + cost.cycles + 1

    def _modules(self, kind: Module) -> int:
        count = self._chip.module(kind).count
        if kind is Module.SOFTMAX and "softmax-units" not in self._settings.switches:
            return self._chip.module(Module.LAYER_NORM).count  # a tile takes all softmax modules of an element
        return count
