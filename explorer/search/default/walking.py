"""Where an acquisition is largest: among random designs, by local search from the best, and along its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, cast

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from explorer.contracts.goal import Goal
from explorer.contracts.optimiser import Candidates, D, Inputs, Vector, VectorCandidates
from explorer.search.default.encoding import Encoding
from explorer.search.unit_box import UnitBox

Score = Callable[[Tensor, Tensor], Tensor]
"""(coordinates `(n, p)`, known outputs `(n, k)`) -> the acquisition `(n,)`; larger is better."""

_CLIMBERS = 3
"""Starts of local search from the pool, and as many from the best measured designs."""
_STEPS = 40
_POLISHED = 4
"""Starts of the ascent along the gradient."""
_ITERATIONS = 50
_MOVED = 5.0
"""Continuous entries that a random step moves on average."""


class Reader(Generic[D]):
    """What a model reads of designs: their coordinates, and the outputs that are known beforehand."""

    def __init__(self, candidates: Candidates[D], goal: Goal) -> None:
        self.candidates, self.goal = candidates, goal
        self.encoding = Encoding(candidates.entries)

    def read(self, designs: Sequence[D]) -> tuple[Tensor, Tensor]:
        """Coordinates `(n, p)` and known outputs `(n, k)` on the scales on which they are learnt, NaN elsewhere."""
        points = self.encoding.points(self.candidates.describe(designs))
        return torch.from_numpy(points), torch.from_numpy(self.known(designs))

    def known(self, designs: Sequence[D]) -> Vector:
        """The outputs of n designs that need no measurement, `(n, k)`, NaN elsewhere."""
        given = self.candidates.known(designs)
        columns = [
            np.asarray(given[output.name], dtype=np.float64) if output.name in given else np.full(len(designs), np.nan)
            for output in self.goal.outputs
        ]
        return self.goal.learnt(np.stack(columns, axis=1))


@dataclass
class Ranking(Generic[D]):
    """Designs that a walk has passed, with their scores."""

    designs: list[D] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def add(self, designs: Sequence[D], scores: Sequence[float]) -> None:
        """Adds designs; one that is added twice stays twice."""
        self.designs.extend(designs)
        self.scores.extend(scores)

    def best(self, count: int) -> list[int]:
        """The places of the best designs, best first; of equal ones the first added."""
        scores = np.nan_to_num(np.array(self.scores), nan=-np.inf)
        return [int(place) for place in np.argsort(-scores, kind="stable")[:count]]

    def top(self, count: int) -> list[D]:
        """The best designs, best first."""
        return [self.designs[place] for place in self.best(count)]


def scored(score: Score, reader: Reader[D], designs: Sequence[D]) -> list[float]:
    """The acquisition of designs."""
    if not designs:
        return []
    with torch.no_grad():
        values: list[float] = score(*reader.read(designs)).tolist()
    return values


def looked_at(score: Score, reader: Reader[D], designs: Sequence[D]) -> Ranking[D]:
    """Designs with their acquisition, from which nothing was sought further."""
    ranking: Ranking[D] = Ranking()
    ranking.add(designs, scored(score, reader, designs))
    return ranking


def climb(score: Score, reader: Reader[D], starts: Sequence[D], ranking: Ranking[D]) -> None:
    """Steepest ascent over `neighbours` from every start, all in step; everything seen is added to the ranking.

    Args:
        score: the acquisition.
        reader: reads the designs.
        starts: designs to start from.
        ranking: takes what was seen.
    """
    heights = scored(score, reader, starts)
    ranking.add(starts, heights)
    current = list(zip(starts, heights, strict=True))
    for _ in range(_STEPS):
        near = [reader.candidates.neighbours(design) for design, _ in current]
        every = [design for some in near for design in some]
        if not every:
            return
        values = scored(score, reader, every)
        ranking.add(every, values)
        moved: list[tuple[D, float]] = []
        begin = 0
        for (_, height), some in zip(current, near, strict=True):
            own = values[begin : begin + len(some)]
            if own:
                top = int(np.argmax(own))
                if own[top] > height + 1e-9:
                    moved.append((some[top], own[top]))
            begin += len(some)
        if not moved:
            return
        distinct = {reader.candidates.key(design): (design, height) for design, height in moved}
        current = list(distinct.values())


class Slope(Generic[D]):
    """Moves the continuous entries of vector designs along the gradient of an acquisition."""

    def __init__(self, reader: Reader[D]) -> None:
        self._reader = reader
        self._columns = np.zeros(0, dtype=np.intp)
        candidates = reader.candidates
        if not isinstance(candidates, VectorCandidates):
            return
        self._box = UnitBox(candidates)
        if len(self._box.frozen) == len(reader.encoding.entries):  # descriptions are the vectors themselves
            self._columns = np.flatnonzero(reader.encoding.continuous)
            self._coordinates = reader.encoding.coordinates(self._columns)

    def __bool__(self) -> bool:
        return len(self._columns) > 0

    @property
    def dimensions(self) -> int:
        """The number of continuous entries."""
        return len(self._columns)

    def around(self, designs: Sequence[D], count: int, generator: np.random.Generator, side: float = 1.0) -> list[D]:
        """Legal designs near given ones: some entries moved by a normal step, whose size differs from draw to draw.

        Args:
            designs: the given ones.
            count: the number of designs.
            generator: random generator.
            side: the range of each entry, as a share of the box, within which designs must lie.
        """
        centres = self._box.points(cast(Sequence[Inputs], designs))
        chosen = centres[generator.integers(len(centres), size=count)]
        moved = generator.random((count, self.dimensions)) < min(1.0, _MOVED / self.dimensions)
        moved[np.arange(count), generator.integers(self.dimensions, size=count)] = True
        size = side * np.power(10.0, generator.uniform(-3.0, -0.5, size=(count, 1)))
        steps = np.where(moved, generator.standard_normal(moved.shape) * size, 0.0)
        chosen[:, self._columns] += np.clip(steps, -side / 2, side / 2)
        return self._snapped(chosen)

    def ascend(self, score: Score, starts: Sequence[D], side: float | None, ranking: Ranking[D]) -> None:
        """Quasi-Newton ascent from every start; the legal designs at the ends are added to the ranking.

        Args:
            score: the acquisition.
            starts: designs to start from.
            side: the side of a box around the first start, as a share of the whole, that no ascent leaves; None for no
                such box.
            ranking: takes the ends.
        """
        places = self._box.points(cast(Sequence[Inputs], starts))
        points, known = self._reader.read(starts)
        shape = (len(starts), self.dimensions)

        def loss(shares: Vector) -> tuple[float, Vector]:  # all starts at once, as each depends on its own shares only
            moving = torch.from_numpy(shares.reshape(shape)).requires_grad_()
            value = -score(points.index_copy(1, self._coordinates, moving), known).sum()
            (gradient,) = torch.autograd.grad(value, moving)
            return float(value.detach()), gradient.numpy().ravel()

        begin = places[:, self._columns]
        reach = 1.0 if side is None else side / 2
        least, most = np.clip(begin[0] - reach, 0.0, 1.0), np.clip(begin[0] + reach, 0.0, 1.0)
        bounds = np.stack([np.tile(least, len(starts)), np.tile(most, len(starts))], axis=1)
        first = np.clip(begin, least, most).ravel()
        result = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _ITERATIONS})
        places[:, self._columns] = result.x.reshape(shape)
        designs = self._snapped(places)
        ranking.add(designs, scored(score, self._reader, designs))

    def _snapped(self, places: Vector) -> list[D]:
        candidates = cast(VectorCandidates, self._reader.candidates)
        return cast(list[D], candidates.snap(self._box.inputs(np.clip(places, 0.0, 1.0))))


@dataclass(frozen=True)
class Walk(Generic[D]):
    """How an acquisition is maximised.

    Attributes:
        reader: reads the designs.
        slope: moves continuous entries.
        climbing: whether neighbours are climbed.
        ascending: whether continuous entries follow the gradient.
    """

    reader: Reader[D]
    slope: Slope[D]
    climbing: bool = True
    ascending: bool = True

    def ranked(self, score: Score, pool: Sequence[D], best: Sequence[D], generator: np.random.Generator) -> Ranking[D]:
        """Designs worth proposing, with their acquisition.

        Args:
            score: the acquisition.
            pool: designs to look at: random ones, or a whole library.
            best: the best measured designs, from which local search starts too.
            generator: random generator.
        """
        ranking = looked_at(score, self.reader, pool)
        if self.slope and best and self.climbing:
            near = self.slope.around(best, max(len(pool) // 2, 1), generator)
            ranking.add(near, scored(score, self.reader, near))
        if self.climbing:
            climb(score, self.reader, [*ranking.top(_CLIMBERS), *best[:_CLIMBERS]], ranking)
        if self.slope and self.ascending:
            self.slope.ascend(score, ranking.top(_POLISHED), None, ranking)
        return ranking

    def near(self, score: Score, centre: D, side: float, count: int, generator: np.random.Generator) -> Ranking[D]:
        """Designs in a trust region around one whose continuous entries are searched, with their acquisition.

        Args:
            score: the acquisition.
            centre: the middle of the region.
            side: its side, as a share of the box.
            count: the number of random designs in it.
            generator: random generator.
        """
        ranking = looked_at(score, self.reader, self.slope.around([centre], count, generator, side))
        if self.ascending:
            self.slope.ascend(score, [centre, *ranking.top(_POLISHED)], side, ranking)
        return ranking
