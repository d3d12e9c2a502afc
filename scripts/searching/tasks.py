"""All tasks by name. Those whose data, optima or libraries are heavy are made only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from explorer.contracts.goal import Goal, Limit, Output
from explorer.contracts.optimiser import Inputs, Outcome
from scripts.searching.functions import SEVERAL, SMOOTH, shift_of
from scripts.searching.problem import BoxCandidates, Task, box_flat

Maker = Callable[[int], Task[Any]]
"""Seed -> the task; most do not depend on it."""

MARKS = (20, 40, 60, 100)
TRANSCODE_OPTIMA = {"transcode": 0.85038224, "transcode-reference": 0.83144108, "transcode-second": 0.87385861}
"""Found by descent in one and two decisions from many random pairs: `scripts/bench search --optimum TASK`."""


def smooth(name: str, seed: int, noise: float = 0.0) -> Task[Inputs]:
    """A shifted function of one value. Values are minus the function.

    Args:
        name: of the function.
        seed: of the shift, and of the noise.
        noise: the deviation of the noise where the first entry is in the upper half of its range, as a share of the
            spread of values of random points; a fifth of that in the lower half.
    """
    function, shift = SMOOTH[name], shift_of(SMOOTH[name], seed)
    candidates = BoxCandidates(function.low, function.high)
    spread = 0.0
    if noise:
        points = np.random.default_rng(7).uniform(function.low, function.high, size=(1000, len(function.low)))
        spread = float(np.std([function.function(point) for point in points]))

    def true(design: Inputs) -> float:
        return -function.function(design[0] - shift)

    def evaluate(design: Inputs) -> Outcome:
        value = true(design)
        if noise:
            middle = (function.low[0] + function.high[0]) / 2
            share = noise if design[0][0] > middle else noise / 5
            drawn = np.random.default_rng([seed, *design[0].view(np.uint32).tolist()]).standard_normal()
            value += float(share * spread * drawn)
        return Outcome((value,), (), (value,))

    return Task(
        name=name if not noise else f"{name}-noise",
        candidates=candidates,
        evaluate=evaluate,
        flat=box_flat(function.low, function.high),
        budget=100,
        seeds=10,
        batch=1,
        marks=MARKS,
        goal=Goal.plain(1),
        optimum=-function.least,
        tolerance=1e-6,
        true=true if noise else None,
    )


def several(name: str) -> Task[Inputs]:
    """A function of several values, which are minus those that it minimises; its slacks are outputs of their own."""
    function = SEVERAL[name]
    count = len(function.reference)

    def evaluate(design: Inputs) -> Outcome:
        losses, slacks = function.function(design[0])
        values = tuple(float(-loss) for loss in losses)
        violations = tuple(float(max(0.0, -slack)) for slack in slacks)
        return Outcome(values, violations, (*values, *(float(slack) for slack in slacks)))

    outputs = [Output(f"value {i}") for i in range(count)] + [Output(f"slack {i}") for i in range(function.slacks)]
    weights = np.hstack([np.eye(count), np.zeros((count, function.slacks))])
    limits = tuple(Limit(count + i, 0.0, np.inf) for i in range(function.slacks))
    return Task(
        name=name,
        candidates=BoxCandidates(function.low, function.high),
        evaluate=evaluate,
        flat=box_flat(function.low, function.high),
        budget=100,
        seeds=10,
        batch=1,
        marks=MARKS,
        goal=Goal(tuple(outputs), weights, np.zeros(count), limits),
        optimum=function.limit,
        reference=tuple(-bound for bound in function.reference),
    )


@cache
def _transcode(name: str) -> Task[Inputs]:
    from scripts.searching import transcode

    rest: dict[str, Any] = {"budget": 100, "seeds": 10, "marks": MARKS}
    if name == "transcode-four":
        return transcode.task(name, transcode.four_outputs(), reference=transcode.REFERENCE, **rest)
    optimum = {"optimum": TRANSCODE_OPTIMA.get(name, TRANSCODE_OPTIMA["transcode"]), "tolerance": 1e-7}
    if name in ("transcode-reference", "transcode-unknown"):
        optimum["optimum"] = TRANSCODE_OPTIMA["transcode-reference"]
        made = transcode.task(name, settings={"mode": "reference"}, **optimum, **rest)
        return replace(made, goal=None) if name == "transcode-unknown" else made
    if name == "transcode-second":
        rest |= {"budget": 60, "marks": (10, 20, 30, 40, 60)}
        return transcode.task(name, settings={"weights": transcode.OTHER_WEIGHTS}, **optimum, **rest)
    return transcode.task(name, **optimum, **rest)


def _second(seed: int) -> Task[Inputs]:
    """The search under other weights, which may recall what a first search by the default has measured."""
    from scripts.searching.first import measured

    second = _transcode("transcode-second")
    return replace(second, recalled=lambda: measured(_transcode("transcode"), second, seed))


def _library(name: str, measure: str, batch: int) -> Task[Any]:
    from scripts.searching.tables import flexibert

    return flexibert(name, measure, batch)


def _networks(name: str, space: str) -> Task[Any]:
    from scripts.searching.tables import networks

    return networks(name, space)


def _latency(name: str, device: str) -> Task[Any]:
    from scripts.searching.tables import accuracy_and_latency

    return accuracy_and_latency(name, device)


def _cells(name: str, seed: int) -> Task[Any]:
    from scripts.searching.cells import RANGES
    from scripts.searching.tables import cells

    return cells(name, seed % len(RANGES))


def _several(name: str, seed: int) -> Task[Any]:
    return several(name)


TASKS: dict[str, Maker] = {
    "transcode": lambda seed: _transcode("transcode"),
    "transcode-reference": lambda seed: _transcode("transcode-reference"),
    "transcode-unknown": lambda seed: _transcode("transcode-unknown"),
    "transcode-second": _second,
    "transcode-four": lambda seed: _transcode("transcode-four"),
    "library-qnli": lambda seed: _library("library-qnli", "qnli_accuracy", 1),
    "library-qnli-batch4": lambda seed: _library("library-qnli-batch4", "qnli_accuracy", 4),
    "library-sst2": lambda seed: _library("library-sst2", "sst2_accuracy", 1),
    "library-sst2-batch4": lambda seed: _library("library-sst2-batch4", "sst2_accuracy", 4),
    "nasbench201": lambda seed: _networks("nasbench201", "nasbench201"),
    "nasbench-macro": lambda seed: _networks("nasbench-macro", "nasbench_macro"),
    "nasbench201-phone": lambda seed: _latency("nasbench201-phone", "phone"),
    "nasbench201-gpu": lambda seed: _latency("nasbench201-gpu", "gpu"),
    "nasbench201-cpu": lambda seed: _latency("nasbench201-cpu", "cpu"),
    "cells": lambda seed: _cells("cells", seed),
    **{name: partial(smooth, name) for name in SMOOTH},
    "hartmann-6-noise": partial(smooth, "hartmann-6", noise=0.1),
    **{name: partial(_several, name) for name in SEVERAL},
}
"""Name -> maker of the task."""
