"""`DefaultSearch`: what a study uses unless told otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic

import numpy as np
import torch
from torch import Tensor

from explorer.contracts.goal import Array, Goal
from explorer.contracts.optimiser import Candidates, D, Observation, Optimiser, Outcome, Proposal
from explorer.search.default.acquisition import (
    log_expected_improvement,
    log_within,
    positive_directions,
    volume_gain,
)
from explorer.search.default.outputs import Data, Knowledge, OutputModel, study
from explorer.search.default.walking import Reader, Score, Slope, maximise
from explorer.search.options import DefaultOptions
from explorer.search.threads import one_thread

INITIAL, RECALLED, OPTIMISE = "initial", "recalled", "optimise"
_DIRECTIONS, _DRAWS = 64, 32
_BEST = 5


class DefaultSearch(Optimiser[D], Generic[D]):
    """Gaussian processes over descriptions of designs, one for each output that is not known beforehand.

    The next design maximises the logarithm of the expected improvement (of the hypervolume, if there are several
    values) times the probability that it is feasible and can be measured. It is sought among random designs, by local
    search over their neighbours and those of the best, and along the gradient of continuous entries. Designs of one
    batch, and those under way, count as measured with their predicted outputs (the kriging believer: Ginsbourger and
    others 2010).
    """

    objectives: ClassVar[int | None] = None

    def __init__(
        self, candidates: Candidates[D], seed: int, options: DefaultOptions | None = None, goal: Goal | None = None
    ) -> None:
        """
        Args:
            candidates: legal designs.
            seed: seed of all random choices, not negative.
            options: options of the search.
            goal: how values follow from outputs; if there is none, the values that are told are learnt.

        Raises:
            InputError: the seed is negative.
        """
        super().__init__(candidates, seed)
        self.options = options or DefaultOptions()
        self._goal = goal
        self._earlier: list[Observation[D]] = []
        self._learnt: dict[int, Knowledge] = {}

    def recall(self, design: D, outcome: Outcome) -> None:
        """Learns from a design that was measured before the search began; its best is proposed first."""
        self._earlier.append(Observation(design, self.candidates.key(design), outcome))

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        with one_thread():
            return self._ask(count, pending)

    def _ask(self, count: int, pending: Sequence[D]) -> list[Proposal[D]]:
        done = len(self._observations)
        generator = self._generator(done, *self._under_way(pending))
        taken = self._keys(pending)
        proposals: list[Proposal[D]] = []
        if not done and not pending:
            for design in self._recalled()[:count]:
                proposals.append(Proposal(design, RECALLED))
                taken.add(self.candidates.key(design))
        informed = len(self._earlier) + done
        measured = sum(one.outcome.measured for one in [*self._earlier, *self._observations])
        lacking = self.options.initial - informed - len(pending)
        if measured < 2:
            lacking = count
        first = min(count - len(proposals), max(lacking, 0))
        for design in self._fresh(generator, first, taken) if first else ():
            proposals.append(Proposal(design, INITIAL))
            taken.add(self.candidates.key(design))
        if len(proposals) < count and lacking < count:
            begun = [*pending, *(proposal.design for proposal in proposals if proposal.origin == INITIAL)]
            proposals += _Choice(self, generator, begun).designs(count - len(proposals), taken)
        return proposals

    def _recalled(self) -> list[D]:
        """The best of what was measured earlier, which the study then has among its trials."""
        feasible = [one for one in self._earlier if one.outcome.measured and not one.violation]
        return [max(feasible, key=lambda one: one.rank).design] if feasible else []

    def _knowledge(self, goal: Goal, reader: Reader[D], data: Data) -> Knowledge:
        """What is learnt at the latest of the numbers of observations at which something is learnt.

        These grow by a tenth from one to the next. What is learnt depends only on the first observations, so a search
        that goes on after an interruption knows the same.
        """
        size, following = 0, 2
        while following <= len(data.points):
            size, following = following, max(following + 1, round(1.1 * following))
        if size not in self._learnt:
            begun = Data(data.points[:size], data.outputs[:size], data.known[:size])
            self._learnt = {size: study(goal, reader.encoding, begun)}
        return self._learnt[size]


class _Choice(Generic[D]):
    """The model of one `ask`, and the choice by it."""

    def __init__(self, search: DefaultSearch[D], generator: np.random.Generator, begun: Sequence[D]) -> None:
        self._search, self._generator = search, generator
        self._all = [*search._earlier, *search._observations]
        goal = search._goal
        if goal is None or not all(
            len(one.outcome.outputs) == len(goal.outputs) for one in self._all if one.outcome.measured
        ):
            first = self._all[0].outcome
            goal = Goal.plain(len(first.values), max(len(one.outcome.violations) for one in self._all))
        self._goal = goal
        self._reader: Reader[D] = Reader(search.candidates, goal)
        self._slope: Slope[D] = Slope(self._reader)
        designs = [one.design for one in self._all]
        points, known = self._reader.read(designs)
        outputs = goal.learnt(np.array([_outputs(one, goal) for one in self._all]))
        data = Data(points.numpy(), outputs, known.numpy())
        self._points, self._known = points, known
        knowledge = search._knowledge(goal, self._reader, data)
        self._model = OutputModel(goal, self._reader.encoding, knowledge, data)
        complete = np.where(np.isnan(outputs), known.numpy(), outputs)
        measured = ~np.isnan(complete).any(axis=1) & ~np.isnan(outputs).all(axis=1)
        self._feasible = measured & goal.feasible(complete)
        self._values = goal.values(complete)
        if begun:
            self._model = self._model.believing(*self._reader.read(begun))

    def designs(self, count: int, taken: set[object]) -> list[Proposal[D]]:
        """The next proposals; fewer if no more can be found."""
        search = self._search
        library = search.candidates.library()
        pool = library if library is not None else search._fresh(self._generator, search.options.pool, set())
        proposals: list[Proposal[D]] = []
        torch_generator = torch.Generator().manual_seed(int(self._generator.integers(2**62)))
        for _ in range(count):
            score = self._score(torch_generator)
            local = search.options.local_search and library is None
            ranking = maximise(score, self._reader, self._slope, pool, self._best, self._generator, local)
            design = self._untaken(ranking, taken)
            if design is None:
                design = next(iter(search._fresh(self._generator, 1, taken)), None)
            if design is None:
                break
            taken.add(search.candidates.key(design))
            proposals.append(Proposal(design, OPTIMISE))
            self._model = self._model.believing(*self._reader.read([design]))
        return proposals

    def _untaken(self, ranking, taken):
        for place in ranking.order:
            design = ranking.designs[place]
            key = self._search.candidates.key(design)
            if key not in taken and key not in self._search._evaluated:
                return design
        return None

    @property
    def _best(self) -> list[D]:
        ranked = sorted(range(len(self._all)), key=lambda row: self._all[row].rank, reverse=True)
        return [self._all[row].design for row in ranked[:_BEST] if self._all[row].outcome.measured]

    def _score(self, generator: torch.Generator) -> Score:
        model, goal = self._model, self._goal
        gain = self._gain(generator)

        def score(points: Tensor, known: Tensor) -> Tensor:
            prediction = model.predict(points, known)
            total = gain(prediction)
            for limit in goal.limits:
                mean, deviation = prediction.mean[:, limit.output], prediction.deviation[:, limit.output]
                spread = deviation.clamp_min(1e-9 * (1.0 + abs(limit.high if np.isfinite(limit.high) else limit.low)))
                total = total + log_within(mean, spread, limit.low, limit.high).clamp_min(-1e6)
            success = model.log_success(points)
            return total if success is None else total + success

        return score

    def _gain(self, generator):
        model = self._model
        if not self._feasible.any():
            return lambda prediction: torch.zeros(len(prediction.mean), dtype=torch.float64)
        rows = torch.from_numpy(np.flatnonzero(self._feasible))
        with torch.no_grad():
            reached, _ = model.values(model.predict(self._points[rows], self._known[rows]))
        if len(self._goal.offsets) == 1:
            best = float(reached.max())

            def improvement(prediction):
                mean, deviation = model.values(prediction)
                return log_expected_improvement(mean[:, 0], deviation[:, 0], best)

            return improvement
        values = torch.from_numpy(self._values[self._feasible])
        low, high = values.amin(dim=0), values.amax(dim=0)
        reference = low - 0.1 * (high - low)
        width = (high - reference).clamp_min(1e-12)
        front = (values - reference) / width
        directions = positive_directions(_DIRECTIONS, values.shape[1], generator)
        noise = torch.randn(_DRAWS, len(self._goal.outputs), generator=generator, dtype=torch.float64)
        zero = torch.zeros(values.shape[1], dtype=torch.float64)

        def growth(prediction):
            drawn = (model.samples(prediction, noise) - reference) / width
            return volume_gain(drawn, front, zero, directions).clamp_min(1e-300).log()

        return growth


def _outputs(observation: Observation[object], goal: Goal) -> Sequence[float]:
    outcome = observation.outcome
    if not outcome.measured:
        return [np.nan] * len(goal.outputs)
    if outcome.outputs:
        return outcome.outputs
    return [*outcome.values, *outcome.violations]
