"""Baselines: the contract, and evolution that evolves."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.contracts.optimiser import Inputs, Optimiser, Outcome
from explorer.search.baselines import RandomSearch, RegularisedEvolution
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
    with pytest.raises(InputError, match="tournament 9"):
        RegularisedEvolution(candidates, 0, population=5, tournament=9)
    with pytest.raises(InputError, match="spread"):
        RegularisedEvolution(candidates, 0, spread=0.0)
