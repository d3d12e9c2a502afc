"""The queue of heads against a slow, literal walk through its rules."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.engines.head_queue import Step, is_sequential, queue_cycles


def literal(heads: list[tuple[Step, ...]]) -> int:
    """Visits every head at every event; remaining times instead of end times."""
    done, now = [0] * len(heads), 0
    remaining: list[float] = [math.inf, math.inf]
    while any(done[i] < len(head) for i, head in enumerate(heads)):
        for i, head in enumerate(heads):
            if done[i] == len(head):
                continue
            is_softmax, cycles = head[done[i]]
            if remaining[is_softmax] == math.inf:
                remaining[is_softmax] = cycles
                done[i] += 1
        passed = int(min(remaining))
        now += passed
        remaining = [math.inf if left == passed else left - passed for left in remaining]
    return now


def attention(products: list[int], softmax: int) -> tuple[Step, ...]:
    first, last = products[:-2], products[-2:]
    return (*((False, p) for p in first), (True, softmax), *((False, p) for p in last))


products = st.lists(st.integers(0, 30), min_size=6, max_size=7)
convolutions = st.integers(-20, 30).map(lambda cycles: ((False, cycles),))


@st.composite
def layers(draw: st.DrawFn, longest_softmax: int = 60) -> tuple[int, list[tuple[Step, ...]]]:
    softmax = draw(st.integers(1, longest_softmax))
    head = st.one_of(products.map(lambda p: attention(p, softmax)), convolutions)
    return softmax, draw(st.lists(head, min_size=1, max_size=8))


@given(layers())
def test_queue_follows_the_rules(layer: tuple[int, list[tuple[Step, ...]]]) -> None:
    _, heads = layer
    distinct = list(dict.fromkeys(heads))
    assert queue_cycles(tuple(distinct), tuple(distinct.index(head) for head in heads)) == literal(heads)


@given(layers(longest_softmax=12))
def test_the_short_cut_is_exact(layer: tuple[int, list[tuple[Step, ...]]]) -> None:
    softmax, heads = layer
    has_softmax = any(kind for head in heads for kind, _ in head)
    shortest = min((c for head in heads if len(head) > 1 for kind, c in head if not kind), default=10**9)
    negative = sum(min(0, head[0][1]) for head in heads if len(head) == 1)
    arrays = [np.array([value]) for value in (softmax * has_softmax, shortest, negative)]
    if is_sequential(*arrays)[0]:
        on_lanes = sum(cycles for head in heads for kind, cycles in head if not kind)
        assert literal(heads) == on_lanes + (softmax if len(heads[-1]) > 1 else 0)


def test_a_softmax_that_outlasts_everything_is_cut_off() -> None:
    heads = (attention([5, 5, 5, 5, 1, 1], 100), ((False, 7),))
    # The convolution, the context and the output run beside the softmax, and time stops with the last of them.
    assert queue_cycles(heads, (0, 1)) == 20 + 7 + 2
