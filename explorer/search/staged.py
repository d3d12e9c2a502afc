"""Search from coarse to fine: stages one after the other, each with candidates suggested by the results before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic

from explorer.contracts.optimiser import Candidates, D, Observation, Optimiser, Outcome, Proposal
from graphdb.errors import InputError


@dataclass(frozen=True)
class Stage(Generic[D]):
    """A part of a search.

    Attributes:
        candidates: its legal designs; all that were told before must be among them.
        trials: how many to spend on it; ignored for the last stage, which goes on.
    """

    candidates: Candidates[D]
    trials: int


StageOf = Callable[[int, Sequence[Observation[D]]], Stage[D]]
"""Number of a stage, from 0, and all that was told so far -> the stage. A function of these alone."""


class StagedSearch(Optimiser[D], Generic[D]):
    """One optimiser after the other; each is told what the ones before it were.

    The designs of all stages are of one kind, so that a fine stage begins with what the coarse ones learnt. It searches
    by as many objectives as the optimisers of its stages can.

    Source: the hierarchical search of Tuli and others 2023 (arXiv 2205.11656), where every level starts a surrogate
    anew.
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
            stages: how many, at least 1.
            stage_of: draws a stage up when the one before has spent its trials.
            optimiser_of: candidates and a seed -> the optimiser of a stage.
            seed: of all random choices, not negative.

        Raises:
            InputError: no stage, or a negative seed.
        """
        if stages < 1:
            raise InputError(f"A staged search needs at least 1 stage, found {stages}.")
        first = stage_of(0, ())
        super().__init__(first.candidates, seed)
        self.stage = 0
        """Number of the stage that proposals come from, from 0."""
        self._stages = stages
        self._stage_of = stage_of
        self._optimiser_of = optimiser_of
        self._begin(first)

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        """As agreed, but never more than the stage has trials left, what is pending included."""
        wanted = count if self._is_last else min(count, self._left - len(pending))
        if wanted < 1:
            return []
        return [Proposal(p.design, f"{self.stage + 1}: {p.origin}") for p in self._current.ask(wanted, pending)]

    def tell(self, design: D, outcome: Outcome) -> None:
        """As agreed; the last trial of a stage draws up the next one."""
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
        # Identities belong to the candidates: what was told gets those of the new ones.
        self._observations, self._evaluated = [], set()
        for observation in known:
            self._take(observation.design, observation.outcome)

    def _take(self, design: D, outcome: Outcome) -> None:
        self._current.tell(design, outcome)  # first, as it may refuse what this search takes
        super().tell(design, outcome)
