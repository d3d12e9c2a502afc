from collections.abc import Callable, Hashable, Sequence
from itertools import product

import numpy as np
import pytest

from explorer.contracts.description import Entry, Nature
from explorer.contracts.goal import Goal, Limit, Output
from explorer.contracts.optimiser import Candidates, Inputs, Outcome, Proposal, VectorCandidates
from explorer.search.baselines import RandomSearch
from explorer.search.candidates import TableCandidates
from explorer.search.default.search import DefaultSearch
from explorer.search.options import DefaultOptions
from tests.explorer.search.synthetic import best_so_far, pair_table

Digits = tuple[int, ...]
WIDTH, LEVELS = 6, 5


class Grid(Candidates[Digits]):
    """Six ordered decisions with five values each: too many to list."""

    def sample(self, generator: np.random.Generator, count: int) -> list[Digits]:
        return [tuple(row) for row in generator.integers(LEVELS, size=(count, WIDTH)).tolist()]

    def key(self, design: Digits) -> Hashable:
        return design

    def neighbours(self, design: Digits) -> list[Digits]:
        return [
            (*design[:place], value, *design[place + 1 :])
            for place, value in product(range(WIDTH), range(LEVELS))
            if value != design[place]
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        return [Entry(f"digit {place}", Nature.ORDERED, 0, LEVELS - 1) for place in range(WIDTH)]

    def describe(self, designs: Sequence[Digits]) -> np.ndarray:
        return np.array(designs, dtype=np.float64).reshape(-1, WIDTH)


class KnownFirst(Grid):
    """The first digit, in its unit, needs no measurement."""

    def known(self, designs: Sequence[Digits]) -> dict[str, np.ndarray]:
        return {"first": np.array([float(design[0]) for design in designs])}


def height(design: Digits) -> float:
    """The largest, 0, is at 4, 3, 2, 1, 0, 4."""
    return -float(sum(abs(digit - best) ** 1.5 for digit, best in zip(design, (4, 3, 2, 1, 0, 4), strict=True)))


def searched(
    search: DefaultSearch[Digits], outcome: Callable[[Digits], Outcome], budget: int, batch: int = 4
) -> list[Proposal[Digits]]:
    trials: list[Proposal[Digits]] = []
    while len(trials) < budget:
        for proposal in search.ask(min(batch, budget - len(trials))):
            search.tell(proposal.design, outcome(proposal.design))
            trials.append(proposal)
    return trials


def test_finds_the_best_of_15625_designs():
    search = DefaultSearch(Grid(), 0)
    trials = searched(search, lambda design: Outcome((height(design),)), 48)
    assert len({trial.design for trial in trials}) == 48
    assert search.best is not None
    assert search.best.value > -1.5


def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been():
    def outcome(design: Digits) -> Outcome:
        return Outcome((height(design),))

    whole = DefaultSearch(Grid(), 3)
    trials = searched(whole, outcome, 24)
    again = DefaultSearch(Grid(), 3)
    for trial in trials[:16]:
        again.tell(trial.design, outcome(trial.design))
    assert [p.design for p in again.ask(4)] == [trial.design for trial in trials[16:20]]
    assert again.ask(4) == again.ask(4)


def test_pending_designs_are_not_proposed_and_change_what_is():
    search = DefaultSearch(Grid(), 0)
    searched(search, lambda design: Outcome((height(design),)), 12)
    alone = search.ask(2)
    beside = search.ask(2, pending=[alone[0].design])
    assert alone[0].design not in [proposal.design for proposal in beside]


def test_with_the_accuracy_known_only_the_rest_is_learnt():
    """A goal of which the larger part is known is reached with fewer trials than without that knowledge."""
    goal = Goal((Output("first"), Output("rest")), np.array([[3.0, 1.0]]), np.zeros(1))

    def outcome(design: Digits) -> Outcome:
        rest = height((4, *design[1:]))
        return Outcome((3.0 * design[0] + rest,), (), (float(design[0]), rest))

    knowing = searched(DefaultSearch(KnownFirst(), 0, goal=goal), outcome, 9, batch=1)
    assert all(trial.design[0] == 4 for trial in knowing[5:])


def test_other_weights_serve_the_same_measurements():
    """What an earlier search measured teaches a later one with other weights, which begins with the best of it."""
    outputs = (Output("up"), Output("down"))

    def measured(design: Digits) -> tuple[float, float]:
        return float(sum(design[:3])), float(sum(design[3:]))

    def outcome(design: Digits, goal: Goal) -> Outcome:
        values = np.array([measured(design)])
        return Outcome((float(goal.values(values)[0, 0]),), (), measured(design))

    first = Goal(outputs, np.array([[1.0, -1.0]]), np.zeros(1))
    second = Goal(outputs, np.array([[-1.0, 1.0]]), np.zeros(1))
    earlier = searched(DefaultSearch(Grid(), 0, goal=first), lambda design: outcome(design, first), 16)
    later = DefaultSearch(Grid(), 1, goal=second)
    for trial in earlier:
        later.recall(trial.design, outcome(trial.design, second))
    begun = later.ask(1)
    assert begun[0].origin == "recalled"
    assert outcome(begun[0].design, second).values == max(outcome(trial.design, second).values for trial in earlier)
    trials = searched(later, lambda design: outcome(design, second), 6, batch=1)
    assert max(outcome(trial.design, second).values[0] for trial in trials) >= 11.0


def test_limits_are_learnt_and_kept():
    goal = Goal((Output("gain"), Output("mass")), np.array([[1.0, 0.0]]), np.zeros(1), (Limit(1, -np.inf, 8.0),))

    def outcome(design: Digits) -> Outcome:
        mass = float(sum(design))
        return Outcome(
            (float(design[0] + design[1]),), (max(0.0, mass / 8.0 - 1.0),), (float(design[0] + design[1]), mass)
        )

    search = DefaultSearch(Grid(), 2, goal=goal)
    searched(search, outcome, 20)
    assert search.best is not None
    assert search.best.violation == 0
    assert search.best.value == 8.0


def test_designs_that_fail_are_avoided():
    def outcome(design: Digits) -> Outcome:
        return Outcome.failed() if design[5] > 2 else Outcome((height(design),))

    search = DefaultSearch(Grid(), 1)
    searched(search, outcome, 40)
    late = [one.outcome.measured for one in search.observations[8:24]]
    assert np.mean(late) > 0.6  # 60 % of random designs can be measured


def test_several_values_are_searched_for_their_front():
    def outcome(design: Digits) -> Outcome:
        total = sum(design[:3])
        return Outcome((float(total), float(12 - total - abs(design[4] - 2))))

    search = DefaultSearch(Grid(), 0)
    searched(search, outcome, 40)
    front = {one.outcome.values for one in search.observations if sum(one.outcome.values) == 12}
    assert len(front) >= 9


def test_a_library_is_looked_at_whole():
    table = np.array(list(product(range(4), repeat=4)), dtype=np.float64)
    candidates = TableCandidates(table)
    search: DefaultSearch[Inputs] = DefaultSearch(candidates, 0)
    for _ in range(14):
        for proposal in search.ask(2):
            search.tell(proposal.design, Outcome((-float(np.square(proposal.design[0] - [3, 0, 2, 1]).sum()),)))
    assert search.best is not None
    assert search.best.value == 0


class Square(VectorCandidates):
    """A square of continuous entries."""

    def bounds(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        return ((np.array([-5.0, 0.0]), np.array([10.0, 15.0])),)

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        (low, high) = self.bounds()[0]
        return [(low + generator.random(2) * (high - low),) for _ in range(count)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        (low, high) = self.bounds()[0]
        return [(np.clip(point[0], low, high),) for point in points]

    def key(self, design: Inputs) -> Hashable:
        return design[0].tobytes()


def branin(x: float, y: float) -> float:
    """0 at its three minima."""
    bowl = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10 - 0.397887


def test_continuous_entries_follow_the_gradient_to_the_minimum():
    search: DefaultSearch[Inputs] = DefaultSearch(Square(), 0)
    for _ in range(30):
        for proposal in search.ask(1):
            search.tell(proposal.design, Outcome((-float(branin(*proposal.design[0])),)))
    assert search.best is not None
    assert search.best.value > -0.01


def test_beats_random_search_on_pairs():
    candidates, performance = pair_table(0)
    ours = best_so_far(DefaultSearch(candidates, 0), candidates, performance, 32, 4)
    random = best_so_far(RandomSearch(candidates, 0), candidates, performance, 32, 4)
    assert ours[-1] > random[-1]
    assert performance.max() - ours[-1] < 0.06


def test_what_was_expected_is_in_the_unit_of_the_values():
    search = DefaultSearch(Grid(), 0)
    trials = searched(search, lambda design: Outcome((1e4 * height(design),)), 24, batch=1)
    told = [(trial.expected, height(trial.design) * 1e4) for trial in trials[12:] if trial.expected is not None]
    assert len(told) == 12
    assert all(-2e5 < mean < 5e4 and deviation > 0 for (mean, deviation), _ in told)
    assert search.expectation() is not None


@pytest.mark.parametrize("option", ["local_search", "gradients", "believer", "outputs"])
def test_every_part_can_be_left_out(option):
    search = DefaultSearch(Grid(), 0, DefaultOptions.model_validate({option: False, "pool": 50}))
    trials = searched(search, lambda design: Outcome((height(design),)), 12)
    assert len({trial.design for trial in trials}) == 12


def test_the_relevant_decision_is_named():
    search = DefaultSearch(Grid(), 0)
    assert search.relevance() == []
    searched(search, lambda design: Outcome((float((design[2] - 1) ** 2),)), 24)
    assert search.relevance()[0][0] == "digit 2"
