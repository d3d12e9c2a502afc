"""The scheduler of the detailed engine: runs a program on an accelerator, from one change to the next.

Source: AccelTran's published `simulate`, which in every cycle first starts transfers, then issues windows of tiles,
then lets modules and buffers work. If nothing started in a cycle, nothing can start until a module or a port becomes
free, so such cycles are skipped; where windows repeat, whole periods are skipped (see `periods`). Peculiarities that
are kept:

- a module takes a new tile one cycle after its last one is done, so it is occupied for one cycle more than it works;
- without `refetch`, while all modules are free and everything waits, the published code skips the time that the
  shortest transfer still takes, if that is two cycles or more, without checking what has just become possible; it
  does so up to the next cycle at which it plots, which here is only the end, as for the golden figures;
- without `refetch`, tensors cannot be evicted while they are required: from the cycle in which a window needs them to
  the cycle in which a tile that needed them is done.

With `dropped-tiles` neither tiles nor transfers of a program are lost, and a window ends with its operation and has no
more tiles than there are modules for them.
"""

from __future__ import annotations

import heapq
from functools import lru_cache
from typing import NamedTuple

from explorer.contracts.listening import tell
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Module
from explorer.domains.accelerator.acceltran.costs import Costs
from explorer.domains.accelerator.acceltran.program import Program, flat
from explorer.domains.accelerator.acceltran.schedule.buffers import BufferState
from explorer.domains.accelerator.acceltran.schedule.deadlock import why_it_never_ends
from explorer.domains.accelerator.acceltran.schedule.issue import NEVER, Cursor, Rules, Window, Work, stages_of
from explorer.domains.accelerator.acceltran.schedule.occupancy import Occupancy
from explorer.domains.accelerator.acceltran.schedule.periods import Periods
from explorer.domains.accelerator.acceltran.schedule.refetch import Refetching
from explorer.domains.accelerator.acceltran.schedule.required import Required
from explorer.domains.accelerator.acceltran.schedule.stalls import Stalls
from explorer.domains.accelerator.acceltran.schedule.trace import OperationRun, Trace
from explorer.domains.accelerator.acceltran.schedule.transfers import TransferList
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from graphdb.errors import InputError


class Resources(NamedTuple):
    """The resources that a program runs on.

    Attributes:
        pe: number of processing elements, each with one layer-norm module.
        lanes_per_pe, softmax_per_pe: number of MAC lanes and of softmax modules in each.
        issue_width: number of tiles of a window.
        activation_bits, weight_bits, mask_bits: capacities of the buffers.
    """

    pe: int
    lanes_per_pe: int
    softmax_per_pe: int
    issue_width: int
    activation_bits: float
    weight_bits: float
    mask_bits: float


def run(program: Program, costs: Costs, resources: Resources, settings: RunSettings) -> Trace:
    """Run a program.

    Args:
        program: program to run.
        costs: costs of its operations and transfers.
        resources: resources that it runs on.
        settings: settings of the run.

    Raises:
        InputError: a tensor is larger than its buffer, or the run could never end.
    """
    return Scheduler(program, costs, resources, settings).run()


