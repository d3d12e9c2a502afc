"""What the default search says of its choices: predictions, the improvement expected, and what matters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pytest

from explorer.contracts.description import Entry, Nature
from explorer.contracts.goal import Goal, Output
from explorer.contracts.optimiser import Candidates, Outcome, Proposal, Vector
from explorer.search.default.search import DefaultSearch

Design = tuple[int, int, int]
LEVELS = 12


class Grid(Candidates[Design]):
    """Three ordered decisions, of which the last two share a group."""

    def sample(self, generator: np.random.Generator, count: int) -> list[Design]:
        return [(int(a), int(b), int(c)) for a, b, c in generator.integers(LEVELS, size=(count, 3))]

    def key(self, design: Design) -> Hashable:
        return design

    def neighbours(self, design: Design) -> list[Design]:
        moved = [np.array(design) + step for step in np.vstack([np.eye(3, dtype=int), -np.eye(3, dtype=int)])]
        return [(int(a), int(b), int(c)) for a, b, c in np.clip(moved, 0, LEVELS - 1)]

    @property
    def entries(self) -> Sequence[Entry]:
        return [
            Entry("decisive", Nature.ORDERED, 0, LEVELS - 1),
            Entry("idle one", Nature.ORDERED, 0, LEVELS - 1, "idle"),
            Entry("idle two", Nature.ORDERED, 0, LEVELS - 1, "idle"),
        ]

    def describe(self, designs: Sequence[Design]) -> Vector:
        return np.array(designs, dtype=np.float64).reshape(-1, 3)


def value_of(design: Design) -> float:
    return 5.0 - 0.1 * (design[0] - 8) ** 2


def searched(
    goal: Goal | None, scale: float = 1.0
) -> tuple[DefaultSearch[Design], list[tuple[Proposal[Design], float]]]:
    """A search after 16 trials, and what it proposed, with the values; the output of the goal is `scale` x as large."""
    search = DefaultSearch(Grid(), 0, None, goal)
    told: list[tuple[Proposal[Design], float]] = []
    for _ in range(16):
        (proposal,) = search.ask(1)
        value = value_of(proposal.design)
        search.tell(proposal.design, Outcome((value,), (), () if goal is None else ((value - 1.0) * scale,)))
        told.append((proposal, value))
    return search, told


@pytest.mark.parametrize(
    ("goal", "scale"),
    [(None, 1.0), (Goal((Output("mass"),), np.array([[0.25]]), np.array([1.0])), 4.0)],
)
def test_predictions_are_in_the_unit_of_the_values(goal: Goal | None, scale: float) -> None:
    _, told = searched(goal, scale)
    foreseen = [(proposal.expected, value) for proposal, value in told if proposal.expected is not None]
    assert len(foreseen) >= 10
    assert all(proposal.expected is None for proposal, _ in told if proposal.origin == "initial")
    errors = [abs(expected[0] - value) for expected, value in foreseen[3:]]
    assert float(np.median(errors)) < 0.5
    assert all(expected[1] > 0 for expected, _ in foreseen)


def test_less_and_less_improvement_is_expected() -> None:
    search = DefaultSearch(Grid(), 0)
    assert search.expectation() is None
    promises = []
    for _ in range(24):
        (proposal,) = search.ask(1)
        promises.append(search.expectation())
        assert (promises[-1] is None) == (proposal.origin == "initial")
        search.tell(proposal.design, Outcome((value_of(proposal.design),)))
    known = [promise for promise in promises if promise is not None]
    assert all(promise >= 0 for promise in known)
    assert known[-1] < 0.1 * known[0]


def test_what_matters_is_known_by_the_name_of_its_group() -> None:
    search, _ = searched(None)
    shares = dict(search.relevance())
    assert list(shares) == ["decisive", "idle"]  # the largest first
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["decisive"] > 0.8
    assert DefaultSearch(Grid(), 0).relevance() == []


def test_asking_for_relevance_changes_no_proposal() -> None:
    first, _ = searched(None)
    second, _ = searched(None)
    second.relevance()
    assert first.ask(3) == second.ask(3)
    assert first.relevance() == second.relevance()
