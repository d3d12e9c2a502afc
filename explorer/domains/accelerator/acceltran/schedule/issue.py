"""Issue windows: the tiles of operations that a head, or the list outside heads, offers to the modules at a time.

Source: `get_op_list` and `update_op_idx` of AccelTran's published `simulator.py`, with their faults: tiles of another
type inside a window are lost; outside heads a window has one tile more than the distance to the next window; the last
tile of a program has its own window; if a layer has only one head, all of it except its first window is lost, and
with it as many tiles after the head as the window has beyond the first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from explorer.domains.accelerator.acceltran.chip.components import Module
from explorer.domains.accelerator.acceltran.costs import OperationCost
from explorer.domains.accelerator.acceltran.program import Heads, Operation

NEVER = 1 << 62


@dataclass(slots=True, eq=False)
class Work:
    """The state of an operation while it runs; a time is the cycle from which something holds.

    Attributes:
        operation, cost: operation that runs, and its cost.
        tiles: number of its tiles to run.
        start: cycle in which its first tile is issued; -1 before that.
        first_done, last_done: times when its first and its last tile are done.
        lost_from: first of its tiles that never runs.
        ran: number of tiles that ran.
        end: time when all tiles issued so far are done.
        module_cycles, wake_ups: as in `OperationRun`.
    """

    operation: Operation
    cost: OperationCost
    tiles: int
    start: int = -1
    first_done: int = NEVER
    last_done: int = NEVER
    lost_from: int = NEVER
    ran: int = 0
    end: int = 0
    module_cycles: int = 0
    wake_ups: int = 0


class Part(NamedTuple):
    """Tiles from `first` up to but not including `last` of an operation."""

    work: Work
    first: int
    last: int


class Window(NamedTuple):
    """Tiles that are issued together or not at all.

    Attributes:
        parts: tiles by operation, all of one kind.
        tiles: number of tiles.
        module: class of modules that they occupy.
        needs: tensors that they need, one entry for each operation.
        after: operations that must be done first.
    """

    parts: tuple[Part, ...]
    tiles: int
    module: Module
    needs: tuple[tuple[str, ...], ...]
    after: tuple[Work, ...]


class Rules(NamedTuple):
    """The rules by which windows are cut.

    Attributes:
        width: number of tiles of a window.
        keep_all: whether a window ends with its operation, so that no tile is lost.
        once: whether windows outside heads do not overlap.
        lose_only: whether a layer's only head loses most of its work.
        most: class of modules -> largest number of tiles of a window, with `keep_all`.
    """

    width: int
    keep_all: bool
    once: bool
    lose_only: bool
    most: dict[Module, int]


class Queue:
    """Operations that run one after the other, in a head or outside heads."""

    def __init__(self, works: Sequence[Work], rules: Rules, flat: bool, known: dict[str, Work]) -> None:
        """Queue operations.

        Args:
            works: operations in order.
            rules: rules by which windows are cut.
            flat: whether they are outside heads.
            known: name -> operation, for all operations of the program.
        """
        self.works = tuple(works)
        self.starts = tuple(accumulate((work.tiles for work in works), initial=0))
        self.length = self.starts[-1]
        self._rules = rules
        self._contiguous = flat or rules.keep_all
        self._extra = 1 if flat and rules.width > 1 and not rules.once else 0
        self._known = known
        self._inner: tuple[Work, Window] | None = None

    def window(self, position: int) -> Window:
        """The window that starts at a tile."""
        index = bisect_right(self.starts, position) - 1
        work, rules = self.works[index], self._rules
        tile = position - self.starts[index]
        width = rules.width + self._extra
        if rules.keep_all:
            width = min(width, rules.most[work.cost.module])
        if tile + width > work.tiles:
            return self._crossing(index, tile, width)
        # All windows inside an operation are alike except for their place in it, which matters only at its ends.
        if tile and tile + width < work.tiles:
            if self._inner is None or self._inner[0] is not work:
                self._inner = work, self._made([Part(work, 1, 1 + width)])
            return self._inner[1]
        return self._made([Part(work, tile, tile + width)])

    def inside(self, position: int, window: Window) -> int:
        """Number of tiles for which the window stays the same from here on; -1 if it is not one of several alike."""
        if self._inner is None or self._inner[1] is not window:
            return -1
        end = self.starts[bisect_right(self.starts, position)]
        return end - position - window.tiles - 1

    def _crossing(self, index: int, tile: int, width: int) -> Window:
        kind, parts, left = self.works[index].operation.kind, [], width
        for work in self.works[index:]:
            taken = min(left, work.tiles - tile)
            if work.operation.kind is kind:
                parts.append(Part(work, tile, tile + taken))
            elif self._contiguous:
                break
            left, tile = left - taken, 0
            if not left or self._rules.keep_all:
                break
        return self._made(parts)

    def _made(self, parts: list[Part]) -> Window:
        works = [part.work for part in parts]
        after = dict.fromkeys(self._known[name] for work in works for name in work.operation.after)
        return Window(
            tuple(parts),
            sum(part.last - part.first for part in parts),
            works[0].cost.module,
            tuple(work.operation.needs for work in works),
            tuple(work for work in after if work not in works),
        )

    def skip(self, following: int) -> None:
        """Note that all tiles before `following` are left out."""
        for work, start in zip(self.works, self.starts, strict=False):
            if start < following:
                work.lost_from = 0

    def lose(self, parts: Sequence[Part], position: int, following: int) -> None:
        """Note the tiles that are lost between one window and the next.

        Args:
            parts: tiles of the window.
            position: position of its first tile.
            following: position of the first tile of the next window.
        """
        index = bisect_right(self.starts, position) - 1
        if following <= self.starts[index + 1]:
            return
        last = {id(part.work): part.last for part in parts}
        while index < len(self.works) and self.starts[index] < following:
            work, start = self.works[index], self.starts[index]
            lost = max(position - start, last.get(id(work), 0))
            if lost < min(following - start, work.tiles):
                work.lost_from = min(work.lost_from, lost)
            index += 1


class Stage(NamedTuple):
    """Queues that run side by side, or the single queue between two such groups."""

    queues: tuple[Queue, ...]
    heads: bool


class Cursor:
    """The positions of a program's windows."""

    def __init__(self, stages: Sequence[Stage], rules: Rules) -> None:
        self.stages = tuple(stages)
        self._rules = rules
        self.stage = 0
        self.positions: list[int] = []
        self._enter(0)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """Queues of the stage that is running; none at the end."""
        return self.stages[self.stage].queues if self.stage < len(self.stages) else ()

    def windows(self) -> list[Window | None]:
        """The window of each queue; None if the queue is at its end."""
        return [self.window(number) for number in range(len(self.positions))]

    def window(self, number: int) -> Window | None:
        """The window of a queue; None if the queue is at its end."""
        position = self.positions[number]
        return self.queues[number].window(position) if position >= 0 else None

    def advance(self, number: int, window: Window) -> None:
        """Move a queue past a window, within the stage."""
        queue, position = self.queues[number], self.positions[number]
        stage, rules = self.stages[self.stage], self._rules
        if rules.keep_all:
            # If windows outside heads overlap, the last tile of a full one is offered again.
            repeated = queue._extra and window.tiles > 1 and window.tiles == rules.width + 1
            following = position + window.tiles - (1 if repeated else 0)
            self.positions[number] = following if following < queue.length else -1
        elif not stage.heads:
            self._advance_flat(queue, position, window)
        elif len(stage.queues) == 1 and rules.lose_only:
            self._abandon(queue, position, window)
        else:
            following = position + rules.width
            queue.lose(window.parts, position, min(following, queue.length))
            self.positions[number] = following if following < queue.length else -1

    def close(self) -> None:
        """Move to the next stage if all queues of this one are at their ends."""
        while self.stage < len(self.stages) and all(position < 0 for position in self.positions):
            self._enter(self.stage + 1)

    def _enter(self, stage: int, position: int = 0) -> None:
        self.stage = stage
        self.positions = [position] * len(self.queues)

    def _advance_flat(self, queue: Queue, position: int, window: Window) -> None:
        limit = self._limit(self.stage)
        following = min(position + self._rules.width, limit) if position < limit else position + 1
        queue.lose(window.parts, position, following)
        self.positions[0] = following if following < queue.length else -1

    def _limit(self, stage: int) -> int:
        """The last position at which a window outside heads starts: the next heads, or the last tile of a program."""
        length = self.stages[stage].queues[0].length
        return length - 1 if stage == len(self.stages) - 1 else length

    def _abandon(self, queue: Queue, position: int, window: Window) -> None:
        queue.lose(window.parts, position, queue.length)
        if self.stage + 1 >= len(self.stages) or self.stages[self.stage + 1].heads:
            self.positions[0] = -1
            return
        self._enter(self.stage + 1)
        following = min(self._rules.width - 1, self._limit(self.stage))
        self.queues[0].skip(following)
        self.positions[0] = following if following < self.queues[0].length else -1


def stages_of(
    compute: Sequence[Operation | Heads[Operation]], costs: dict[str, OperationCost], rules: Rules
) -> tuple[tuple[Stage, ...], dict[str, Work]]:
    """The stages of a program.

    Args:
        compute: list of operations of the program.
        costs: name of an operation -> its cost.
        rules: rules by which windows are cut.

    Returns:
        The stages, and name -> operation in order.
    """
    known: dict[str, Work] = {}

    def work(operation: Operation) -> Work:
        cost = costs[operation.name]
        known[operation.name] = made = Work(operation, cost, cost.tiles)
        return made

    stages: list[Stage] = []
    flat: list[Work] = []
    for item in compute:
        if isinstance(item, Heads):
            if flat:
                stages.append(Stage((Queue(flat, rules, True, known),), False))
                flat = []
            queues = tuple(Queue([work(one) for one in head], rules, False, known) for head in item.lists)
            stages.append(Stage(queues, True))
        else:
            flat.append(work(item))
    if flat:
        stages.append(Stage((Queue(flat, rules, True, known),), False))
    return tuple(stages), known
