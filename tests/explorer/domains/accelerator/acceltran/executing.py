"""Random models, and a trivial machine with endless buffers that works through a program's lists in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic

from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.program import Heads, Item, Operation, Program, Transfer
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from explorer.domains.transformer.model import HEAD_KINDS

PROGRAM_SWITCHES = sorted(name for name, switch in SWITCHES.items() if switch.part == "program")


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    depth = draw(st.integers(1, 3))
    heads = st.builds("{}_{}".format, st.sampled_from(HEAD_KINDS), st.integers(1, 20))
    return {
        "l": depth,
        "o": [draw(st.lists(heads, min_size=1, max_size=4)) for _ in range(depth)],
        "h": [draw(st.sampled_from([16, 24, 32])) for _ in range(depth)],
        "f": [draw(st.lists(st.integers(1, 64), min_size=1, max_size=3)) for _ in range(depth)],
    }


def flat(items: tuple[Item | Heads[Item], ...]) -> Iterator[Item]:
    for item in items:
        for one in item.lists if isinstance(item, Heads) else ((item,),):
            yield from one


class Cursor(Generic[Item]):
    """Where a list stands: heads side by side, everything else one after the other."""

    def __init__(self, items: tuple[Item | Heads[Item], ...]) -> None:
        self.entries: list[list[list[Item]]] = []
        for item in items:
            self.entries.append([list(one) for one in item.lists] if isinstance(item, Heads) else [[item]])

    def waiting(self) -> list[list[Item]]:
        while self.entries and not any(self.entries[0]):
            self.entries.pop(0)
        return [one for one in self.entries[0] if one] if self.entries else []


def left_over(program: Program) -> list[str]:
    """Names of what can never run: none in a sound program."""
    compute: Cursor[Operation] = Cursor(program.compute)
    memory: Cursor[Transfer] = Cursor(program.memory)
    done: set[str] = set()
    held: set[str] = set()
    moved = True
    while moved:
        moved = False
        for transfers in memory.waiting():
            first = transfers[0]
            if first.action == "load" or first.made_by in done:
                if first.action == "write_back" and first.tensor not in held:
                    continue
                held.add(transfers.pop(0).tensor)
                moved = True
        for operations in compute.waiting():
            operation = operations[0]
            if held.issuperset(operation.needs) and done.issuperset(operation.after):
                done.add(operations.pop(0).name)
                moved = True
    transfers_left = [one[0].tensor for one in memory.waiting()]
    return [one[0].name for one in compute.waiting()] + transfers_left
