"""Search from coarse to fine, in stages whose candidates are derived from the results so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic

from explorer.contracts.optimiser import Candidates, D, Observation, Optimiser, Outcome, Proposal
from graphdb.errors import InputError


@dataclass(frozen=True)
class Stage(Generic[D]):
    """One stage of a search.

    Attributes:
        candidates: legal designs of the stage, which must include all designs told before.
        trials: number of trials for the stage; ignored for the last stage, which continues.
    """

    candidates: Candidates[D]
    trials: int


StageOf = Callable[[int, Sequence[Observation[D]]], Stage[D]]
"""(number of a stage, from 0; all observations so far) -> the stage. It depends on nothing else."""


class StagedSearch(Optimiser[D], Generic[D]):
    """One optimiser per stage; each is also told all earlier observations.

    The designs of all stages are of one kind, so that a fine stage starts with the results of the coarse ones. The
    search supports as many objectives as the optimisers of its stages.

    Source: the hierarchical search of Tuli and others 2023 (arXiv 2205.11656), where every level starts a new
    surrogate.
    """

    objectives: ClassVar[int | None] = None

    def __init__(
        self,
        stages: int,
        stage_of: StageOf[D],
        optimiser_of: Callable[[Candidates[D], int], Optimiser[D]],
        seed: int,
    ) -> None:
        """
        Args:
            stages: number of stages, at least 1.
            stage_of: function that creates a stage when the previous one has spent its trials.
            optimiser_of: function from candidates and a seed to the optimiser of a stage.
            seed: seed of all random choices, not negative.

        Raises:
            InputError: there is no stage, or the seed is negative.
        """
        if stages < 1:
            raise InputError(f"A staged search needs at least 1 stage, found {stages}.")
        first = stage_of(0, ())
        super().__init__(first.candidates, seed)
        self.stage = 0
        """Number of the current stage, from 0."""
        self._stages = stages
        self._stage_of = stage_of
        self._optimiser_of = optimiser_of
        self._recalled: list[tuple[D, Outcome]] = []
        self._begin(first)

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        """As in the contract, but never more than the stage has trials left, including pending ones."""
        wanted = count if self._is_last else min(count, self._left - len(pending))
        if wanted < 1:
            return []
        return [replace(p, origin=f"{self.stage + 1}: {p.origin}") for p in self._current.ask(wanted, pending)]

    def recall(self, design: D, outcome: Outcome) -> None:
        """As in the contract; the designs of every stage must include those that are recalled."""
        self._recalled.append((design, outcome))
        self._current.recall(design, outcome)

    def expectation(self) -> float | None:
        """As in the contract, by the optimiser of the current stage."""
        return self._current.expectation()

    def check_objectives(self, count: int) -> None:
        """As in the contract, by the optimiser of the current stage."""
        self._current.check_objectives(count)

    def tell(self, design: D, outcome: Outcome) -> None:
        """As in the contract; the last trial of a stage creates the next one."""
        self._take(design, outcome)
        self._left -= 1
        while self._left <= 0 and not self._is_last:
            self.stage += 1
            self._begin(self._stage_of(self.stage, self.observations))

    @property
    def _is_last(self) -> bool:
        return self.stage == self._stages - 1

    def _begin(self, stage: Stage[D]) -> None:
        known = self._observations
        self.candidates, self._left = stage.candidates, stage.trials
        self._current = self._optimiser_of(stage.candidates, int(self._generator(self.stage).integers(2**31)))
        for design, outcome in self._recalled:
            self._current.recall(design, outcome)
        # Keys belong to the candidates: earlier observations get those of the new ones.
        self._observations, self._evaluated = [], set()
        for observation in known:
            self._take(observation.design, observation.outcome)

    def _take(self, design: D, outcome: Outcome) -> None:
        self._current.tell(design, outcome)  # first, as it may refuse an outcome that this search accepts
        super().tell(design, outcome)
