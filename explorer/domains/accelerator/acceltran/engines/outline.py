"""`Outline`: a program without its order: the items that differ in cost, their counts, and the heads side by side.

Programs repeat themselves: BERT-Base has thousands of operations and transfers, but only a few dozen that differ in
cost. An estimate without a schedule computes each of these once. Items are rows of tables; what rows have in common
besides their sizes is their pattern: an operation or a transfer without sizes and names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from threading import Lock
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.findings.reads import Holders
from explorer.domains.accelerator.acceltran.program import Heads, Item, Operation, Program, TensorRole, Transfer, flat

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
HOLDERS: Holders = MappingProxyType(
    {f"{role} in {buffer}": (role, buffer) for role in TensorRole for buffer in ("weight", "activation")}
)
"""The tensors that patterns of operations need: one for each role and buffer."""
OPERATIONS: list[Operation] = []
TRANSFERS: list[Transfer] = []
"""All patterns that were met; rows refer to their positions. Settings and models have a few hundred of them."""
_numbers: dict[tuple[object, ...], int] = {}
_one_thread = Lock()


@dataclass(frozen=True, slots=True)
class HeadTable:
    """Heads that run side by side.

    Attributes:
        operation, operation_head: rows of operations, in order, and the head that each is part of.
        transfer, transfer_head: the same for transfers.
        group, count: group that each distinct head is part of, and the number of heads in it that are like this one.
        times: number of groups that are like each group.
    """

    operation: Positions
    operation_head: Positions
    transfer: Positions
    transfer_head: Positions
    group: Positions
    count: Numbers
    times: Numbers


@dataclass(frozen=True, slots=True)
class Outline:
    """The distinct items of a program, and how often each occurs.

    Attributes:
        operations: one row for each operation: pattern, batch, x, y, z, the number of times that it occurs, and the
            number of these that are outside `Heads`.
        transfers: one row for each transfer: pattern, elements, the two numbers as above, the number of transfers that
            bring a tensor which was brought or stored before, and the number of operations that need the tensors.
        heads: groups in which the operations of `Heads` run.
        footprint_elements: as in a program.
    """

    operations: Numbers
    transfers: Numbers
    heads: HeadTable
    footprint_elements: tuple[tuple[str, int], ...]


class _Table:
    """Rows that are equal in their first entries are one row, whose other entries are sums."""

    def __init__(self) -> None:
        self._positions: dict[tuple[int, ...], int] = {}
        self._sums: list[list[int]] = []

    def add(self, key: tuple[int, ...], *counts: int) -> int:
        """The position of the row with a key, after adding to its counts."""
        position = self._positions.setdefault(key, len(self._sums))
        if position == len(self._sums):
            self._sums.append(list(counts))
        else:
            self._sums[position] = [a + b for a, b in zip(self._sums[position], counts, strict=True)]
        return position

    def rows(self, columns: int) -> Numbers:
        rows = [(*key, *sums) for key, sums in zip(self._positions, self._sums, strict=True)]
        return np.array(rows, dtype=np.float64).reshape(-1, columns)


def outline(program: Program) -> Outline:
    """The outline of a program; computed once for each program object."""
    return _of_same(_Same(program))


class _Same:
    """A program compared by identity: comparing thousands of operations would cost more than it saves."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.program is self.program


@lru_cache(maxsize=64)
def _of_same(same: _Same) -> Outline:
    operations, transfers, all_groups = counted(same.program)
    groups = Counter(tuple(Counter(group).items()) for group in all_groups)
    heads = head_table([([(*head, count) for head, count in group], times) for group, times in groups.items()])
    return Outline(operations, transfers, heads, same.program.footprint_elements)


class Counted(NamedTuple):
    """The items of a part of a program.

    Attributes:
        operations, transfers: tables as in `Outline`.
        groups: for each `Heads` of operations, the rows of each head, with those of the transfers that store its
            results.
    """

    operations: Numbers
    transfers: Numbers
    groups: list[list[tuple[tuple[int, ...], tuple[int, ...]]]]


