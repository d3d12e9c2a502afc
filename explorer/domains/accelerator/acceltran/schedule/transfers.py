"""The memory list of a program as the published scheduler works through it.

Source: the memory step of AccelTran's published `simulate`, with its faults: data that do not fit stop the run, evicted
data never return, and once a head is at its end the positions of the others are confused, so that some heads skip
a transfer (see `order`). If a layer has only one head, all of its transfers except the first are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from explorer.domains.accelerator.acceltran.costs import TransferCost
from explorer.domains.accelerator.acceltran.program import Heads, Transfer
from explorer.domains.accelerator.acceltran.schedule.buffers import BufferState, Tensor
from explorer.domains.accelerator.acceltran.schedule.issue import Rules, Work
from explorer.domains.accelerator.acceltran.schedule.trace import TransferRun

Lists = tuple[tuple[Transfer, ...], ...]


class TransferList:
    """Transfers in order, with those of heads side by side."""

    def __init__(
        self,
        memory: Sequence[Transfer | Heads[Transfer]],
        cost: Callable[[Transfer], TransferCost],
        buffers: Mapping[str, BufferState],
        known: Mapping[str, Work],
        rules: Rules,
    ) -> None:
        """Start before anything has moved.

        Args:
            memory: list of transfers of a program.
            cost: function from a transfer to its cost.
            buffers: name -> buffer.
            known: name -> operation.
            rules: rules by which windows are cut, and whether transfers are lost.
        """
        self._groups: list[Lists] = [item.lists if isinstance(item, Heads) else ((item,),) for item in memory]
        self._lost = [isinstance(item, Heads) and len(item.lists) == 1 and rules.lose_only for item in memory]
        self._cost, self._buffers, self._known, self._keep_all = cost, buffers, known, rules.keep_all
        self._group = 0
        self._stalled: dict[int, bool] = {}
        self.positions = [0] * len(self._groups[0]) if self._groups else []
        self.runs: list[TransferRun] = []

    @property
    def unfinished(self) -> bool:
        """Whether any transfer is left."""
        return self._group < len(self._groups)

    @property
    def all_stalled(self) -> bool:
        """Whether none of the heads that were checked could start its transfer."""
        return all(self._stalled.values())

    def order(self) -> list[int]:
        """Heads, with the one that is furthest behind first.

        As published, while more than one head is left, ranks among those that are left are taken for head numbers.
        """
        left = [number for number, position in enumerate(self.positions) if position >= 0]
        if self._keep_all:
            return sorted(left, key=lambda number: self.positions[number])
        if len(left) < 2:
            return left
        places = [self.positions[number] for number in left]
        ranks = sorted(range(len(left)), key=places.__getitem__)
        return [number for number in ranks if self.positions[number] >= 0]

    def available(self, tensor: str, reader: Work, now: int) -> bool:
        """Whether a tensor is in a buffer for a reader.

        Args:
            tensor: name of the tensor.
            reader: operation that needs it.
            now: current cycle.
        """
        return self._buffers["activation"].has(tensor) or self._buffers["weight"].has(tensor)

    def step(self, now: int, stalls: dict[str, int]) -> bool:
        """Start what can start; return whether an unplanned transfer has started."""
        self._stalled = {}
        if self.unfinished:
            lists = self._groups[self._group]
            for number in self.order():
                self._stalled[number] = not self._start(lists[number][self.positions[number]], now, stalls)
        return False

    def commit(self) -> bool:
        """Advance past the transfers that have started; return whether any have."""
        if not self.unfinished:
            return False
        lists, moved = self._groups[self._group], False
        for number, position in enumerate(self.positions):
            # As published, a head that was not checked advances as if its transfer had started.
            if position < 0 or self._stalled.get(number, self._keep_all):
                continue
            moved = True
            left = position + 1 < len(lists[number]) and not self._lost[self._group]
            self.positions[number] = position + 1 if left else -1
        while self.unfinished and all(position < 0 for position in self.positions):
            self._group += 1
            self.positions = [0] * len(self._groups[self._group]) if self.unfinished else []
        return moved

    def waiting(self) -> str:
        """The first remaining transfer, for a message."""
        for number, position in enumerate(self.positions):
            if position >= 0:
                return self._groups[self._group][number][position].tensor
        return "nothing"

    def _start(self, transfer: Transfer, now: int, stalls: dict[str, int]) -> bool:
        cost = self._cost(transfer)
        tensor = Tensor(transfer, cost.bits, cost.mask_bits, transfer.pinned)
        buffer, mask = self._buffers[transfer.buffer], self._buffers["mask"]
        maker = self._known[transfer.made_by] if transfer.made_by else None
        waiting = maker is not None and maker.last_done > now
        stalls["waiting_for_compute"] += waiting
        if waiting and transfer.action == "write_back":
            return False
        if buffer.free_at > now or mask.free_at > now:
            stalls["buffer_busy"] += buffer.free_at > now
            stalls["mask_buffer_busy"] += mask.free_at > now
            return False
        if transfer.action == "write_back":
            self._occupy(transfer, now)
            return True
        if not buffer.can_hold(tensor):
            stalls["no_space"] += 1
            return False
        if not mask.can_hold(tensor):
            stalls["no_mask_space"] += 1
            return False
        if waiting:
            return False
        self._bring(tensor, cost, now)
        return True

    def _occupy(self, transfer: Transfer, start: int, unplanned: bool = False) -> int:
        """Keep both ports busy with a transfer; return the cycle when both are free again."""
        cost = self._cost(transfer)
        ends = start + cost.cycles, start + cost.mask_cycles
        self._buffers[transfer.buffer].occupy_until(ends[0], cost.cycles)
        self._buffers["mask"].occupy_until(ends[1], cost.mask_cycles)
        self.runs.append(TransferRun(transfer, start, *ends, unplanned))
        return max(ends)

    def _bring(self, tensor: Tensor, cost: TransferCost, now: int) -> None:
        """Bring a tensor to the buffers that do not have it yet."""
        ends = []
        buffers = (self._buffers[tensor.transfer.buffer], cost.cycles), (self._buffers["mask"], cost.mask_cycles)
        for buffer, cycles in buffers:
            if not buffer.has(tensor.name):
                buffer.put(tensor, now, cycles)
                ends.append(buffer.free_at)
            else:
                ends.append(now)
        if max(ends) > now:
            self.runs.append(TransferRun(tensor.transfer, now, ends[0], ends[1]))
