"""Runs of methods on tasks: one loop for all, and files of results, from which an interrupted comparison goes on."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import moocore
import numpy as np

from explorer.contracts.optimiser import Outcome
from scripts.searching.problem import Task

REPEATS = 50
"""Times in a row that a method may ask for what it was told already, for which it is not charged."""


class Search(Protocol):
    """What a method must do."""

    def ask(self, count: int) -> Sequence[tuple[Any, str]]:
        """Up to `count` designs, each with a word on where it comes from."""

    def tell(self, design: Any, outcome: Outcome) -> None:
        """Records one result; the results of an `ask` come in its order."""


@dataclass(frozen=True)
class Row:
    """One evaluation of one run.

    Attributes:
        task, method, seed: the run.
        evaluation: its number, from 1.
        value: the value of this design; NaN with several objectives, or if it is infeasible or failed.
        best: the best value so far, or the hypervolume so far. With noise, the true value of the design that measured
            best so far.
        seconds: processor seconds of choosing and learning so far.
        origin: where the design came from.
    """

    task: str
    method: str
    seed: int
    evaluation: int
    value: float
    best: float
    seconds: float
    origin: str


def run(task: Task[Any], method: str, search: Search, seed: int) -> list[Row]:
    """One run. A design that was told before is answered from memory and not counted; after `REPEATS` in a row a random
    untried design takes its place.

    Args:
        task: what to search.
        method: the name of the method.
        search: the method.
        seed: the number of the run.
    """
    generator = np.random.default_rng([seed, 31])
    told: dict[Hashable, Outcome] = {}
    rows: list[Row] = []
    score = _Score(task)
    seconds, repeats = 0.0, 0
    while len(rows) < task.budget and repeats < 20 * REPEATS:
        began = time.process_time()
        proposals = list(search.ask(min(task.batch, task.budget - len(rows))))
        seconds += time.process_time() - began
        if not proposals:
            break
        for design, origin in proposals:
            key = task.candidates.key(design)
            if key in told:
                repeats += 1
                began = time.process_time()
                search.tell(design, told[key])
                seconds += time.process_time() - began
                if repeats % REPEATS or len(rows) == task.budget:
                    continue
                design = _untried(task, generator, told)
                if design is None:
                    return rows
                key, origin = task.candidates.key(design), "repeated"
            else:
                repeats = 0
            if len(rows) == task.budget:
                continue
            outcome = told[key] = task.evaluate(design)
            value = score.add(design, outcome)
            if origin != "repeated":
                began = time.process_time()
                search.tell(design, outcome)
                seconds += time.process_time() - began
            rows.append(Row(task.name, method, seed, len(rows) + 1, value, score.best, round(seconds, 4), origin))
    return rows


def _untried(task: Task[Any], generator: np.random.Generator, told: dict[Hashable, Outcome]) -> Any | None:
    for _ in range(200):
        for design in task.candidates.sample(generator, 1):
            if task.candidates.key(design) not in told:
                return design
    return None


class _Score:
    """The best value, or the hypervolume, of what was added."""

    def __init__(self, task: Task[Any]) -> None:
        self._task = task
        self._front: list[tuple[float, ...]] = []
        self._observed = -math.inf
        self.best = 0.0 if task.reference else math.nan

    def add(self, design: Any, outcome: Outcome) -> float:
        """The value of a design that was measured, which counts if it is feasible."""
        if not outcome.measured or outcome.violation > 0:
            return math.nan
        if self._task.reference is not None:
            if all(value > bound for value, bound in zip(outcome.values, self._task.reference, strict=True)):
                losses = -np.array([*self._front, outcome.values])
                kept = moocore.is_nondominated(losses)
                if kept[-1]:
                    self._front = [tuple(-row) for row in losses[kept]]
                    self.best = float(moocore.hypervolume(losses[kept], ref=[-bound for bound in self._task.reference]))
            return math.nan
        (observed,) = outcome.values
        value = observed if self._task.true is None else self._task.true(design)
        if observed > self._observed:
            self._observed, self.best = observed, value
        return value


class Runs:
    """The finished runs in a folder: one file for each task and method, to which a run is added when it has ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, task: str, method: str) -> Path:
        """The file of a method's runs on a task."""
        return self._folder / task / f"{method}.csv"

    def seeds(self, task: str, method: str) -> set[int]:
        """The seeds that were run."""
        return {row.seed for row in self.rows(task, method)}

    def rows(self, task: str, method: str) -> list[Row]:
        """All evaluations of a method's runs on a task."""
        path = self.path(task, method)
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as lines:
            return [_row(line) for line in csv.DictReader(lines)]

    def add(self, rows: Sequence[Row]) -> None:
        """Adds a run in one write."""
        path = self.path(rows[0].task, rows[0].method)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [] if path.exists() else [",".join(field.name for field in fields(Row))]
        lines += [",".join(map(_text, astuple(row))) for row in rows]
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def forget(self, task: str, method: str) -> None:
        """Removes a method's runs on a task."""
        self.path(task, method).unlink(missing_ok=True)

    def methods(self, task: str) -> Iterator[str]:
        """The methods that have runs on a task."""
        yield from sorted(path.stem for path in (self._folder / task).glob("*.csv"))


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _row(line: dict[str, str]) -> Row:
    return Row(
        line["task"],
        line["method"],
        int(line["seed"]),
        int(line["evaluation"]),
        float(line["value"]),
        float(line["best"]),
        float(line["seconds"]),
        line["origin"],
    )
