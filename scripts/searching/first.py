"""What a first search has measured, for tasks that come second."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.contracts.optimiser import Inputs, Outcome
from explorer.search.making import make
from explorer.search.options import OptimiserName
from scripts.searching.problem import Task

_DESIGNS: dict[tuple[str, int], list[Inputs]] = {}


def measured(first: Task[Inputs], second: Task[Inputs], seed: int) -> Sequence[tuple[Inputs, Outcome]]:
    """The designs that the default optimiser measures in the whole budget of one task, as another task would see them.

    Args:
        first: the search that was done before.
        second: the search that recalls it.
        seed: of the first search.
    """
    key = (first.name, seed)
    if key not in _DESIGNS:
        search = make(OptimiserName.DEFAULT, {}, first.candidates, seed, first.goal)
        while len(search.observations) < first.budget:
            for proposal in search.ask(min(first.batch, first.budget - len(search.observations))):
                search.tell(proposal.design, first.evaluate(proposal.design))
        _DESIGNS[key] = [observation.design for observation in search.observations]
    return [(design, second.evaluate(design)) for design in _DESIGNS[key]]
