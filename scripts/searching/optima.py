"""The optimum of a discrete task, as far as descent in one and in two decisions finds it from many random designs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from explorer.contracts.optimiser import Vector
from scripts.searching.problem import Task


def descend(task: Task[Any], starts: int = 12, seed: int = 0) -> float:
    """Prints and returns the best value over descents: the best change of one entry until none helps, then of two.

    Args:
        task: with one objective and no continuous entries.
        starts: the number of random designs.
        seed: of the starts.
    """
    generator = np.random.default_rng([seed, 3])
    values: list[float] = []
    tops: dict[tuple[float, ...], float] = {}
    for _ in range(starts):
        row = np.array([generator.integers(int(entry.low), int(entry.high) + 1) for entry in task.flat.entries], float)
        row, value = _climb(task, row, tops)
        values.append(value)
        print(f"{value:.8f} at {row.astype(int).tolist()}; best of {len(values)}: {max(values):.8f}", flush=True)
    print(f"{sum(value >= max(values) - 1e-9 for value in values)} of {starts} descents end at the best")
    return max(values)


def _climb(task: Task[Any], row: Vector, known: dict[tuple[float, ...], float]) -> tuple[Vector, float]:
    def worth(one: Vector) -> float:
        key = tuple(one)
        if key not in known:
            outcome = task.evaluate(task.flat.decode(one))
            known[key] = outcome.values[0] if outcome.measured and outcome.violation == 0 else -np.inf
        return known[key]

    singles = [
        (place, float(value))
        for place, entry in enumerate(task.flat.entries)
        for value in range(int(entry.low), int(entry.high) + 1)
    ]
    value = worth(row)
    while True:
        better = max((_changed(row, change) for change in singles), key=worth)
        if worth(better) <= value + 1e-12:
            pairs = (pair for pair in itertools.combinations(singles, 2) if pair[0][0] != pair[1][0])
            better = next((r for r in (_changed(row, *pair) for pair in pairs) if worth(r) > value + 1e-12), row)
            if worth(better) <= value + 1e-12:
                return row, value
        row, value = better, worth(better)


def _changed(row: Vector, *changes: tuple[int, float]) -> Vector:
    changed = row.copy()
    for place, value in changes:
        changed[place] = value
    return changed
