"""Staged search: the contract, and stages that begin with what was found before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from explorer.contracts.optimiser import Candidates, Inputs, Observation, Optimiser, Outcome
from explorer.search.baselines import RandomSearch
from explorer.search.boshcode import Boshcode
from explorer.search.candidates import TableCandidates
from explorer.search.staged import Stage, StagedSearch
from graphdb.errors import InputError
from tests.explorer.contracts.optimiser import OptimiserContract


class TestStagesOfTheSameCandidates(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return StagedSearch(3, lambda number, told: Stage(candidates, 4), RandomSearch, seed)


def table(points: Sequence[float]) -> TableCandidates:
    return TableCandidates(np.array([[point] for point in points]))


def stage_of(number: int, told: Sequence[Observation[Inputs]]) -> Stage[Inputs]:
    """Whole numbers first; then what was told, and ten points about the best."""
    if number == 0:
        return Stage(table([float(i) for i in range(20)]), 8)
    best = max(told, key=lambda one: one.rank).design[0][0]
    known = [float(one.design[0][0]) for one in told]
    near = [round(best + (i - 5) / 10**number, 6) for i in range(11)]
    return Stage(table(list(dict.fromkeys([*known, *near]))), 6)


def run(search: StagedSearch[Inputs], trials: int) -> list[tuple[float, str, int]]:
    """What was asked, with the stage that asked for it."""
    asked: list[tuple[float, str, int]] = []
    while len(asked) < trials:
        stage = search.stage
        for proposal in search.ask(min(4, trials - len(asked))):
            point = float(proposal.design[0][0])
            asked.append((point, proposal.origin, stage))
            search.tell(proposal.design, Outcome((-abs(point - 7.37),)))
    return asked


def test_each_stage_spends_its_trials_and_refines_what_the_one_before_found() -> None:
    asked = run(StagedSearch(3, stage_of, RandomSearch, 3), 20)
    assert [stage for _, _, stage in asked] == [0] * 8 + [1] * 6 + [2] * 6
    assert [origin.partition(": ")[0] for _, origin, _ in asked] == ["1"] * 8 + ["2"] * 6 + ["3"] * 6
    points = [point for point, _, _ in asked]
    assert len(set(points)) == 20  # nothing is asked for twice, in whatever stage
    coarse = min(points[:8], key=lambda point: abs(point - 7.37))
    assert all(abs(point - coarse) <= 0.5 + 1e-9 for point in points[8:14])
    best = min(points[:14], key=lambda point: abs(point - 7.37))
    assert all(abs(point - best) <= 0.05 + 1e-9 for point in points[14:])


def test_a_later_stage_is_told_all_that_went_before() -> None:
    search = StagedSearch(2, stage_of, RandomSearch, 3)
    run(search, 10)
    assert search.stage == 1 and len(search.observations) == 10
    assert search.best is not None and search.best.value == max(one.value for one in search.observations)
    resumed = StagedSearch(2, stage_of, RandomSearch, 3)
    for one in search.observations:
        resumed.tell(one.design, one.outcome)
    assert [p.design[0][0] for p in resumed.ask(4)] == [p.design[0][0] for p in search.ask(4)]


def test_a_surrogate_needs_no_initial_design_in_a_later_stage() -> None:
    search = StagedSearch(2, stage_of, Boshcode, 1)
    origins = [origin for _, origin, stage in run(search, 12) if stage == 1]
    assert origins and "2: initial" not in origins[2:]  # of Boshcode's ten initial designs eight are the first stage's


def test_a_stage_with_nothing_to_try_is_passed_over() -> None:
    def of(number: int, told: Sequence[Observation[Inputs]]) -> Stage[Inputs]:
        known = [float(one.design[0][0]) for one in told]
        points = {0: [0.0, 1.0], 1: known, 2: [*known, 5.0, 6.0]}[number]
        return Stage(table(points), 2 if number != 1 else 0)

    search = StagedSearch(3, of, RandomSearch, 0)
    assert [stage for _, _, stage in run(search, 4)] == [0, 0, 2, 2]
    assert search.ask(4) == []


def test_as_many_objectives_as_its_stages_can() -> None:
    search = StagedSearch(2, lambda number, told: Stage(table([0.0, 1.0]), 1), Boshcode, 0)
    with pytest.raises(InputError, match="Boshcode searches by 1 objective and was told 2 values"):
        search.tell(table([0.0, 1.0]).at(0), Outcome((0.1, 0.2)))
    assert search.observations == ()


def test_what_is_pending_counts_as_a_trial_of_its_stage() -> None:
    search = StagedSearch(2, lambda number, told: Stage(table([0.0, 1.0, 2.0, 3.0]), 3), RandomSearch, 0)
    pending = [proposal.design for proposal in search.ask(2)]
    assert len(search.ask(4, pending)) == 1
    pending += [proposal.design for proposal in search.ask(4, pending)]
    assert search.ask(4, pending) == []  # the next stage is drawn up when these are known


def test_bad_settings_are_refused() -> None:
    def make(candidates: Candidates[Inputs], seed: int) -> Optimiser[Inputs]:
        return RandomSearch(candidates, seed)

    with pytest.raises(InputError, match="at least 1 stage"):
        StagedSearch(0, stage_of, make, 0)
    with pytest.raises(InputError, match="negative"):
        StagedSearch(1, stage_of, make, -1)
