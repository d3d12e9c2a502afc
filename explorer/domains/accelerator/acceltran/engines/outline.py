"""`Outline`: a program without its order: the items that differ in cost, their counts, and the heads side by side.

Programs repeat themselves: BERT-Base has thousands of operations and transfers, but only a few dozen that differ in
cost. An estimate without a schedule computes each of these once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from explorer.domains.accelerator.acceltran.findings.reads import holders
from explorer.domains.accelerator.acceltran.program import Heads, Operation, Program, Transfer, flat


@dataclass(frozen=True, slots=True)
class Moved:
    """Transfers that cost the same.

    Attributes:
        transfer: first of the transfers.
        times: number of the transfers.
        readers: number of operations that need the tensors, over all of the transfers.
        again: number of transfers that bring a tensor which was brought or stored before.
    """

    transfer: Transfer
    times: int
    readers: int
    again: int


@dataclass(frozen=True, slots=True)
class HeadGroup:
    """Heads that run side by side; positions refer to the outline.

    Attributes:
        heads: operations and transfers of each distinct head, and the number of heads like it.
        times: number of equal groups.
    """

    heads: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]
    times: int


@dataclass(frozen=True, slots=True)
class Outline:
    """The distinct items of a program, and how often each occurs.

    Attributes:
        operations: distinct operations, with the number of times that each occurs.
        transfers: distinct transfers.
        head_groups: groups in which the operations of `Heads` run.
        single_operations, single_transfers: position, and the number of times that it occurs outside `Heads`.
        tensors: reduced program from which the buffers of an operation's operands are known.
    """

    operations: tuple[tuple[Operation, int], ...]
    transfers: tuple[Moved, ...]
    head_groups: tuple[HeadGroup, ...]
    single_operations: tuple[tuple[int, int], ...]
    single_transfers: tuple[tuple[int, int], ...]
    tensors: Program


class _Distinct:
    """Items by the key that distinguishes their costs, in the order in which they first occur."""

    def __init__(self) -> None:
        self.positions: dict[object, int] = {}
        self.counts: list[int] = []

    def add(self, key: object) -> tuple[int, bool]:
        """The position of a key, and whether it is new."""
        position = self.positions.setdefault(key, len(self.counts))
        new = position == len(self.counts)
        if new:
            self.counts.append(0)
        self.counts[position] += 1
        return position, new


def outline(program: Program) -> Outline:
    """The outline of a program; computed once for each program object."""
    return _outline(_Same(program))


def _shape(item: Operation | Transfer) -> tuple[object, ...]:
    """All properties of an operation or transfer except names: two with the same shape cost the same."""
    if isinstance(item, Transfer):
        return item.action, item.buffer, item.elements, item.role, item.pinned
    sizes = item.batch, item.x, item.y, item.z
    return item.kind, *sizes, item.left, item.right, item.backward, item.density


class _Same:
    """A program compared by identity: comparing thousands of operations would cost more than it saves."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.program is self.program


@lru_cache(maxsize=64)
def _outline(same: _Same) -> Outline:
    program, held = same.program, holders(same.program)
    operations, firsts = _Distinct(), []
    position_of: dict[int, int] = {}
    for operation in flat(program.compute):
        position, new = operations.add((_shape(operation), tuple(held.get(name) for name in operation.needs)))
        position_of[id(operation)] = position
        if new:
            firsts.append(operation)
    transfers, moved = _transfers(program, position_of)
    head_groups, single_operations, single_transfers = _head_groups(program, position_of)
    needed = {name for operation in firsts for name in operation.needs}
    kept = {transfer.tensor: transfer for transfer in flat(program.memory) if transfer.tensor in needed}
    return Outline(
        tuple(zip(firsts, operations.counts, strict=True)),
        tuple(
            Moved(first, times, readers, again)
            for first, times, (readers, again) in zip(transfers[0], transfers[1], moved, strict=True)
        ),
        head_groups,
        single_operations,
        single_transfers,
        Program((), tuple(kept.values()), program.footprint_elements),
    )


def _transfers(
    program: Program, position_of: dict[int, int]
) -> tuple[tuple[list[Transfer], list[int]], list[tuple[int, int]]]:
    """Distinct transfers, with the count, readers and repetitions of each."""
    readers = Counter(name for operation in flat(program.compute) for name in operation.needs)
    distinct, firsts, seen = _Distinct(), [], set()
    more: list[tuple[int, int]] = []
    for transfer in flat(program.memory):
        again = transfer.action != "write_back" and transfer.tensor in seen
        position, new = distinct.add((_shape(transfer), again))
        position_of[id(transfer)] = position
        if new:
            firsts.append(transfer)
            more.append((0, 0))
        read = 0 if again or transfer.action == "write_back" else readers[transfer.tensor]
        more[position] = (more[position][0] + read, more[position][1] + again)
        seen.add(transfer.tensor)
    return (firsts, distinct.counts), more


def _head_groups(
    program: Program, position_of: dict[int, int]
) -> tuple[tuple[HeadGroup, ...], tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    working = [item.lists for item in program.compute if isinstance(item, Heads)]
    moving = _beside(program, working)
    groups: Counter[tuple[tuple[tuple[tuple[int, ...], tuple[int, ...]], int], ...]] = Counter()
    for lists, tensors in zip(working, moving, strict=True):
        heads = Counter(
            (tuple(position_of[id(item)] for item in head), tuple(position_of[id(item)] for item in moved))
            for head, moved in zip_longest(lists, tensors, fillvalue=())
        )
        groups[tuple(heads.items())] += 1
    single = Counter(position_of[id(item)] for item in program.compute if not isinstance(item, Heads))
    alone = Counter(position_of[id(item)] for item in program.memory if not isinstance(item, Heads))
    return (
        tuple(
            HeadGroup(tuple((work, moves, count) for (work, moves), count in heads), times)
            for heads, times in groups.items()
        ),
        tuple(single.items()),
        tuple(alone.items()),
    )


def _beside(
    program: Program, working: Sequence[tuple[tuple[Operation, ...], ...]]
) -> list[tuple[tuple[Transfer, ...], ...]]:
    """The transfers of each of the `working` heads: those that store its results."""
    place = {operation.name: at for at, lists in enumerate(working) for head in lists for operation in head}
    beside: list[tuple[tuple[Transfer, ...], ...]] = [()] * len(working)
    for item in program.memory:
        if isinstance(item, Heads):
            makers = (transfer.made_by for head in item.lists for transfer in head if transfer.made_by)
            at = next((place[maker] for maker in makers if maker in place), 0)
            beside[at] = (*beside[at], *item.lists)
    return beside
