"""Baselines: the contract, and evolution that evolves."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.contracts.optimiser import Optimiser
from explorer.search.baselines import RandomSearch, RegularisedEvolution
from explorer.search.candidates import TableCandidates
from graphdb.errors import InputError
from tests.explorer.contracts.optimiser import OptimiserContract
from tests.explorer.search.synthetic import best_so_far, pair_table


class TestRandomSearch(OptimiserContract):
    def make(self, candidates: TableCandidates, seed: int) -> Optimiser:
        return RandomSearch(candidates, seed)


class TestRegularisedEvolution(OptimiserContract):
    def make(self, candidates: TableCandidates, seed: int) -> Optimiser:
        return RegularisedEvolution(candidates, seed, population=6, tournament=3)


def test_evolution_beats_random_search_in_the_long_run() -> None:
    candidates, performance = pair_table(0)
    runs = {
        kind: [best_so_far(kind(candidates, s), candidates, performance, 200, 4)[-1] for s in range(9)]
        for kind in (RegularisedEvolution, RandomSearch)
    }
    assert np.median(runs[RegularisedEvolution]) > np.median(runs[RandomSearch])


def test_bad_settings_are_refused() -> None:
    candidates, _ = pair_table(0, 5, 5)
    with pytest.raises(InputError, match="tournament 9"):
        RegularisedEvolution(candidates, 0, population=5, tournament=9)
    with pytest.raises(InputError, match="spread"):
        RegularisedEvolution(candidates, 0, spread=0.0)
