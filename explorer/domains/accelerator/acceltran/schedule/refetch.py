"""The memory list of a program whose excess data pass through main memory: the correction `refetch`.

Room is made by dropping, oldest first, tensors that no operation will read again; then, if a tensor is needed now,
tensors that are not needed now. A tensor that main memory does not have is written there first (a spill). A tensor that
is dropped and needed later is fetched again. If a tensor still does not fit, the part that fits is kept; the rest of a
stored tensor goes on to main memory, and each operation that reads the tensor has the rest streamed past the buffer
before it starts. Loads ahead of need wait for room. A transfer whose ports are free can therefore always continue, and
nothing waits for ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from explorer.domains.accelerator.acceltran.costs import TransferCost
from explorer.domains.accelerator.acceltran.program import Heads, Transfer
from explorer.domains.accelerator.acceltran.schedule.buffers import BufferState, Tensor
from explorer.domains.accelerator.acceltran.schedule.issue import Rules, Window, Work
from explorer.domains.accelerator.acceltran.schedule.transfers import TransferList


class Refetching(TransferList):
    """Transfers in order, with those of heads side by side, and those that a lack of room adds."""

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
            rules: rules by which windows are cut.
        """
        super().__init__(memory, cost, buffers, known, rules)
        self._readers: dict[str, list[Work]] = {}
        for work in known.values():
            for name in work.operation.needs:
                self._readers.setdefault(name, []).append(work)
        self._leaving: dict[str, int] = {}  # write-backs to come
        for group in self._groups:
            for transfers in group:
                for transfer in transfers:
                    if transfer.action == "write_back":
                        self._leaving[transfer.tensor] = self._leaving.get(transfer.tensor, 0) + 1
        self._saved: set[str] = set()  # tensors in main memory
        self._gone: dict[str, Transfer] = {}  # dropped tensors -> transfer that fetches them again
        self._excess: dict[str, Transfer] = {}  # parts that did not fit of tensors that are held
        self._streamed: dict[tuple[str, str], int] = {}  # (tensor, reader) -> cycle when its excess has come
        self._wanted: dict[tuple[str, str], None] = {}
        self._needed: frozenset[str] = frozenset()
        self.urgent = False

    def available(self, tensor: str, reader: Work, now: int) -> bool:
        """Whether a tensor is available to a reader, including the part that did not fit.

        Args:
            tensor: name of the tensor.
            reader: operation that needs it.
            now: current cycle.
        """
        if not super().available(tensor, reader, now):
            return False
        if tensor not in self._excess:
            return True
        return self._streamed.get((tensor, reader.operation.name), now + 1) <= now

    def want(self, windows: Iterable[Window | None], now: int) -> None:
        """Note which tensors the current windows need."""
        pairs = [
            (name, part.work)
            for window in windows
            if window
            for part, needs in zip(window.parts, window.needs, strict=True)
            for name in needs
        ]
        self._needed = frozenset(name for name, _ in pairs)
        self._wanted = {
            (name, work.operation.name): None
            for name, work in pairs
            if (name in self._gone or name in self._excess) and not self.available(name, work, now)
        }

    def step(self, now: int, stalls: dict[str, int]) -> bool:
        """Start what can start, first what windows wait for; return whether an unplanned transfer has started."""
        before = len(self.runs)
        for name, reader in list(self._wanted):
            if name in self._gone:
                if self._fits(self._gone[name], True, now, stalls):
                    self._bring_part(self._gone.pop(name), now, True)
            elif name in self._excess and (name, reader) not in self._streamed:
                rest = self._excess[name]
                if self._ports_free(rest, now, stalls):
                    self._streamed[name, reader] = self._occupy(rest, now, True)
        super().step(now, stalls)
        self.urgent = False
        return any(run.unplanned for run in self.runs[before:])

    def _start(self, transfer: Transfer, now: int, stalls: dict[str, int]) -> bool:
        maker = self._known[transfer.made_by] if transfer.made_by else None
        if maker is not None and maker.last_done > now:
            stalls["waiting_for_compute"] += 1
            return False
        if transfer.action == "write_back":
            return self._write_back(transfer, now, stalls)
        if self._buffers[transfer.buffer].has(transfer.tensor) or transfer.tensor in self._gone:
            return True
        needed = self.urgent or transfer.action == "store" or transfer.tensor in self._needed
        if not self._fits(transfer, needed, now, stalls):
            return False
        self._bring_part(transfer, now, False)
        return True

    def _write_back(self, transfer: Transfer, now: int, stalls: dict[str, int]) -> bool:
        if transfer.tensor not in self._saved:
            if not self._ports_free(transfer, now, stalls):
                return False
            self._occupy(transfer, now)
            self._saved.add(transfer.tensor)
        self._leaving[transfer.tensor] -= 1
        return True

    def _ports_free(self, transfer: Transfer, now: int, stalls: dict[str, int]) -> bool:
        buffer, mask = self._buffers[transfer.buffer], self._buffers["mask"]
        stalls["buffer_busy"] += buffer.free_at > now
        stalls["mask_buffer_busy"] += mask.free_at > now
        return buffer.free_at <= now and mask.free_at <= now

    def _fits(self, transfer: Transfer, needed: bool, now: int, stalls: dict[str, int]) -> bool:
        """Whether a transfer can start; makes room for it, which may need a spill first."""
        if not self._ports_free(transfer, now, stalls):
            return False
        cost = self._cost(transfer)
        if self._room(transfer, cost):
            return True
        self._drop(transfer, cost, [t for t in self._held(transfer) if not self._live(t.name, now)], now)
        if self._room(transfer, cost):
            return True
        if not needed:
            stalls["no_space" if self._lacks(self._buffers[transfer.buffer], cost.bits) else "no_mask_space"] += 1
            return False
        for tensor in self._held(transfer):
            if self._room(transfer, cost):
                return True
            if tensor.required or tensor.name in self._needed:
                continue
            if tensor.name not in self._saved:
                stalls["no_space"] += 1
                self._occupy(replace(tensor.transfer, action="write_back", made_by=None), now, True)
                self._saved.add(tensor.name)
                self._forget(tensor, now)
                return False
            self._forget(tensor, now)
        return True

    def _room(self, transfer: Transfer, cost: TransferCost) -> bool:
        buffer, mask = self._buffers[transfer.buffer], self._buffers["mask"]
        return not (self._lacks(buffer, cost.bits) or self._lacks(mask, cost.mask_bits))

    @staticmethod
    def _lacks(buffer: BufferState, bits: float) -> bool:
        return buffer.used + bits > buffer.capacity

    def _held(self, transfer: Transfer) -> list[Tensor]:
        """Tensors that could make room, oldest first; if only masks lack room, tensors of the other buffer too."""
        buffer = self._buffers[transfer.buffer]
        held = buffer.held.values()
        if not self._lacks(buffer, self._cost(transfer).bits):
            held = self._buffers["mask"].held.values()
        return [tensor for tensor in held if not self._arriving(tensor.name)]

    def _arriving(self, name: str) -> bool:
        return any(buffer.arriving == name for buffer in self._buffers.values())

    def _live(self, name: str, now: int) -> bool:
        if self._buffers["mask"].held[name].required or self._leaving.get(name):
            return True
        return any(work.last_done > now for work in self._readers.get(name, ()))

    def _drop(self, transfer: Transfer, cost: TransferCost, tensors: Iterable[Tensor], now: int) -> None:
        for tensor in tensors:
            if self._room(transfer, cost):
                return
            self._forget(tensor, now)

    def _forget(self, tensor: Tensor, now: int) -> None:
        """Drop a tensor; one that will be read later can be fetched again."""
        if self._live(tensor.name, now):
            whole = tensor.transfer
            self._gone[tensor.name] = replace(whole, action="load", made_by=None)
        self._buffers[tensor.transfer.buffer].drop(tensor, now)
        self._buffers["mask"].drop(tensor, now)
        self._excess.pop(tensor.name, None)
        for pair in [pair for pair in self._streamed if pair[0] == tensor.name]:
            del self._streamed[pair]

    def _bring_part(self, transfer: Transfer, now: int, unplanned: bool) -> None:
        """Bring the part of a tensor that fits; the rest of a stored tensor goes on to main memory."""
        cost = self._cost(transfer)
        buffer, mask = self._buffers[transfer.buffer], self._buffers["mask"]
        pairs = (buffer.capacity - buffer.used, cost.bits), (mask.capacity - mask.used, cost.mask_bits)
        share = max(min([1.0, *(room / bits for room, bits in pairs if bits)]), 0.0)
        kept = transfer.elements if share == 1.0 else math.floor(transfer.elements * share)
        part = replace(transfer, elements=kept)
        placed = self._cost(part)
        tensor = Tensor(transfer, placed.bits, placed.mask_bits, transfer.pinned)
        for where in (buffer, mask):
            where.place(tensor, now)
        if transfer.action == "load":
            self._saved.add(transfer.tensor)
        end = self._occupy(part, now, unplanned) if kept or not transfer.elements else now
        rest = transfer.elements - kept
        if rest:
            self._excess[transfer.tensor] = replace(transfer, action="load", elements=rest, made_by=None)
            if transfer.action == "store":
                self._occupy(replace(transfer, action="write_back", elements=rest, made_by=None), end, True)
        if buffer.free_at > now or mask.free_at > now:
            buffer.arriving = mask.arriving = transfer.tensor
