"""Processor seconds of one ask, after 20 to 2,000 observations of pairs of a model and an accelerator."""

from __future__ import annotations

import time

import numpy as np

from explorer.search.making import make
from explorer.search.options import OptimiserName
from scripts.searching.tasks import TASKS

POINTS = (20, 100, 500, 2000)


def table(names: tuple[str, ...] = ("default", "boshcode"), batch: int = 4) -> None:
    """Prints the seconds of an ask of `batch` designs.

    Args:
        names: the optimisers.
        batch: the number of designs.
    """
    task = TASKS["transcode"](0)
    designs = task.candidates.sample(np.random.default_rng(1), POINTS[-1] + 50)
    for name in names:
        search = make(OptimiserName(name), {}, task.candidates, 0, task.goal)
        told = 0
        for points in POINTS:
            if name != "default" and points > 500:
                break
            while told < points:
                search.tell(designs[told], task.evaluate(designs[told]))
                told += 1
            if points == POINTS[0]:
                search.ask(batch)  # the first one loads libraries
            began = time.process_time()
            search.ask(batch)
            print(f"{name}, {points} observations: {time.process_time() - began:.2f} s", flush=True)