class Scheduler:
    """One run."""

    def __init__(self, program: Program, costs: Costs, resources: Resources, settings: RunSettings) -> None:
        """Start before anything has run.

        Args:
            program: program to run.
            costs: costs of its operations and transfers.
            resources: resources that it runs on.
            settings: settings of the run.
        """
        on = settings.switches
        self._equal = settings.schedule == "equal"
        self._modules = Occupancy(
            resources.pe * resources.lanes_per_pe,
            resources.pe * resources.softmax_per_pe,
            1 if "softmax-units" in on else resources.softmax_per_pe,
            resources.pe,
        )
        rules = Rules(
            resources.issue_width,
            keep_all="dropped-tiles" in on,
            once="repeated-tiles" in on,
            # Operations that wait for lost results would wait for ever.
            lose_only=not on & {"dropped-tiles", "dependencies"},
            most=self._modules.total,
        )
        operation_costs = {operation.name: costs.operation(operation) for operation in flat(program.compute)}
        stages, self._known = stages_of(program.compute, operation_costs, rules)
        self._cursor = Cursor(stages, rules)
        self._buffers = {name: BufferState(name, getattr(resources, f"{name}_bits")) for name in BUFFERS}
        self._required = Required(stages, self._buffers)
        transfer_list = Refetching if "refetch" in on else TransferList
        self._transfers = transfer_list(
            program.memory, lru_cache(maxsize=None)(costs.transfer), self._buffers, self._known, rules
        )
        self._refetch = self._transfers if isinstance(self._transfers, Refetching) else None
        self._to_the_end = self._refetch is not None or any(
            transfer.action == "write_back" for transfer in flat(program.memory)
        )
        self._stalls = Stalls()
        self._works = tuple(self._known.values())
        self._begun, self._told_every = 0, max(1, len(self._works) // 100)
        self._windows = self._cursor.windows()
        self._forced = -1  # cycle when a transfer that had to wait for room was last let in
        self._missing = [-1] * len(self._windows)  # number of tiles of each window that lack data, -1 if unknown
        self._quiet = False  # whether no transfer can start before something changes
        self._marks: list[int] = []  # when first and last tiles are done
        self._changed = True  # whether what is required may have changed
        self._periods = Periods(self._cursor, self._modules, self._buffers, self._stalls, self._marks, self._equal)

    def run(self) -> Trace:
        """Run the whole program."""
        now = 0
        while not self._done(now):
            now = self._cycle(now)
            if not self._quiet or self._changed or self._modules.idle:
                self._periods.forget()
            else:
                now = self._periods.pass_over(now, self._windows)
        return self._trace(now)

    def _done(self, now: int) -> bool:
        """Whether the run has ended: as published, with the last operation; with corrections, once all is done."""
        last = self._works[-1].last_done <= now
        if not (last and self._to_the_end):
            return last
        ports = all(buffer.free_at <= now for buffer in self._buffers.values())
        return ports and not self._transfers.unfinished and all(work.last_done <= now for work in self._works)

    def _cycle(self, now: int) -> int:
        """Run one cycle, and skip those after it in which nothing happens; return the next cycle."""
        looked = not self._quiet
        extra = looked and self._transfer(now)
        issued = self._issue(now)
        overlapping = self._modules.busy(Module.MAC_LANE) and self._modules.busy(Module.SOFTMAX)
        freed, changed = self._settle(now + 1)
        following = self._passed_over(now)
        if not following:
            moved = looked and (self._transfers.commit() or extra)
            if moved:
                self._missing = [-1] * len(self._missing)
            if not changed:
                self._quiet = not moved
            self._advance(issued)
            following = now + 1 if moved or issued or freed or changed else self._next_change(now)
        self._stalls.pass_cycles(following - now, overlapping)
        return following

    def _transfer(self, now: int) -> bool:
        """Start transfers; return whether an unplanned one has started.

        This can be skipped as long as nothing arrives, ends or becomes required.
        """
        if self._refetch:
            self._refetch.want(self._windows, now)
        self._stalls.look_at_transfers(now)
        return self._transfers.step(now, self._stalls.transfers)

    def _issue(self, now: int) -> list[int]:
        """Issue the windows that can be issued; return the numbers of their queues."""
        issued: list[int] = []
        no_module = data_missing = no_result = 0
        for number in self._order():
            window = self._windows[number]
            if window is None:
                continue
            free = self._modules.can_take(window)
            missing = self._missing[number]
            if missing < 0:
                missing = self._missing[number] = self._tiles_without_data(window, now)
            waiting = window.after and any(work.last_done > now for work in window.after)
            if free and not missing and not waiting:
                self._take(window, now)
                issued.append(number)
                continue
            no_module += not free
            data_missing += missing
            no_result += bool(waiting)
        self._stalls.windows = no_module, data_missing, no_result
        return issued

    def _tiles_without_data(self, window: Window, now: int) -> int:
        return sum(
            part.last - part.first
            for part, needs in zip(window.parts, window.needs, strict=True)
            if not all(self._transfers.available(name, part.work, now) for name in needs)
        )

    def _take(self, window: Window, now: int) -> None:
        woken = self._modules.take(window.module, window.tiles, now)
        for work, first, last in window.parts:
            done = now + work.cost.cycles + 1
            tiles = last - first
            if work.start < 0:
                work.start = now
                self._begin()
            if first == 0 and done < work.first_done:
                work.first_done = done
                heapq.heappush(self._marks, done)
            if last == work.tiles and done < work.last_done:
                work.last_done = done
                heapq.heappush(self._marks, done)
            work.ran += tiles
            work.end = max(work.end, done)
            work.module_cycles += tiles * work.cost.cycles * self._modules.units[window.module]
            work.wake_ups += woken
            woken = 0
            self._modules.release_at(done, work, tiles)

    def _begin(self) -> None:
        """Tell of every hundredth part of the operations that has begun."""
        self._begun += 1
        if self._begun % self._told_every == 0:
            tell(self._begun, len(self._works))

    def _order(self) -> list[int]:
        """Queues in the order of issue: as listed, or the one that is furthest behind first."""
        numbers = list(range(len(self._windows)))
        if self._equal and len(numbers) > 1:
            places = self._cursor.positions
            numbers.sort(key=lambda number: places[number] / self._cursor.queues[number].length)
        return numbers

    def _settle(self, now: int) -> tuple[bool, bool]:
        """Free modules and ports up to the start of a cycle; return whether modules became free, and other changes."""
        freed = self._modules.settle(now)
        for buffer in self._buffers.values():
            self._changed |= buffer.settle(now)
        while self._marks and self._marks[0] <= now:
            heapq.heappop(self._marks)
            self._changed = True
        changed = self._changed
        if changed:
            self._changed = self._quiet = False
            self._missing = [-1] * len(self._missing)
            if not self._refetch:
                self._required.update(self._windows, now)
        return freed, changed

    def _passed_over(self, now: int) -> int:
        """The cycle to continue with if the published code skips some; 0 if it does not."""
        if self._refetch or not (self._transfers.unfinished and self._transfers.all_stalled and self._modules.idle):
            return 0
        left = [buffer.free_at - now - 1 for buffer in self._buffers.values() if buffer.free_at > now + 1]
        passed = min(left, default=0)
        if passed < 2:
            return 0
        for buffer in self._buffers.values():
            buffer.settle(now + 1 + passed)
        self._changed, self._quiet = True, False
        self._missing = [-1] * len(self._missing)
        return now + 1 + passed

    def _advance(self, issued: list[int]) -> None:
        """Advance to the windows after those that were issued."""
        if not issued:
            return
        before, stage = self._windows, self._cursor.stage
        for number in issued:
            window = before[number]
            if window is not None:
                self._cursor.advance(number, window)
        self._cursor.close()
        if self._cursor.stage != stage:
            self._windows, self._changed = self._cursor.windows(), True
            self._missing = [-1] * len(self._windows)
            return
        for number in issued:
            window, following = before[number], self._cursor.window(number)
            if following is not window:
                before[number], self._missing[number] = following, -1
                self._changed |= window is None or following is None or window.needs != following.needs

    def _next_change(self, now: int) -> int:
        """The next cycle that can differ from one in which nothing happened."""
        ports = [buffer.free_at for buffer in self._buffers.values() if buffer.free_at > now + 1]
        following = min([*ports, self._modules.next_release])
        if following == NEVER:
            if self._refetch is None or self._forced == now:
                raise InputError(why_it_never_ends(self._windows, self._modules, self._transfers, now))
            self._refetch.urgent, self._forced, self._quiet = True, now + 1, False
            return now + 1
        self._settle(following)
        return self._passed_over(following - 1) or following

    def _trace(self, now: int) -> Trace:
        self._stalls.look_at_transfers(now)
        self._modules.stop(now)
        for buffer in self._buffers.values():
            buffer.count_to(now)
            buffer.busy_cycles -= max(buffer.free_at - now, 0)
        begun = [work for work in self._works if work.start >= 0]
        module_cycles = dict.fromkeys(Module, 0)
        for work in begun:
            module_cycles[work.cost.module] += work.module_cycles
        return Trace(
            cycles=now,
            operations=tuple(_operation_run(work, now) for work in begun),
            transfers=tuple(self._transfers.runs),
            module_cycles=module_cycles,
            buffer_cycles={name: buffer.busy_cycles for name, buffer in self._buffers.items()},
            held_bit_cycles={name: buffer.bit_cycles for name, buffer in self._buffers.items()},
            peak_bits={name: buffer.peak for name, buffer in self._buffers.items()},
            stalls=self._stalls.counts,
            overlap_cycles=self._stalls.overlap,
        )


def _operation_run(work: Work, now: int) -> OperationRun:
    end = min(work.end, now)
    return OperationRun(work.operation, work.start, end, work.ran, work.module_cycles, work.wake_ups)
