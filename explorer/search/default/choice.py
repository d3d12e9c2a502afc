"""The choice of the next design by a model of the outputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Generic

import numpy as np
import torch
from torch import Tensor

from explorer.contracts.goal import Goal
from explorer.contracts.optimiser import D, Observation, Proposal, undominated
from explorer.search.default.acquisition import (
    log_expected_improvement,
    log_within,
    positive_directions,
    volume_gain,
)
from explorer.search.default.knowledge import MOST_COUNTED, Data, Knowledge
from explorer.search.default.outputs import OutputModel, Prediction
from explorer.search.default.region import side
from explorer.search.default.walking import Ranking, Reader, Score, Slope, Walk, looked_at
from explorer.search.options import DefaultOptions

GLOBAL, LOCAL, LIBRARY = "optimise", "optimise near the best", "optimise over all"
_BEST = 5
_DIRECTIONS, _DRAWS = 64, 32
_LOCAL_FROM = 4  # continuous entries; with fewer, the whole box is searched as well as a region
_LEAST_LOG = -1e6

Gain = Callable[[Prediction], Tensor]


class Choice(Generic[D]):
    """Chooses designs one after the other, each as if the ones before were measured with their predicted outputs."""

    def __init__(
        self,
        goal: Goal,
        reader: Reader[D],
        options: DefaultOptions,
        knowledge: Knowledge,
        data: Data,
        observations: Sequence[Observation[D]],
    ) -> None:
        """
        Args:
            goal: how values follow from outputs.
            reader: reads designs.
            options: options of the search.
            knowledge: what was learnt from the observations.
            data: the observations as the model sees them.
            observations: the same, in the same order.
        """
        self._goal, self._reader, self._options = goal, reader, options
        self._model = OutputModel(goal, reader.encoding, knowledge, data.thinned(MOST_COUNTED))
        self._walk = Walk(reader, Slope(reader), options.local_search, options.gradients)
        complete = np.where(np.isnan(data.outputs), data.known, data.outputs)
        usable = data.measured & ~np.isnan(complete).any(axis=1)
        self._rows = np.flatnonzero(usable & goal.feasible(np.where(usable[:, None], complete, 0.0)))
        self._values = goal.values(complete[self._rows])
        self._points = torch.from_numpy(data.points[self._rows])
        self._known = torch.from_numpy(data.known[self._rows])
        self._observations = observations
        measured = [one for one in observations if one.outcome.measured]
        self._best = [one.design for one in sorted(measured, key=lambda one: one.rank, reverse=True)[:_BEST]]
        self.expectation: float | None = None
        """The improvement expected of the first choice; None before it, or with several values."""

    def believe(self, designs: Sequence[D]) -> None:
        """Goes on as if these designs had been measured with the outputs that are predicted for them."""
        if designs and self._options.believer:
            with torch.no_grad():
                self._model = self._model.believing(*self._reader.read(designs))

    def next(
        self,
        pool: Sequence[D],
        whole: bool,
        refused: Collection[Hashable],
        number: int,
        generator: np.random.Generator,
        noise: torch.Generator,
    ) -> Proposal[D] | None:
        """The best design that is not refused; None if the walk passes no other.

        Args:
            pool: designs to look at.
            whole: whether the pool holds all designs, so that nothing is left to walk to.
            refused: keys of designs that must not be chosen.
            number: the number of the choice, which alternates between the whole box and a region around the best.
            generator: random generator of the walk.
            noise: random generator of the draws of outputs.
        """
        score, gain = self._score(noise)
        local = bool(self._walk.slope) and self._walk.slope.dimensions >= _LOCAL_FROM and number % 2 == 1
        if whole:
            ranking = looked_at(score, self._reader, pool)
        elif local and self._rows.size:
            ranking = self._walk.near(score, self._centre(generator), self._side, len(pool), generator)
        else:
            ranking = self._walk.ranked(score, pool, self._best, generator)
        design = self._first_free(ranking, refused)
        if design is None:
            return None
        with torch.no_grad():
            prediction = self._model.predict(*self._reader.read([design]))
            if self.expectation is None and len(self._goal.offsets) == 1 and self._rows.size:
                self.expectation = float(gain(prediction).exp())
            expected = self._expected(prediction)
        return Proposal(design, LIBRARY if whole else LOCAL if local else GLOBAL, expected=expected)

    def _first_free(self, ranking: Ranking[D], refused: Collection[Hashable]) -> D | None:
        key = self._reader.candidates.key
        # Most are free, so the whole order is needed only if many of the first are not
        for count in (64, len(ranking.designs)):
            for place in ranking.best(count):
                if key(ranking.designs[place]) not in refused:
                    return ranking.designs[place]
        return None

    def _expected(self, prediction: Prediction) -> tuple[float, float]:
        """Mean and deviation of the value, or of the mean of several values."""
        mean, deviation = self._model.values(prediction)
        if mean.shape[1] == 1:
            return self._model.unwarped(float(mean), float(deviation))
        return float(mean.mean()), float(deviation.square().sum().sqrt()) / mean.shape[1]

    def _centre(self, generator: np.random.Generator) -> D:
        """The best design or, with several values, one of those that no other dominates."""
        feasible: list[Observation[D]] = [self._observations[int(row)] for row in self._rows]
        if self._values.shape[1] == 1:
            return max(feasible, key=lambda one: one.rank).design
        front = undominated(feasible)
        return front[int(generator.integers(len(front)))].design

    @property
    def _side(self) -> float:
        """The side of the trust region, as a share of the box."""
        improved: list[bool] = []
        reached: Observation[D] | None = None
        for one in self._observations:
            better = one.outcome.measured and (reached is None or one.rank > reached.rank)
            reached = one if better else reached
            improved.append(better)
        return side(improved, self._walk.slope.dimensions)

    def _score(self, noise: torch.Generator) -> tuple[Score, Gain]:
        """The acquisition: the logarithm of gain times probability of being feasible and measurable."""
        model, limits = self._model, self._goal.limits
        gain = self._gain(noise)

        def score(points: Tensor, known: Tensor) -> Tensor:
            prediction = model.predict(points, known)
            total = gain(prediction)
            for limit in limits:
                mean, deviation = prediction.mean[:, limit.output], prediction.deviation[:, limit.output]
                # What is known has no deviation: within the limits its probability is 1, beyond them next to 0
                likely = log_within(
                    mean, deviation.clamp_min(1e-9 * (1.0 + float(mean.detach().abs().max()))), limit.low, limit.high
                )
                total = total + likely.clamp_min(_LEAST_LOG)
            success = model.log_success(points)
            return total if success is None else total + success

        return score, gain

    def _gain(self, noise: torch.Generator) -> Gain:
        """The logarithm of the expected improvement; 0 for all designs as long as none is feasible."""
        model = self._model
        if not self._rows.size:
            return lambda prediction: torch.zeros(len(prediction.mean), dtype=torch.float64)
        if len(self._goal.offsets) == 1:
            with torch.no_grad():
                reached, _ = model.values(model.predict(self._points, self._known))
            best = float(reached.max())

            def improvement(prediction: Prediction) -> Tensor:
                mean, deviation = model.values(prediction)
                return log_expected_improvement(mean[:, 0], deviation[:, 0], best)

            return improvement
        return self._growth(noise)

    def _growth(self, noise: torch.Generator) -> Gain:
        """The logarithm of the expected growth of the hypervolume, from a little below the worst of the front."""
        model = self._model
        values = torch.from_numpy(self._values)
        low, high = values.amin(dim=0), values.amax(dim=0)
        reference = low - 0.1 * (high - low)
        width = (high - reference).clamp_min(1e-12)
        front = (values - reference) / width
        directions = positive_directions(_DIRECTIONS, values.shape[1], noise)
        drawn = torch.randn(_DRAWS, len(self._goal.outputs), generator=noise, dtype=torch.float64)
        origin = torch.zeros(values.shape[1], dtype=torch.float64)

        def growth(prediction: Prediction) -> Tensor:
            samples = (model.samples(prediction, drawn) - reference) / width
            return volume_gain(samples, front, origin, directions).clamp_min(1e-300).log()

        return growth