def counted(program: Program, given: Iterable[Transfer] = ()) -> Counted:
    """Count the items of a part of a program.

    Args:
        program: the part.
        given: transfers of other parts that bring tensors which this part reads; only their readers are counted here.
    """
    operations, transfers = _Table(), _Table()
    held = {transfer.tensor: f"{transfer.role} in {transfer.buffer}" for transfer in (*given, *flat(program.memory))}
    readers = Counter(name for operation in flat(program.compute) for name in operation.needs)
    seen: set[str] = set()

    def operation_row(item: Operation, alone: bool) -> int:
        sizes = item.batch, item.x, item.y, item.z
        return operations.add((_operation_pattern(item, held), *sizes), 1, alone)

    def transfer_row(item: Transfer, alone: bool, times: int = 1) -> int:
        again = item.action != "write_back" and item.tensor in seen
        read = 0 if again or item.action == "write_back" else readers[item.tensor]
        seen.add(item.tensor)
        return transfers.add((again, _transfer_pattern(item), item.elements), times, alone, again * times, read)

    for item in given:
        if readers[item.tensor]:
            transfer_row(item, False, 0)
    working, moving = _placed(program.compute, operation_row), _placed(program.memory, transfer_row)
    return Counted(operations.rows(7), transfers.rows(7)[:, 1:], _beside(program, working, moving))


def _operation_pattern(operation: Operation, held: dict[str, str]) -> int:
    """The pattern of an operation. Its needs are one tensor for each operand: costs and reads depend on no more."""
    kept: dict[TensorRole, str] = {}
    for name in operation.needs:
        if name in held:
            kept.setdefault(HOLDERS[held[name]][0], held[name])
    left, right = operation.left, operation.right
    needs = tuple(kept.get(role, "") for role in ((left,) if left is right else (left, right)))
    if left is right and len(operation.needs) > 1:
        needs *= 2
    key = operation.kind, left, right, operation.backward, operation.density, needs
    return _number(key, OPERATIONS, lambda: replace(operation, name="", batch=1, x=1, y=1, z=0, needs=needs, after=()))


def _transfer_pattern(transfer: Transfer) -> int:
    key = transfer.action, transfer.buffer, transfer.role
    return _number(key, TRANSFERS, lambda: replace(transfer, tensor="", elements=0, made_by=None, pinned=False))


_Pattern = TypeVar("_Pattern", Operation, Transfer)


def _number(key: tuple[object, ...], patterns: list[_Pattern], made: Callable[[], _Pattern]) -> int:
    """The position of a pattern, which is appended at its first occurrence; threads meet new patterns at once."""
    with _one_thread:
        number = _numbers.setdefault(key, len(patterns))
        if number == len(patterns):
            patterns.append(made())
    return number


_Lists = tuple[tuple[int, ...], ...]
"""Rows of the items of each head."""


def _placed(items: Sequence[Item | Heads[Item]], row: Callable[[Item, bool], int]) -> list[_Lists]:
    """Give all items of a program's list a row, in order; the rows of each `Heads`."""
    placed = []
    for item in items:
        if isinstance(item, Heads):
            placed.append(tuple(tuple(row(one, False) for one in head) for head in item.lists))
        else:
            row(item, True)
    return placed


def _beside(
    program: Program, working: Sequence[_Lists], moving: Sequence[_Lists]
) -> list[list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """The groups of `Counted`."""
    lists = (item.lists for item in program.compute if isinstance(item, Heads))
    place = {operation.name: at for at, heads in enumerate(lists) for head in heads for operation in head}
    beside: list[_Lists] = [()] * len(working)
    transfers = (item.lists for item in program.memory if isinstance(item, Heads))
    for heads, rows in zip(transfers, moving, strict=True):
        makers = (transfer.made_by for head in heads for transfer in head if transfer.made_by)
        at = next((place[maker] for maker in makers if maker in place), 0)
        beside[at] = (*beside[at], *rows)
    return [list(zip_longest(heads, rows, fillvalue=())) for heads, rows in zip(working, beside, strict=True)]


_Rows = Sequence[int] | Positions


def head_table(groups: Sequence[tuple[Sequence[tuple[_Rows, _Rows, int]], int]]) -> HeadTable:
    """The table of groups of heads.

    Args:
        groups: for each group its distinct heads, with the rows of their operations, those of their transfers and the
            number of heads like it, and the number of groups like it.
    """
    heads = [(number, head) for number, (group, _) in enumerate(groups) for head in group]
    operations, operation_heads = _lined_up([rows for _, (rows, _, _) in heads])
    transfers, transfer_heads = _lined_up([rows for _, (_, rows, _) in heads])
    return HeadTable(
        operations,
        operation_heads,
        transfers,
        transfer_heads,
        np.array([number for number, _ in heads], dtype=np.intp),
        np.array([count for _, (_, _, count) in heads], dtype=np.float64),
        np.array([times for _, times in groups], dtype=np.float64),
    )


def _lined_up(lists: Sequence[_Rows]) -> tuple[Positions, Positions]:
    """The entries of lists, one list after the other, and the list that each is from."""
    joined = np.concatenate([np.asarray(rows, dtype=np.intp) for rows in lists] or [np.empty(0, np.intp)])
    return joined, np.repeat(np.arange(len(lists)), [len(rows) for rows in lists])
