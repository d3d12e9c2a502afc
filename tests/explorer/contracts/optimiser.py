"""What every `Optimiser` must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from explorer.contracts.optimiser import Inputs, Optimiser, Outcome
from explorer.search.candidates import TableCandidates
from graphdb.errors import InputError

Asked = list[tuple[tuple[int, ...], str]]


def pairs() -> TableCandidates:
    """30 designs of 3 entries times 20 of 2."""
    generator = np.random.default_rng(11)
    return TableCandidates(generator.random((30, 3)), generator.random((20, 2)) * 64)


def worth(candidates: TableCandidates, indices: tuple[int, ...]) -> Outcome:
    """A value and a violation for each pair; one pair in seven cannot be measured."""
    first, second = candidates.at(*indices)
    if (indices[0] + indices[1]) % 7 == 0:
        return Outcome.failed()
    value = 1 - float(((first - 0.4) ** 2).sum()) - abs(float(second.sum()) / 128 - 0.5)
    return Outcome((value,), (max(0.0, float(first[0]) - 0.8),))


def two_values(candidates: TableCandidates, indices: tuple[int, ...]) -> Outcome:
    """Two values for each pair, of which one pair in seven lacks the second."""
    first, second = candidates.at(*indices)
    lacking = (indices[0] + indices[1]) % 7 == 0
    return Outcome(
        (float(first.sum()), math.nan if lacking else -float(second.sum())), (max(0.0, float(first[0]) - 0.8),)
    )


class OptimiserContract:
    """Subclass and say how one is made."""

    rounds = (4, 4, 4, 3, 1)
    objectives: int | None = 1
    """The most that it can search by; None for any number."""

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        """A new optimiser."""
        raise NotImplementedError

    def advance(self, optimiser: Optimiser[Inputs], candidates: TableCandidates, rounds: tuple[int, ...]) -> Asked:
        """Runs rounds of these sizes and gives what was asked."""
        asked: Asked = []
        for count in rounds:
            proposals = optimiser.ask(count)
            assert len(proposals) == count
            for proposal in proposals:
                indices = candidates.indices(proposal.design)
                optimiser.tell(proposal.design, worth(candidates, indices))
                asked.append((indices, proposal.origin))
        return asked

    def test_same_seed_asks_the_same_and_leaves_global_random_state_alone(self) -> None:
        candidates = pairs()
        first = self.advance(self.make(candidates, 5), candidates, self.rounds)
        torch.manual_seed(99)
        state = torch.random.get_rng_state()
        np.random.seed(3)  # noqa: NPY002
        assert self.advance(self.make(candidates, 5), candidates, self.rounds) == first
        assert torch.equal(torch.random.get_rng_state(), state)
        assert self.advance(self.make(candidates, 6), candidates, self.rounds) != first

    def test_asking_changes_nothing(self) -> None:
        candidates = pairs()
        optimiser = self.make(candidates, 5)
        self.advance(optimiser, candidates, self.rounds[:-1])
        again = [[candidates.indices(p.design) for p in optimiser.ask(3)] for _ in range(2)]
        assert again[0] == again[1]

    def test_resumed_goes_on_like_undisturbed(self) -> None:
        candidates = pairs()
        whole = self.make(candidates, 5)
        asked = self.advance(whole, candidates, self.rounds)
        done = sum(self.rounds[:3])
        resumed = self.make(candidates, 5)
        for indices, _ in asked[:done]:
            resumed.tell(candidates.at(*indices), worth(candidates, indices))
        assert self.advance(resumed, candidates, self.rounds[3:]) == asked[done:]
        assert resumed.best is not None and whole.best is not None
        assert resumed.best.key == whole.best.key
        assert resumed.converged == whole.converged

    def test_proposals_are_legal_and_never_repeat(self) -> None:
        candidates = pairs()  # whose `indices` refuses what is in no row
        asked = [indices for indices, _ in self.advance(self.make(candidates, 8), candidates, self.rounds)]
        assert len(set(asked)) == len(asked)

    def test_a_small_table_is_exhausted_without_repeats(self) -> None:
        generator = np.random.default_rng(2)
        candidates = TableCandidates(generator.random((4, 2)), generator.random((4, 3)))
        optimiser = self.make(candidates, 0)
        seen = set()
        for _ in range(4):
            for proposal in optimiser.ask(6):
                seen.add(candidates.indices(proposal.design))
                optimiser.tell(proposal.design, Outcome((float(proposal.design[0].sum()),)))
        assert len(seen) == len(optimiser.observations) == candidates.size
        assert optimiser.ask(3) == []

    def test_a_fixed_role_stays_fixed(self) -> None:
        generator = np.random.default_rng(2)
        candidates = TableCandidates(generator.random((40, 2)), generator.random((1, 3)))
        asked = self.advance(self.make(candidates, 1), candidates, (4, 4, 4))
        assert {indices[1] for indices, _ in asked} == {0}

    def test_best_is_feasible_first(self) -> None:
        candidates = pairs()
        optimiser = self.make(candidates, 0)
        assert optimiser.best is None
        optimiser.tell(candidates.at(0, 0), Outcome((math.nan,), (0.0, 0.0)))
        assert optimiser.best is None
        optimiser.tell(candidates.at(0, 1), Outcome((0.9,), (0.5, 0.0)))
        optimiser.tell(candidates.at(0, 2), Outcome((0.2,), (0.0, 0.0)))
        optimiser.tell(candidates.at(0, 3), Outcome((0.95,), (0.05, 0.05)))
        assert optimiser.best is not None
        assert candidates.indices(optimiser.best.design) == (0, 2)
        assert optimiser.observations[1].violation == pytest.approx(0.5)

    @pytest.mark.parametrize("done", [(), (4,), (4, 4, 4)])
    def test_what_is_pending_is_never_proposed(self, done: tuple[int, ...]) -> None:
        candidates = pairs()
        optimiser = self.make(candidates, 5)
        asked = {indices for indices, _ in self.advance(optimiser, candidates, done)}
        pending: list[Inputs] = []
        for count in (1, 2, 1):
            proposals = optimiser.ask(count, pending)
            assert proposals == [] or len(proposals) == count
            for proposal in proposals:
                assert candidates.indices(proposal.design) not in asked
                asked.add(candidates.indices(proposal.design))
                pending.append(proposal.design)
        for design in reversed(pending):  # they are measured in any order
            optimiser.tell(design, worth(candidates, candidates.indices(design)))
        assert not asked & {candidates.indices(proposal.design) for proposal in optimiser.ask(3)}

    def test_pending_designs_of_a_small_table_are_left_out(self) -> None:
        candidates = TableCandidates(np.arange(6.0).reshape(6, 1))
        optimiser = self.make(candidates, 0)
        rows = [candidates.at(row) for row in range(6)]
        for row in rows[:2]:
            optimiser.tell(row, Outcome((float(row[0][0]),)))
        assert {candidates.indices(one.design) for one in optimiser.ask(6, rows[2:5])} <= {(5,)}

    def test_several_objectives_are_searched_by_or_refused(self) -> None:
        candidates = pairs()
        optimiser = self.make(candidates, 5)
        if self.objectives == 1:
            with pytest.raises(InputError, match="searches by 1 objective and was told 2 values"):
                optimiser.tell(candidates.at(0, 1), Outcome((0.1, 0.2)))
            assert optimiser.observations == ()
            return
        for count in self.rounds:
            proposals = optimiser.ask(count)
            assert len(proposals) == count
            for proposal in proposals:
                optimiser.tell(proposal.design, two_values(candidates, candidates.indices(proposal.design)))
        assert optimiser.best is not None and optimiser.best.outcome.measured
        with pytest.raises(InputError, match="told 1 values after outcomes of 2"):
            optimiser.tell(candidates.at(0, 1), Outcome((0.1,)))

    def test_nonsense_is_refused(self) -> None:
        with pytest.raises(InputError, match="negative"):
            self.make(pairs(), -1)
