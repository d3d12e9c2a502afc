"""`DefaultSearch`: what a study uses unless told otherwise."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import ClassVar, Generic

import numpy as np
import torch

from explorer.contracts.goal import Goal
from explorer.contracts.optimiser import Candidates, D, Observation, Optimiser, Outcome, Proposal, undominated
from explorer.search.default.choice import Choice
from explorer.search.default.knowledge import Data, Knowledge, gained, relevance
from explorer.search.default.walking import Reader
from explorer.search.options import DefaultOptions
from explorer.search.origins import INITIAL
from explorer.search.threads import one_thread

RECALLED = "recalled"
_GROWTH = 1.05
"""Factor by which the observations must grow before hyperparameters are learnt again."""


class DefaultSearch(Optimiser[D], Generic[D]):
    """Gaussian processes over descriptions of designs, one for each output that is not known beforehand.

    The next design maximises the expected improvement (of the hypervolume, if there are several values) times the
    probability that it is feasible and can be measured. It is sought among random designs, by local search over their
    neighbours and those of the best, and along the gradient of continuous entries. Designs of one batch, and those
    under way, count as measured with their predicted outputs (the kriging believer: Ginsbourger and others 2010).
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
        self.options = options or DefaultOptions.model_validate({})
        self._given = goal if self.options.outputs else None
        self._earlier: list[Observation[D]] = []
        self._knowledge: tuple[int, Knowledge] | None = None
        self._expectation: float | None = None

    def recall(self, design: D, outcome: Outcome) -> None:
        """Learns from a design that was measured before the search began; the best of them are proposed first."""
        self._earlier.append(Observation(design, self.candidates.key(design), outcome))

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        with one_thread():
            return self._ask(count, pending)

    def expectation(self) -> float | None:
        """The improvement that the first design of the latest `ask` was expected to bring, with a single value."""
        return self._expectation

    def relevance(self) -> list[tuple[str, float]]:
        """Entry, or group of entries, of the descriptions -> its share in what moves the values, largest first.

        Empty before two designs were measured.
        """
        if sum(one.outcome.measured for one in self._all) < 2:
            return []
        with one_thread():
            goal = self._goal
            reader = Reader(self.candidates, goal)
            knowledge = self._gained(goal, reader, self._data(goal, reader))
        return relevance(reader.encoding, knowledge, np.abs(goal.weights).sum(axis=0).tolist())

    @property
    def _all(self) -> list[Observation[D]]:
        return [*self._earlier, *self._observations]

    def _ask(self, count: int, pending: Sequence[D]) -> list[Proposal[D]]:
        done = len(self._observations)
        generator = self._generator(done, *self._under_way(pending))
        taken = self._keys(pending)
        proposals: list[Proposal[D]] = []
        if not done and not pending:
            proposals = [Proposal(design, RECALLED) for design in self._best_recalled()[:count]]
            taken |= {self.candidates.key(proposal.design) for proposal in proposals}
        proposals += self._initial(count - len(proposals), pending, taken, generator)
        missing = count - len(proposals)
        if missing and sum(one.outcome.measured for one in self._all) >= 2:
            under_way = [*pending, *(proposal.design for proposal in proposals if proposal.origin == INITIAL)]
            proposals += self._chosen(missing, under_way, taken, generator)
        elif missing:
            proposals += [Proposal(design, INITIAL) for design in self._fresh(generator, missing, taken)]
        return proposals

    def _initial(
        self, most: int, pending: Sequence[D], taken: set[Hashable], generator: np.random.Generator
    ) -> list[Proposal[D]]:
        """Random designs, until there are as many as the options say."""
        lacking = min(self.options.initial - len(self._earlier) - len(self._observations) - len(pending), most)
        if lacking < 1:
            return []
        drawn = [Proposal(design, INITIAL) for design in self._fresh(generator, lacking, taken)]
        taken |= {self.candidates.key(proposal.design) for proposal in drawn}
        return drawn

    def _chosen(
        self, count: int, under_way: Sequence[D], taken: set[Hashable], generator: np.random.Generator
    ) -> list[Proposal[D]]:
        """Designs chosen by the model; random ones where it has none left."""
        goal = self._goal
        reader = Reader(self.candidates, goal)
        data = self._data(goal, reader)
        knowledge = self._gained(goal, reader, data)
        choice = Choice(goal, reader, self.options, knowledge, data, self._all)
        library = self.candidates.library()
        pool = self._fresh(generator, self.options.pool, set()) if library is None else library
        refused = taken | self._evaluated
        proposals: list[Proposal[D]] = []
        choice.believe(under_way)
        noise = torch.Generator().manual_seed(int(generator.integers(2**62)))
        for offset in range(count):
            picked = choice.next(pool, library is not None, refused, len(self._all) + offset, generator, noise)
            if picked is None:
                break
            refused.add(self.candidates.key(picked.design))
            proposals.append(picked)
            if offset + 1 < count:
                choice.believe([picked.design])
        missing = count - len(proposals)
        if missing:
            proposals += [Proposal(design, INITIAL) for design in self._fresh(generator, missing, refused)]
        self._expectation = choice.expectation
        return proposals

    def _best_recalled(self) -> list[D]:
        """The best feasible design that was measured earlier, or all that no other dominates, best first."""
        feasible = [one for one in self._earlier if one.outcome.measured and not one.violation]
        if not feasible:
            return []
        if len(feasible[0].outcome.values) == 1:
            return [max(feasible, key=lambda one: one.rank).design]
        return [one.design for one in sorted(undominated(feasible), key=lambda one: one.rank, reverse=True)]

    @property
    def _goal(self) -> Goal:
        if self._given is not None:
            return self._given
        outcomes = [one.outcome for one in self._all]
        return Goal.plain(len(outcomes[0].values), max(len(outcome.violations) for outcome in outcomes))

    def _data(self, goal: Goal, reader: Reader[D]) -> Data:
        points, known = reader.read([one.design for one in self._all])
        told = np.array([_outputs(one.outcome, goal, self._given is None) for one in self._all])
        ranks = [one.rank for one in self._all]
        places = {rank: place for place, rank in enumerate(sorted(set(ranks)))}
        merits = np.array([places[rank] for rank in ranks], dtype=np.float64)
        return Data(points.numpy(), goal.learnt(told), known.numpy(), merits)

    def _gained(self, goal: Goal, reader: Reader[D], data: Data) -> Knowledge:
        """What was learnt at the latest of the numbers of observations at which something is learnt.

        It depends only on the first observations, so a search that goes on after an interruption knows the same.
        """
        size, following = len(data.points), 2
        while following <= len(data.points):
            size, following = following, max(following + 1, round(_GROWTH * following))
        if self._knowledge is None or self._knowledge[0] != size:
            self._knowledge = size, gained(goal, reader.encoding, data.at(np.arange(size)))
        return self._knowledge[1]


def _outputs(outcome: Outcome, goal: Goal, plain: bool) -> Sequence[float]:
    told = [*outcome.values, *outcome.violations] if plain else [*outcome.outputs]
    lacking = not outcome.measured or len(told) != len(goal.outputs)
    return [math.nan] * len(goal.outputs) if lacking else told
