"""BOSHCODE: contract, counters, and better than chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.contracts.optimiser import Inputs, Optimiser, Outcome
from explorer.search.baselines import RandomSearch
from explorer.search.boshcode import Boshcode, BoshcodeSettings
from explorer.search.candidates import TableCandidates
from explorer.search.descent import GobiSettings
from explorer.search.options import BoshcodeOptions, BoshnasOptions
from explorer.search.origins import DIVERSITY, INITIAL, OPTIMISE, UNCERTAINTY
from explorer.search.surrogate import EnsembleSettings
from graphdb.errors import InputError
from tests.explorer.contracts.optimiser import OptimiserContract
from tests.explorer.search.synthetic import best_so_far, pair_table

QUICK = BoshcodeSettings(initial=5, pool=60, surrogate=EnsembleSettings(epochs=20), gobi=GobiSettings(iterations=20))


class TestBoshcode(OptimiserContract):
    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return Boshcode(candidates, seed, QUICK)


@pytest.mark.parametrize("seed", [0, 1])
def test_one_role_is_boshnas(seed: int) -> None:
    generator = np.random.default_rng(seed)
    table = generator.random((150, 4))
    values = 1 - ((table - 0.5) ** 2).sum(1)
    candidates = TableCandidates(table)
    search = Boshcode(candidates, seed)
    for _ in range(4):
        for proposal in search.ask(10):
            search.tell(proposal.design, Outcome((float(values[candidates.indices(proposal.design)]),)))
    later = [o.value for index, o in enumerate(search.observations) if index >= 30 and search.origin(index) == OPTIMISE]
    assert np.median(later) > np.quantile(values, 0.75)  # although most of the best have been taken before


def test_beats_random_search_at_equal_evaluations() -> None:
    behind = []
    for seed in range(3):
        candidates, performance = pair_table(seed)
        top = performance.max()
        ours = best_so_far(Boshcode(candidates, seed), candidates, performance, 30, 5)[-1]
        random = [best_so_far(RandomSearch(candidates, s), candidates, performance, 30, 30)[-1] for s in range(15)]
        behind.append((top - ours) / (top - np.median(random)))
    assert np.median(behind) < 0.7  # of what random search still lacks


def test_steers_towards_what_the_constraints_allow() -> None:
    candidates, performance = pair_table(0, models=40, accelerators=40)
    search = Boshcode(candidates, 1)

    def violation(design: Inputs) -> float:
        return max(0.0, float(design[1][0]) - 2) / 2  # first resource at level 1 or 2: two in five

    later = []
    for _ in range(4):
        for proposal in search.ask(8):
            value = float(performance[candidates.indices(proposal.design)])
            search.tell(proposal.design, Outcome((value,), (violation(proposal.design),)))
            if proposal.origin == OPTIMISE:
                later.append(violation(proposal.design) == 0)
    assert search.best is not None
    assert search.best.violation == 0
    assert np.mean(later) > 0.65


def test_shares_of_origins() -> None:
    candidates, _ = pair_table(0, 5, 5)
    search = Boshcode(candidates, 3)
    origins = [search.origin(index) for index in range(2000)]
    assert origins[:10] == [INITIAL] * 10
    assert INITIAL not in origins[10:]
    for origin, share in ((OPTIMISE, 0.8), (UNCERTAINTY, 0.1), (DIVERSITY, 0.1)):
        assert abs(np.mean([one == origin for one in origins[10:]]) - share) < 0.03


def test_uncertainty_sampling_takes_the_largest_deviation() -> None:
    candidates, performance = pair_table(0, 30, 30)
    search = Boshcode(candidates, 0, replace(QUICK, uncertainty=1.0, diversity=0.0))
    best_so_far(search, candidates, performance, 5, 5)
    assert [proposal.origin for proposal in search.ask(2)] == [UNCERTAINTY] * 2


def test_counter_ignores_exploration_and_resets_on_progress() -> None:
    candidates, _ = pair_table(0, 30, 30)
    settings = BoshcodeSettings(initial=2, patience=2, aleatoric_patience=1, uncertainty=0.25, diversity=0.25)
    search = Boshcode(candidates, 0, settings)
    pairs = [candidates.at(i, i) for i in range(30)]
    for index, design in enumerate(pairs):
        if search.converged:
            break
        before, progress = search.stagnation, index == 4
        search.tell(design, Outcome((0.9 if progress else 0.5,)))
        expected = 0 if progress or index == 0 else before + (search.origin(index) == OPTIMISE)
        assert search.stagnation == expected
        assert search.aleatoric == (expected >= 2)
    assert search.stagnation == 3


def test_patience_is_that_of_the_paper_of_each_number_of_roles() -> None:
    one, many = TableCandidates(np.eye(3)), TableCandidates(np.eye(3), np.eye(2))
    assert [Boshcode(candidates, 0).settings.patience for candidates in (one, many)] == [5, 10]
    assert BoshcodeSettings.of(BoshnasOptions()) == BoshcodeSettings.published(1)
    assert BoshcodeSettings.of(BoshcodeOptions()) == BoshcodeSettings.published(2)


@pytest.mark.parametrize("option", ["second_order", "heteroscedastic", "legality_forcing"])
def test_each_ablation_still_searches_and_differs(option: str) -> None:
    table = np.random.default_rng(3).random((2000, 4))
    candidates = TableCandidates(table)
    chosen = []
    for value in (True, False):
        options = BoshnasOptions(initial=20, starts=30, uncertainty=0.0, diversity=0.0, **{option: value})
        search = Boshcode(candidates, 0, BoshcodeSettings.of(options))
        for proposal in search.ask(20):
            worth = 1 - float(((proposal.design[0] - 0.45) ** 2).sum())
            search.tell(proposal.design, Outcome((worth,)))
        chosen.append([candidates.indices(proposal.design) for proposal in search.ask(6)])
        assert search.legality_step is not None and search.legality_step > 0
    assert len(set(chosen[0])) == len(set(chosen[1])) == 6
    assert chosen[0] != chosen[1]


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match="sum to at most 1"):
        BoshcodeSettings(uncertainty=0.7, diversity=0.7)
    with pytest.raises(InputError, match="initial must be at least 2, found 0"):
        BoshcodeSettings(initial=0)
