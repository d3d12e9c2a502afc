"""One search step of BREATHE: fit the surrogate, walk, force legality, score again, and choose."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.contracts.optimiser import Inputs, Vector
from explorer.search.breathe_acquisition import Acquisition
from explorer.search.breathe_labels import REFERENCE, labels_of
from explorer.search.descent import by_differences, walk
from explorer.search.npn import Array
from explorer.search.surrogate import Surrogate

if TYPE_CHECKING:
    from explorer.search.breathe import Breathe


class Query:
    """A surrogate of all observations, and the designs that it recommends."""

    def __init__(
        self,
        search: Breathe,
        pool: list[Inputs],
        weights: Vector,
        pending: Sequence[Inputs],
        generator: np.random.Generator,
    ) -> None:
        """
        Args:
            search: the search.
            pool: random untried designs.
            weights: of the objectives in each optimising proposal of the round, `(q, m)`.
            pending: designs under way.
            generator: random generator for everything in this step.
        """
        self._search, self._pool, self._weights, self._generator = search, pool, weights, generator
        self._labels = labels_of(search.observations, search.goal)
        settings = search.settings
        self._surrogate = Surrogate(
            search.box.sizes, settings.surrogate, generator, heads=self._labels.targets.shape[1]
        )
        known = search.box.points([one.design for one in search.observations])
        distilled = pool[: settings.distilled]
        self._surrogate.fit(known, self._labels.targets, search.box.points(distilled) if distilled else None)
        self._chosen = list(search.box.points(pending)) if pending else []
        self._turn = 0
        self.legality_step: float | None = None

    def best(self, taken: set[Hashable]) -> Inputs | None:
        """The best untried design for the next weights; None if there is none.

        Args:
            taken: keys of the designs that are pending or chosen before.
        """
        turn, self._turn = self._turn, self._turn + 1
        designs, legal, scores = self.results
        own = range(len(designs)) if self._search.settings.hypervolume else self._own(turn)
        free = [index for index in own if not self._search._is_taken(designs[index], taken)]
        if not free:
            return self._instead(turn, taken)
        value = self._added(legal[free]) if self._search.settings.hypervolume else -scores[free]
        apart = np.array([self._distance(legal[index]) >= self._search.settings.distance for index in free])
        order = np.lexsort((-value, ~apart))
        index = free[int(order[0])]
        self._chosen.append(legal[index])
        return designs[index]

    def least_known(self, taken: set[Hashable]) -> Inputs | None:
        """The untried design of the pool whose targets have the largest epistemic deviation and noise."""
        prediction = self._surrogate.predict(self._pool_points)
        unknown = (prediction.deviation + np.sqrt(prediction.variance)).mean(axis=1)
        return self._first(self._pool, (-unknown).argsort(kind="stable"), taken)

    @cached_property
    def results(self) -> tuple[list[Inputs], Vector, Array]:
        """GOBI's results of all proposals, made legal: designs, points, and acquisitions under their own weights."""
        search = self._search
        settings = search.settings
        starts = np.concatenate([self._starts(weights) for weights in self._weights])
        acquisition = self._acquisition(self._rows)
        derivatives = by_differences(lambda points: self._surrogate.gradient(points, acquisition))
        ends = walk(derivatives, starts, settings.gobi, self._generator, search.box.frozen)
        designs = search.candidates.snap(search.box.inputs(ends))
        legal = search.box.points(designs)
        self.legality_step = float(np.abs(legal - ends).mean())
        return designs, legal, self._surrogate.values(legal if settings.legality_forcing else ends, acquisition)

    @cached_property
    def _pool_points(self) -> Vector:
        return self._search.box.points(self._pool)

    @property
    def _rows(self) -> Vector:
        """The weights of every start."""
        return np.repeat(self._weights, self._search.settings.starts, axis=0)

    def _own(self, turn: int) -> range:
        starts = self._search.settings.starts
        return range(turn * starts, (turn + 1) * starts)

    def _acquisition(self, weights: Vector) -> Acquisition:
        settings = self._search.settings
        return Acquisition(
            self._labels, weights, settings.exploration, self._search.aleatoric, settings.chebyshev, settings.penalty
        )

    def _starts(self, weights: Vector) -> Vector:
        """A quarter the best designs under some weights, a quarter the same with jitter, and random legal ones."""
        search, generator = self._search, self._generator
        settings = search.settings
        ranked = self._labels.scalar(weights).argsort(kind="stable")[: settings.starts // 4]
        best = search.box.points([search.observations[index].design for index in ranked])
        near = np.clip(best + settings.jitter * generator.standard_normal(best.shape), 0.0, 1.0)
        near[:, search.box.frozen] = best[:, search.box.frozen]
        drawn = search.box.points(search.candidates.sample(generator, settings.starts - 2 * len(best)))
        return np.concatenate([best, near, drawn])

    def _instead(self, turn: int, taken: set[Hashable]) -> Inputs | None:
        """The least known untried neighbour of the best result, or the best design of the pool."""
        search = self._search
        designs, _, scores = self.results
        own = self._own(turn)
        near = search.candidates.neighbours(designs[own[int(scores[own].argmin())]])
        if near:
            deviation = self._surrogate.predict(search.box.points(near)).deviation.mean(axis=1)
            design = self._first(near, (-deviation).argsort(kind="stable"), taken)
            if design is not None:
                return design
        if not self._pool:
            return None
        values = self._surrogate.values(self._pool_points, self._acquisition(self._weights[turn : turn + 1]))
        return self._first(self._pool, values.argsort(kind="stable"), taken)

    def _first(self, designs: Sequence[Inputs], order: NDArray[np.intp], taken: set[Hashable]) -> Inputs | None:
        """The first untried design in an order."""
        for index in order:
            if not self._search._is_taken(designs[int(index)], taken):
                self._chosen.append(self._search.box.points([designs[int(index)]])[0])
                return designs[int(index)]
        return None

    def _distance(self, point: Vector) -> float:
        """The smallest mean difference from a point to those chosen or pending, as a share of the box."""
        return min((float(np.abs(point - other).mean()) for other in self._chosen), default=np.inf)

    def _added(self, points: Vector) -> Vector:
        """The hypervolume that each point would add to the front, times the probability that it is feasible.

        Its objectives are taken at their optimistic bounds; what is pending or chosen is believed to be as predicted.
        """
        acquisition = self._acquisition(self._weights[:1])
        prediction = self._surrogate.predict(points)
        front = self._labels.front
        if self._chosen:
            believed = self._surrogate.predict(np.array(self._chosen)).mean
            front = np.vstack([front, believed @ self._labels.slopes.T + self._labels.offsets])
        corner = np.full(front.shape[1], REFERENCE)
        volume = float(moocore.hypervolume(front, ref=corner)) if len(front) else 0.0
        losses = acquisition.objectives(prediction)
        gain = np.array([float(moocore.hypervolume(np.vstack([front, one]), ref=corner)) for one in losses]) - volume
        chance = np.exp(-acquisition.doubt(prediction)[0])
        added: Vector = (gain + 1e-9) * chance
        return added
