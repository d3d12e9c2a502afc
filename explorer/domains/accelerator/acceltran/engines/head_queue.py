"""The time that the heads of one layer take when they share the MAC lanes and the softmax modules.

AccelTran's fast engine has one queue for the MAC lanes and one for the softmax modules, with one operation in flight in
each. Whenever an operation ends, the first head (in the order of the model dictionary) whose next operation fits a free
queue issues it; a head does not wait for its own previous operation. Time stops when the first operation in flight ends
after the last one was issued: as published, anything that runs beside it is cut off.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.engines.tiling import Integers

Step = tuple[bool, int]
"""Whether the operation is a softmax, and its number of cycles (negative for some convolutions, see `tiling`)."""


@lru_cache(maxsize=1 << 15)
def queue_cycles(heads: tuple[tuple[Step, ...], ...], order: tuple[int, ...]) -> int:
    """Number of cycles until all heads are done.

    Args:
        heads: steps of the distinct heads.
        order: position of each head in `heads`.
    """
    waiting = [iter(heads[index]) for index in order]
    upcoming: list[Step | None] = [next(steps, None) for steps in waiting]
    # Bit i of ready[queue] is set if the next operation of head i is for that queue.
    ready = [0, 0]
    for head, step in enumerate(upcoming):
        if step is not None:
            ready[step[0]] |= 1 << head
    now, ends = 0, [math.inf, math.inf]
    while ready[0] or ready[1]:
        issued = [_first(ready[queue]) if ends[queue] == math.inf else -1 for queue in (0, 1)]
        for queue, head in enumerate(issued):
            if head < 0:
                continue
            step = upcoming[head]
            assert step is not None
            ends[queue] = now + step[1]
            ready[queue] ^= 1 << head
            upcoming[head] = following = next(waiting[head], None)
            if following is not None:
                ready[following[0]] |= 1 << head
        now = int(min(ends))
        ends = [math.inf if end == now else end for end in ends]
    return now


def _first(heads: int) -> int:
    """Position of the lowest set bit; -1 if there is none."""
    return (heads & -heads).bit_length() - 1


def is_sequential(softmax: Integers, shortest_product: Integers, negative: Integers) -> npt.NDArray[np.bool_]:
    """Whether the heads of each layer take the plain sum of their MAC operations' cycles.

    They do if each product takes at least as long as a softmax plus all negative convolutions: a softmax then ends
    before another head reaches its own and before the last operation is issued. Only a last head that is an attention
    head adds its softmax, because nothing is left to run beside it.

    Args:
        softmax: cycles of one softmax, the same for all heads of a layer; 0 if there is none.
        shortest_product: cycles of the shortest product of the layer.
        negative: sum of the cycles of its convolutions that are below zero.
    """
    sequential: npt.NDArray[np.bool_] = (softmax == 0) | (shortest_product >= softmax - negative)
    return sequential
