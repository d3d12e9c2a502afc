"""Candidates of a search among trained networks: all of a space, with the sizes that need no measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from explorer import registry
from explorer.contracts.optimiser import Inputs, Vector
from explorer.domains.cnn.measures import MULTIPLICATIONS, PARAMETERS
from explorer.domains.cnn.nasbench.facts import size_of
from explorer.recipes.nasbench.options import Space
from explorer.search.space_candidates import SpaceCandidates


class NasBenchCandidates(SpaceCandidates):
    """All networks of a space; their parameters and multiplications are known."""

    def known(self, designs: Sequence[Inputs]) -> Mapping[str, Vector]:
        """Parameters and multiplications of n networks, shape `(n,)` each."""
        if not designs:
            return {PARAMETERS.name: np.zeros(0), MULTIPLICATIONS.name: np.zeros(0)}
        indices = np.stack([vector for (vector,) in designs]).astype(np.intp)
        rows = self._sizes[np.ravel_multi_index(tuple(indices.T), self._radices)]
        return {PARAMETERS.name: rows[:, 0], MULTIPLICATIONS.name: rows[:, 1]}

    @cached_property
    def _radices(self) -> tuple[int, ...]:
        return tuple((self.space.bounds[1] + 1).astype(int).tolist())

    @cached_property
    def _sizes(self) -> Vector:
        """Parameters and multiplications of every network in the order of the space, shape `(size, 2)`."""
        sizes = (size_of(choices) for choices in self.space.enumerate())
        return np.array([(size.parameters, size.multiplications) for size in sizes], dtype=np.float64)


def candidates(space: str = Space.NASBENCH201) -> NasBenchCandidates:
    """The candidates of a search of one space, `nasbench201` or `nasbench_macro`."""
    return NasBenchCandidates(registry.space(Space(space)))
