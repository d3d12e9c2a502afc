"""Designs of vector candidates as points of the unit box, in which surrogates learn and GOBI walks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.optimiser import Candidates, Inputs, Vector, VectorCandidates
from graphdb.errors import InputError


class UnitBox:
    """The box of some candidates, scaled to 0 to 1.

    Attributes:
        sizes: the number of entries of each role; they sum to D.
        frozen: the entries that never vary, `(D,)` truth values; they are 0 in every point.
    """

    def __init__(self, candidates: VectorCandidates) -> None:
        """
        Args:
            candidates: the legal designs.
        """
        bounds = candidates.bounds()
        self.sizes = [len(low) for low, _ in bounds]
        self._low = np.concatenate([low for low, _ in bounds])
        self._width = np.concatenate([high - low for low, high in bounds])
        self.frozen: NDArray[np.bool_] = self._width <= 0

    def points(self, designs: Sequence[Inputs]) -> Vector:
        """Designs as points, `(n, D)`."""
        rows = np.array([np.concatenate(design) for design in designs]).reshape(len(designs), len(self._low))
        points: Vector = (rows - self._low) / np.where(self.frozen, 1.0, self._width)
        return points

    def inputs(self, points: NDArray[np.floating]) -> list[Inputs]:
        """Points, `(n, D)`, in the units of the vectors; they need not be legal."""
        cuts = np.cumsum(self.sizes)[:-1]
        return [tuple(np.split(row, cuts)) for row in points * self._width + self._low]


def vectors_of(candidates: Candidates[Inputs], name: str) -> VectorCandidates:
    """The candidates, if they are vectors.

    Args:
        candidates: the legal designs.
        name: the search that follows gradients.

    Raises:
        InputError: they are not vectors.
    """
    if not isinstance(candidates, VectorCandidates):
        raise InputError(
            f"{name} follows gradients and was given {type(candidates).__name__}; allowed: vector candidates."
        )
    return candidates
