"""Every optimiser on what leaves nothing to learn: it goes on with legal designs, each once, until there are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from explorer.contracts.optimiser import Inputs, Optimiser, Outcome
from explorer.search.candidates import TableCandidates
from explorer.search.making import make
from explorer.search.options import OptimiserName
from graphdb.errors import InputError

LEARNING = (OptimiserName.DEFAULT, OptimiserName.BOSHCODE, OptimiserName.BREATHE)


def searched(
    name: OptimiserName, rows: int, outcome_of: Callable[[int], Outcome], batch: int = 4
) -> tuple[Optimiser[Inputs], list[Inputs]]:
    """A search of a table of designs until nothing is left, and what it proposed."""
    candidates = TableCandidates(np.random.default_rng(5).random((rows, 3)))
    search: Optimiser[Inputs] = make(name, {}, candidates, 1)
    chosen: list[Inputs] = []
    while proposals := search.ask(batch):
        for proposal in proposals:
            search.tell(proposal.design, outcome_of(len(chosen)))
            chosen.append(proposal.design)
    return search, chosen


def distinct(search: Optimiser[Inputs], designs: Sequence[Inputs]) -> int:
    return len({search.candidates.key(design) for design in designs})


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize(
    "outcome_of",
    [
        pytest.param(lambda at: Outcome((0.5,)), id="constant"),
        pytest.param(lambda at: Outcome.failed(), id="never measured"),
        pytest.param(lambda at: Outcome((0.5,)) if at == 2 else Outcome.failed(), id="measured once"),
        pytest.param(lambda at: Outcome((float(at),), (1.0 + at,)), id="never feasible"),
        pytest.param(lambda at: Outcome((1e300 if at % 2 else -1e300,)), id="huge"),
    ],
)
def test_nothing_to_learn_is_no_reason_to_stop(name: OptimiserName, outcome_of: Callable[[int], Outcome]) -> None:
    search, chosen = searched(name, 10, outcome_of)
    assert len(chosen) == distinct(search, chosen) == 10


@pytest.mark.parametrize("name", OptimiserName)
def test_a_space_of_one_design(name: OptimiserName) -> None:
    _, chosen = searched(name, 1, lambda at: Outcome((0.5,)))
    assert len(chosen) == 1


@pytest.mark.parametrize("name", LEARNING)
def test_a_design_that_was_told_twice(name: OptimiserName) -> None:
    candidates = TableCandidates(np.random.default_rng(5).random((12, 3)))
    search: Optimiser[Inputs] = make(name, {}, candidates, 1)
    (first, *others) = [proposal.design for proposal in search.ask(5)]
    for at, design in enumerate([first, *others, first, first]):
        search.tell(design, Outcome((float(at),)))
    proposals = [proposal.design for proposal in search.ask(3)]
    assert distinct(search, [first, *others, *proposals]) == 8


@pytest.mark.parametrize("name", OptimiserName)
def test_ten_objectives_are_searched_or_refused(name: OptimiserName) -> None:
    def outcome_of(at: int) -> Outcome:
        return Outcome(tuple(math.sin(at * (one + 1)) for one in range(10)))

    search: Optimiser[Inputs] = make(name, {}, TableCandidates(np.random.default_rng(5).random((10, 3))), 1)
    if search.objectives is None:
        search, chosen = searched(name, 10, outcome_of)
        assert distinct(search, chosen) == 10
    else:
        with pytest.raises(InputError, match=r"1 objective .* told 10 values; "):
            search.tell(search.ask(1)[0].design, outcome_of(0))
