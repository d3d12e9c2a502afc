"""V-BREATHE: contract, gradients, limits, failures, fronts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import moocore
import numpy as np
import pytest

from explorer.contracts.goal import Goal, Limit, Output
from explorer.contracts.optimiser import (
    Box,
    Inputs,
    Observation,
    Optimiser,
    Outcome,
    Vector,
    VectorCandidates,
)
from explorer.search.baselines import RandomSearch
from explorer.search.breathe import Breathe, BreatheSettings
from explorer.search.breathe_acquisition import Acquisition
from explorer.search.breathe_labels import labels_of
from explorer.search.breathe_query import Query
from explorer.search.candidates import TableCandidates
from explorer.search.descent import GobiSettings
from explorer.search.options import BreatheOptions
from explorer.search.origins import DIVERSITY, INITIAL, OPTIMISE, UNCERTAINTY
from explorer.search.surrogate import EnsembleSettings, Prediction
from graphdb.errors import InputError
from tests.explorer.contracts.optimiser import OptimiserContract

QUICK = BreatheSettings(
    initial=5, starts=8, pool=60, surrogate=EnsembleSettings(epochs=20), gobi=GobiSettings(iterations=20)
)


class TestBreathe(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return Breathe(candidates, seed, QUICK)


class Cube(VectorCandidates):
    """All points of a box, or those of a grid in it."""

    def __init__(self, low: Sequence[float], high: Sequence[float], step: float = 0.0) -> None:
        self._low, self._high, self._step = np.array(low), np.array(high), step

    def bounds(self) -> Box:
        return ((self._low, self._high),)

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return self.snap([(generator.uniform(self._low, self._high),) for _ in range(count)])

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [(self._legal(vector).clip(self._low, self._high),) for (vector,) in points]

    def key(self, design: Inputs) -> bytes:
        return design[0].tobytes()

    def _legal(self, vector: Vector) -> Vector:
        return np.rint(vector / self._step) * self._step if self._step else vector


def bnh(x: Vector) -> Outcome:
    """Binh and Korn: two costs, two limits."""
    costs = (4 * x[0] ** 2 + 4 * x[1] ** 2, (x[0] - 5) ** 2 + (x[1] - 5) ** 2)
    limits = ((x[0] - 5) ** 2 + x[1] ** 2 - 25, 7.7 - (x[0] - 8) ** 2 - (x[1] + 3) ** 2)
    return Outcome(tuple(-float(cost) for cost in costs), tuple(max(0.0, float(one)) / 25 for one in limits))


def zdt1(x: Vector) -> Outcome:
    g = 1 + 9 * x[1:].mean()
    return Outcome((-float(x[0]), -float(g * (1 - np.sqrt(x[0] / g)))))


def volume(search: Optimiser[Inputs], problem: Callable[[Vector], Outcome], budget: int, corner: Vector) -> float:
    """The hypervolume of the feasible designs after a number of evaluations in rounds of four."""
    while len(search.observations) < budget:
        for proposal in search.ask(4):
            search.tell(proposal.design, problem(proposal.design[0]))
    costs = [[-value for value in one.outcome.values] for one in search.observations if one.violation == 0]
    return float(moocore.hypervolume(np.array(costs), ref=corner))


@pytest.mark.parametrize("chosen", ["weights", "hypervolume"])
def test_finds_a_larger_front_than_random_search(chosen: str) -> None:
    candidates, corner = Cube([0.0] * 5, [1.0] * 5), np.array([1.1, 6.0])
    settings = BreatheSettings(hypervolume=chosen == "hypervolume")
    ours = volume(Breathe(candidates, 0, settings), zdt1, 28, corner)
    random = [volume(RandomSearch(candidates, seed), zdt1, 28, corner) for seed in range(15)]
    assert ours > 1.2 * np.median(random)
    assert ours > max(random)


def test_finds_a_larger_front_under_limits() -> None:
    candidates, corner = Cube([0.0, 0.0], [5.0, 3.0]), np.array([140.0, 50.0])
    ours = volume(Breathe(candidates, 0), bnh, 28, corner)
    assert ours > np.median([volume(RandomSearch(candidates, seed), bnh, 28, corner) for seed in range(15)])


def outcomes(count: int) -> list[Observation[int]]:
    generator = np.random.default_rng(0)
    told = [
        Outcome((generator.random(), generator.random()), (max(0.0, generator.normal()), 0.0))
        if index % 5
        else Outcome.failed(2)
        for index in range(count)
    ]
    return [Observation(index, index, one) for index, one in enumerate(told)]


@pytest.mark.parametrize(
    ("chebyshev", "penalty", "aleatoric"), list(itertools.product([False, True], [False, True], [False, True]))
)
def test_gradients_of_the_acquisition_agree_with_differences(chebyshev: bool, penalty: bool, aleatoric: bool) -> None:
    labels = labels_of(outcomes(30), None)
    generator = np.random.default_rng(1)
    shape = (4, labels.targets.shape[1])
    acquisition = Acquisition(labels, generator.dirichlet([1, 1], 4), 0.5, aleatoric, chebyshev, penalty)
    at = Prediction(*(scale * (0.2 + generator.random(shape)) for scale in (1.0, 0.1, 0.2)))
    _, slope = acquisition(at)
    for part, place in itertools.product(range(3), np.ndindex(*shape)):
        ends = []
        for sign in (1, -1):
            moved = [one.copy() for one in at]
            moved[part][place] += sign * 1e-6
            ends.append(acquisition(Prediction(*moved))[0][place[0]])
        assert slope[part][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-3, abs=1e-4)


def test_losses_are_affine_in_the_targets_and_failures_are_one_more_target() -> None:
    labels = labels_of(outcomes(30), None)
    assert labels.targets.shape == (30, 2 + 2 + 1)
    losses = labels.targets @ labels.slopes.T + labels.offsets
    np.testing.assert_allclose(losses[labels.feasible], labels.losses[labels.feasible], atol=1e-12)
    assert labels.losses[labels.feasible].min() == 0 and labels.losses[labels.feasible].max() == 1
    broken = labels.boundaries[-1]
    kept = broken.sign * (labels.targets[:, broken.target] - broken.place) >= 0
    assert kept.tolist() == [index % 5 > 0 for index in range(30)]
    scalar = labels.scalar(np.array([0.5, 0.5]))
    failed = ~kept
    assert scalar[labels.feasible].max() < scalar[kept & ~labels.feasible].min()
    assert np.isinf(scalar[failed]).all()


def test_with_a_goal_its_outputs_are_learnt() -> None:
    goal = Goal((Output("a"), Output("b", True)), np.array([[1.0, -0.5]]), np.array([0.2]), (Limit(0, 0.3, np.inf),))
    generator = np.random.default_rng(0)
    told = []
    for index in range(12):
        raw = np.array([[generator.random(), math.exp(generator.normal())]])
        values = tuple(goal.values(goal.learnt(raw))[0])
        outcome = Outcome(values, (max(0.0, 0.3 - raw[0, 0]),), tuple(raw[0]))
        told.append(Observation(index, index, outcome))
    labels = labels_of(told, goal)
    assert labels.targets.shape == (12, 2)
    np.testing.assert_allclose((labels.targets @ labels.slopes.T + labels.offsets), labels.losses, atol=1e-12)
    (limit,) = labels.boundaries
    assert ((labels.targets[:, limit.target] >= limit.place - 1e-12) == labels.feasible).all()
    bare = [Observation(one.design, one.key, Outcome(one.outcome.values)) for one in told]
    assert labels_of(bare, goal).targets.shape == (12, 1)  # no outputs were told, so the values are learnt


def test_avoids_designs_that_fail() -> None:
    search = Breathe(Cube([0.0, 0.0], [1.0, 1.0]), 0, replace(BreatheSettings(), uncertainty=0.0, diversity=0.0))
    failed = []
    for _ in range(6):
        for proposal in search.ask(4):
            x = proposal.design[0]
            outcome = Outcome.failed() if x[0] > 0.6 else Outcome((float(x.sum()),))  # the best ones fail
            search.tell(proposal.design, outcome)
            failed.append((proposal.origin, not outcome.measured))
    assert np.mean([fails for origin, fails in failed if origin == OPTIMISE][-8:]) <= 0.5
    assert search.best is not None and search.best.value > 1.4


def test_weights_are_unit_vectors_first_and_then_random() -> None:
    search = Breathe(Cube([0.0] * 3, [1.0] * 3), 4)
    for proposal in search.ask(10):
        search.tell(proposal.design, zdt1(proposal.design[0]))
    assert [search.origin(index) for index in (9, 10, 11)] == [INITIAL, OPTIMISE, OPTIMISE]
    np.testing.assert_array_equal([search.weights(10), search.weights(11)], np.eye(2))
    drawn = np.array([search.weights(index) for index in range(12, 400)])
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0)
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 0.05
    origins = [search.origin(index) for index in range(12, 2000)]
    for origin, share in ((OPTIMISE, 0.8), (UNCERTAINTY, 0.1), (DIVERSITY, 0.1)):
        assert abs(origins.count(origin) / len(origins) - share) < 0.03


def test_a_round_is_spread_and_its_legality_step_is_recorded() -> None:
    candidates = Cube([0.0] * 3, [1.0] * 3, 0.125)
    search = Breathe(candidates, 0, replace(QUICK, uncertainty=0.0, diversity=0.0))
    for proposal in search.ask(5):
        search.tell(proposal.design, zdt1(proposal.design[0]))
    assert search.legality_step is None
    designs = [proposal.design[0] for proposal in search.ask(6)]
    assert search.legality_step is not None and 0 < search.legality_step <= 0.0625
    assert min(np.abs(a - b).mean() for a, b in itertools.combinations(designs, 2)) >= 0.02
    assert all((np.rint(one / 0.125) * 0.125 == one).all() for one in designs)


def test_converges_when_nothing_improves() -> None:
    candidates = Cube([0.0, 0.0], [1.0, 1.0])
    search = Breathe(candidates, 0, replace(QUICK, patience=4, least=3))
    told = candidates.sample(np.random.default_rng(0), 40)
    search.tell(told[0], Outcome((0.5, 0.5)))
    for design in told[1:]:
        assert search.converged == (len(search.observations) >= 8 and search.stagnation >= 4)
        if search.converged:
            break
        search.tell(design, Outcome((0.4, 0.5)))
    assert search.converged
    search.tell(told[-1], Outcome((0.2, 0.9)))  # a new point of the front
    assert search.stagnation == 0 and not search.converged


def test_options_and_bad_settings() -> None:
    assert BreatheSettings.of(BreatheOptions()) == BreatheSettings()
    ablated = BreatheSettings.of(BreatheOptions(second_order=False, heteroscedastic=False, legality_forcing=False))
    assert not (ablated.gobi.second_order or ablated.surrogate.heteroscedastic or ablated.legality_forcing)
    with pytest.raises(InputError, match="sum to at most 1"):
        BreatheSettings(uncertainty=0.7, diversity=0.7)
    with pytest.raises(InputError, match="initial must be at least 2, found 0"):
        BreatheSettings(initial=0)


def test_a_thousand_results_of_gobi_are_legal_and_none_is_measured_twice() -> None:
    candidates = Cube([0.0] * 4, [1.0] * 4, 0.1)
    settings = replace(QUICK, starts=50, uncertainty=0.0, diversity=0.0, surrogate=EnsembleSettings(epochs=5))
    search = Breathe(candidates, 0, settings)
    for proposal in search.ask(5):
        search.tell(proposal.design, zdt1(proposal.design[0]))
    generator = np.random.default_rng(0)
    results = Query(search, [], generator.dirichlet([1, 1], 20), [], generator).results[0]
    assert len(results) == 1000
    for (vector,) in results:
        np.testing.assert_array_equal(candidates.snap([(vector,)])[0][0], vector)
        assert vector.min() >= 0 and vector.max() <= 1
    known = {candidates.key(one.design) for one in search.observations}
    proposed = [candidates.key(one.design) for one in search.ask(20)]
    assert len(known | set(proposed)) == 25
