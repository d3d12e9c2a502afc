"""Baselines: the contract, and evolution that evolves."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Outcome
from explorer.search.baselines import LocalSearch, RandomSearch, RegularisedEvolution
from explorer.search.candidates import TableCandidates
from graphdb.errors import InputError
from tests.explorer.contracts.optimiser import OptimiserContract
from tests.explorer.search.synthetic import best_so_far, pair_table


class TestRandomSearch(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return RandomSearch(candidates, seed)


class TestRegularisedEvolution(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return RegularisedEvolution(candidates, seed, population=6, tournament=3)


class TestLocalSearch(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return LocalSearch(candidates, seed)


class Ring(Candidates[int]):
    """The hours of a clock."""

    def sample(self, generator: np.random.Generator, count: int) -> list[int]:
        return [int(hour) for hour in generator.integers(12, size=count)]

    def key(self, design: int) -> int:
        return design

    def neighbours(self, design: int) -> list[int]:
        return [(design - 1) % 12, (design + 1) % 12]


def test_a_climb_ends_on_the_hill_and_another_one_starts() -> None:
    search = LocalSearch(Ring(), 0, initial=1)
    heights = [3, 2, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4]  # hilltops at 0 and 8
    origins, hours = [], []
    for _ in range(12):
        (proposal,) = search.ask(1)
        search.tell(proposal.design, Outcome((heights[proposal.design],)))
        hours.append(proposal.design)
        origins.append(proposal.origin)
    assert sorted(hours) == list(range(12))
    assert origins[0] == "start" and "start" in origins[2:]
    top = hours[0]
    for hour, origin in zip(hours[1:], origins[1:], strict=True):
        if origin == "start":
            assert all(heights[one] < heights[top] for one in Ring().neighbours(top))
            break
        assert hour in Ring().neighbours(top)
        top = max(top, hour, key=heights.__getitem__)


def test_a_climb_begins_at_the_best_of_the_initial_designs() -> None:
    search = LocalSearch(Ring(), 3, initial=4)
    proposals = search.ask(4)
    assert {proposal.origin for proposal in proposals} == {"start"}
    for proposal in proposals:
        search.tell(proposal.design, Outcome((float(proposal.design),)))
    best = max(proposal.design for proposal in proposals)
    told = {proposal.design for proposal in proposals}
    expected = {hour for hour in Ring().neighbours(best) if hour not in told}
    assert {one.design for one in search.ask(2) if one.origin == "neighbour"} == expected


def test_evolution_beats_random_search_in_the_long_run() -> None:
    candidates, performance = pair_table(0)
    runs = {
        kind: [best_so_far(kind(candidates, s), candidates, performance, 200, 4)[-1] for s in range(9)]
        for kind in (RegularisedEvolution, RandomSearch)
    }
    assert np.median(runs[RegularisedEvolution]) > np.median(runs[RandomSearch])


def test_under_two_objectives_evolution_searches_the_front_between_them() -> None:
    """Designs along one line are undominated; evolution must come to lie near it, and far along it."""
    table = np.stack(np.meshgrid(np.arange(30.0), np.arange(30.0)), axis=-1).reshape(-1, 2)
    candidates = TableCandidates(table)

    def distance(search: Optimiser[Inputs]) -> tuple[float, float]:
        for _ in range(50):
            for proposal in search.ask(4):
                x, y = (float(entry) for entry in proposal.design[0])
                search.tell(proposal.design, Outcome((x - y, -x - y)))  # of which y = 0 is the front
        later = np.array([one.design[0] for one in search.observations[100:]])
        return float(later[:, 1].mean()), float(np.ptp(later[:, 0]))

    evolved, random = (distance(kind(candidates, 2)) for kind in (RegularisedEvolution, RandomSearch))
    assert evolved[0] < 0.7 * random[0]
    assert evolved[1] > 5


def test_bad_settings_are_refused() -> None:
    candidates, _ = pair_table(0, 5, 5)
    with pytest.raises(InputError, match="found 0"):
        LocalSearch(candidates, 0, initial=0)
    with pytest.raises(InputError, match="tournament 9"):
        RegularisedEvolution(candidates, 0, population=5, tournament=9)
    with pytest.raises(InputError, match="spread"):
        RegularisedEvolution(candidates, 0, spread=0.0)
