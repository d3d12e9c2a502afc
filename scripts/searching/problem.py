"""`Task`: something to search, in the terms of our own optimisers and in flat terms that any library understands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from explorer.contracts.goal import Goal
from explorer.contracts.optimiser import Box, Candidates, D, Inputs, Outcome, Vector, VectorCandidates

Labelled = tuple[Sequence[str], Sequence[tuple[int, int]]]
"""A directed acyclic graph: the label of each node, and the edges. The first node is the input, the last the output."""


@dataclass(frozen=True)
class Flat(Generic[D]):
    """Designs as rows of numbers.

    Attributes:
        entries: what each number means.
        decode: a row, whole in every entry that is not continuous -> the legal design nearest to it.
    """

    entries: tuple[Entry, ...]
    decode: Callable[[Vector], D]


@dataclass(frozen=True)
class Task(Generic[D]):
    """One search to be done, the same for every method.

    Attributes:
        name: its name on the command line.
        candidates: the legal designs.
        evaluate: design -> what the method is told of it; deterministic.
        flat: the designs as rows of numbers.
        budget: the number of evaluations.
        seeds: the number of seeds.
        batch: the number of designs that are chosen together.
        marks: the numbers of evaluations at which tables compare.
        goal: how values follow from outputs, where a method can make use of it.
        optimum: the best value, or the best hypervolume; None if it is not known.
        tolerance: a value within this of the optimum is the optimum.
        reference: the reference point of the hypervolume, in values (larger is better); None with one objective.
        true: design -> its value without noise, if there is noise.
        graph: design -> its graph, where designs are graphs.
        recalled: gives designs that were measured before the search, with their outcomes; None if there are none.
    """

    name: str
    candidates: Candidates[D]
    evaluate: Callable[[D], Outcome]
    flat: Flat[D]
    budget: int
    seeds: int
    batch: int
    marks: tuple[int, ...]
    goal: Goal | None = None
    optimum: float | None = None
    tolerance: float = 1e-9
    reference: tuple[float, ...] | None = None
    true: Callable[[D], float] | None = None
    graph: Callable[[D], Labelled] | None = None
    recalled: Callable[[], Sequence[tuple[D, Outcome]]] | None = None

    @property
    def objectives(self) -> int:
        """The number of objectives."""
        return 1 if self.reference is None else len(self.reference)

    @property
    def constraints(self) -> int:
        """The number of constraints."""
        return len(self.goal.limits) if self.goal is not None else 0


class BoxCandidates(VectorCandidates):
    """Every point of a box of continuous entries, for one role."""

    def __init__(self, low: Vector, high: Vector) -> None:
        self._low, self._high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)

    def bounds(self) -> Box:
        return ((self._low, self._high),)

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [(row,) for row in generator.uniform(self._low, self._high, size=(count, len(self._low)))]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [(np.clip(vector, self._low, self._high),) for (vector,) in points]

    def key(self, design: Inputs) -> Hashable:
        return design[0].tobytes()


class RowCandidates(VectorCandidates):
    """The rows of a table of indices, for one role: a finite library; designs one decision apart are neighbours."""

    def __init__(self, entries: Sequence[Entry], rows: NDArray[np.float64]) -> None:
        """
        Args:
            entries: what each column means; none is continuous.
            rows: the designs, shape `(n, d)`; NaN where an entry means nothing for a design.
        """
        self._entries = tuple(entries)
        self._described = np.asarray(rows, dtype=np.float64)
        self.rows = np.nan_to_num(self._described, nan=0.0)
        self._place = {row.tobytes(): place for place, row in enumerate(self.rows)}
        self._all: list[Inputs] = [(row,) for row in self.rows]
        self._near: dict[int, list[int]] = {}

    @property
    def entries(self) -> Sequence[Entry]:
        return self._entries

    def bounds(self) -> Box:
        return ((self.rows.min(axis=0), self.rows.max(axis=0)),)

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [self._all[place] for place in generator.integers(len(self._all), size=count)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [self._all[int(np.abs(self.rows - vector).sum(axis=1).argmin())] for (vector,) in points]

    def key(self, design: Inputs) -> Hashable:
        return self.place(design)

    def place(self, design: Inputs) -> int:
        """The number of the row."""
        return self._place[design[0].tobytes()]

    def neighbours(self, design: Inputs) -> list[Inputs]:
        place = self.place(design)
        if place not in self._near:
            apart = self._apart(self.rows[place])
            self._near[place] = [int(other) for other in np.flatnonzero(apart) if other != place]
        return [self._all[other] for other in self._near[place]]

    def _apart(self, row: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each row differs from this one in a single entry."""
        near: NDArray[np.bool_] = (self.rows != row).sum(axis=1) == 1
        return near

    def describe(self, designs: Sequence[Inputs]) -> Vector:
        return self._described[[self.place(design) for design in designs]]

    def library(self) -> Sequence[Inputs]:
        return self._all

    def crossover(self, first: Inputs, second: Inputs, generator: np.random.Generator) -> Inputs | None:
        mixed = np.where(generator.random(len(first[0])) < 0.5, first[0], second[0])
        return self._all[self._place[mixed.tobytes()]] if mixed.tobytes() in self._place else None


def box_flat(low: Vector, high: Vector) -> Flat[Inputs]:
    """The flat form of a box."""
    entries = [
        Entry(f"x{i}", Nature.CONTINUOUS, float(a), float(b)) for i, (a, b) in enumerate(zip(low, high, strict=True))
    ]
    return Flat(tuple(entries), lambda row: (np.asarray(row, dtype=np.float64),))


def cached(function: Callable[[Any], Outcome], key: Callable[[Any], Hashable]) -> Callable[[Any], Outcome]:
    """A function of designs that computes each of them once in a process."""
    kept: dict[Hashable, Outcome] = {}

    def evaluate(design: Any) -> Outcome:
        place = key(design)
        if place not in kept:
            kept[place] = function(design)
        return kept[place]

    return evaluate
