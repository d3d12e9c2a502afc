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

Score = Callable[[Tensor, Tensor], Tensor]
"""(coordinates `(n, p)`, known outputs `(n, k)`) -> the acquisition `(n,)`; larger is better."""

_CLIMBERS = 5  # of the pool, and as many of the best measured designs
_STEPS = 40
_POLISHED = 4


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

    @property
    def order(self) -> list[int]:
        """The places of all designs, best first."""
        return self.best(len(self.scores))


def scored(score: Score, reader: Reader[D], designs: Sequence[D]) -> list[float]:
    """The acquisition of designs."""
    if not designs:
        return []
    with torch.no_grad():
        values: list[float] = score(*reader.read(designs)).tolist()
    return values


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
        bounds = candidates.bounds()
        self._sizes = [len(low) for low, _ in bounds]
        self._low = np.concatenate([low for low, _ in bounds])
        self._width = np.concatenate([high - low for low, high in bounds])
        if len(self._low) == len(reader.encoding.entries):  # descriptions are the vectors themselves
            self._columns = np.flatnonzero(reader.encoding.continuous)
            self._coordinates = reader.encoding.coordinates(self._columns)

    def __bool__(self) -> bool:
        return len(self._columns) > 0

    def around(self, designs: Sequence[D], count: int, generator: np.random.Generator) -> list[D]:
        """Legal designs near given ones: some entries moved by a normal step, whose size differs from draw to draw."""
        centres = np.stack([np.concatenate(cast(Inputs, design)) for design in designs])
        chosen = centres[generator.integers(len(centres), size=count)]
        share = min(1.0, 5.0 / len(self._columns))
        moved = generator.random((count, len(self._columns))) < share
        moved[np.arange(count), generator.integers(len(self._columns), size=count)] = True
        size = np.power(10.0, generator.uniform(-3.0, -0.5, size=(count, 1)))
        steps = np.where(moved, generator.standard_normal(moved.shape) * size, 0.0) * self._width[self._columns]
        chosen[:, self._columns] += steps
        return self._snapped(chosen)

    def ascend(self, score: Score, starts: Sequence[D], ranking: Ranking[D]) -> None:
        """Quasi-Newton ascent from every start; the legal designs at its ends are added to the ranking.

        Args:
            score: the acquisition.
            starts: designs to start from.
            ranking: takes the ends.
        """
        ends = []
        for start in starts:
            vector = np.concatenate(cast(Inputs, start))
            points, known = self._reader.read([start])

            def loss(shares: Vector, points: Tensor = points, known: Tensor = known) -> tuple[float, Vector]:
                moving = torch.from_numpy(shares).requires_grad_()
                placed = points[0].index_copy(0, self._coordinates, moving).unsqueeze(0)
                value = -score(placed, known)[0]
                (gradient,) = torch.autograd.grad(value, moving)
                return float(value.detach()), gradient.numpy()

            begin = (vector - self._low)[self._columns] / self._width[self._columns]
            result = minimize(
                loss, begin, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(begin), options={"maxiter": 50}
            )
            vector[self._columns] = self._low[self._columns] + np.clip(result.x, 0, 1) * self._width[self._columns]
            ends.append(vector)
        designs = self._snapped(np.stack(ends))
        ranking.add(designs, scored(score, self._reader, designs))

    def _snapped(self, vectors: Vector) -> list[D]:
        cuts = np.cumsum(self._sizes)[:-1]
        clipped = np.clip(vectors, self._low, self._low + self._width)
        inputs = [tuple(np.split(vector, cuts)) for vector in clipped]
        candidates = cast(VectorCandidates, self._reader.candidates)
        return cast(list[D], candidates.snap(inputs))


def maximise(
    score: Score,
    reader: Reader[D],
    slope: Slope[D],
    pool: Sequence[D],
    best: Sequence[D],
    generator: np.random.Generator,
    local: bool = True,
) -> Ranking[D]:
    """Everything worth proposing, with its acquisition.

    Args:
        score: the acquisition.
        reader: reads the designs.
        slope: moves continuous entries, if there are any.
        pool: designs to look at: random ones, or a whole library.
        best: the best measured designs, from which local search starts too.
        generator: random generator.
        local: whether to search locally.
    """
    ranking: Ranking[D] = Ranking()
    ranking.add(pool, scored(score, reader, pool))
    if not local:
        return ranking
    if slope and best:
        near = slope.around(best, max(len(pool) // 2, 1), generator)
        ranking.add(near, scored(score, reader, near))
    starts = [ranking.designs[place] for place in ranking.best(_CLIMBERS)]
    climb(score, reader, [*starts, *best[:_CLIMBERS]], ranking)
    if slope:
        tops = [ranking.designs[place] for place in ranking.best(_POLISHED)]
        slope.ascend(score, tops, ranking)
    return ranking
