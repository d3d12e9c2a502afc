"""Boosted trees with an estimate of their own error: ten ensembles, each trained without a tenth of the designs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn.blending import Estimate
from gnn.boosting import BinnedRows, Trees, boosted
from gnn.network import SurrogateSettings
from graphdb.errors import InputError

Array = NDArray[np.float64]

MEMBERS = 10
FEWEST = 20
"""The fewest known values for which trees are fitted."""
_ERROR_DEPTH = 3
_ERROR_SHARE = 4  # the expected error is smoother than the measure: a quarter of the trees
_FLOOR = 0.25  # share of the mean absolute error: no design is expected to be known much better than the others
_STD_PER_ERROR = 1.2533  # √(π/2), for a normal distribution
_PARTS, _ARRAYS = ("means", "errors"), ("columns", "thresholds", "leaves")


@dataclass(frozen=True)
class BaggedTrees:
    """Predicts one measure in standardised units.

    Attributes:
        means: one ensemble per member.
        errors: one ensemble per member for the absolute error of `means` on designs that these have not seen.
        floor: the least absolute error expected.
        weight: the weight of the trees against the networks, in [0, 1].
    """

    means: tuple[Trees, ...]
    errors: tuple[Trees, ...]
    floor: float
    weight: float = 1.0

    def predict(self, rows: Array) -> Estimate:
        """Estimates of shape `(n,)` for rows of shape `(n, columns)`."""
        members = np.stack([trees.predict(rows) for trees in self.means])
        error = np.mean([trees.predict(rows) for trees in self.errors], axis=0)
        return Estimate(members.mean(axis=0), _std(error, self.floor), members.std(axis=0))

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """All arrays, stacked over the members, with the shapes given by `tree_shapes`."""
        return {
            f"{part}.{name}": np.stack([getattr(trees, name) for trees in ensembles])
            for part, ensembles in zip(_PARTS, (self.means, self.errors), strict=True)
            for name in _ARRAYS
        }

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], columns: int, floor: float, weight: float
    ) -> BaggedTrees:
        """Returns the trees in tensors that `to_tensors` wrote, which must have the right shapes.

        Args:
            tensors: the tensors by name.
            columns: the number of columns available to the trees.
            floor: the least absolute error expected.
            weight: the weight of the trees against the networks, in [0, 1].

        Raises:
            InputError: a node uses a column that does not exist.
        """
        for part in _PARTS:
            looked_at = tensors[f"{part}.columns"]
            if looked_at.min() < 0 or looked_at.max() >= max(columns, 1):
                raise InputError(f"The trees of the surrogate look at a column beyond the {columns} that there are.")
        means, errors = (
            tuple(
                Trees(looked_at.astype(np.int32), thresholds, leaves)
                for looked_at, thresholds, leaves in zip(*(tensors[f"{part}.{name}"] for name in _ARRAYS), strict=True)
            )
            for part in _PARTS
        )
        return cls(means, errors, floor, weight)


def tree_shapes(settings: SurrogateSettings) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors for one measure."""
    shapes: dict[str, tuple[int, ...]] = {}
    for part, (trees, depth) in zip(_PARTS, (_size(settings), _error_size(settings)), strict=True):
        for name, width in zip(_ARRAYS, (2**depth - 1, 2**depth - 1, 2**depth), strict=True):
            shapes[f"{part}.{name}"] = (MEMBERS, trees, width)
    return shapes


def fit_trees(
    rows: Array, values: Array, settings: SurrogateSettings, generator: np.random.Generator
) -> tuple[BaggedTrees, Estimate]:
    """Fits the trees of one measure, and estimates each design by the members that have not seen it.

    Args:
        rows: the profiles of the designs, shape `(n, columns)`.
        values: standardised values, shape `(n,)`, NaN where missing; at least `FEWEST` of them known.
        settings: the number and size of the trees.
        generator: the source of all randomness.

    Returns:
        The trees, and estimates of shape `(n,)`, NaN where the value is missing.
    """
    known = np.flatnonzero(~np.isnan(values))
    data = BinnedRows.of(rows[known])
    fold = generator.permutation(len(known)) % MEMBERS
    rate = settings.tree_rate
    means, centre = _members(data, rows[known], values[known], fold, _size(settings), rate, generator)
    error = np.abs(values[known] - centre)
    errors, expected = _members(data, rows[known], error, fold, _error_size(settings), rate, generator)
    floor = _FLOOR * float(error.mean()) + 1e-6
    apart = np.std([trees.predict(rows[known]) for trees in means], axis=0)
    unseen = [np.full(len(values), np.nan) for _ in range(3)]
    for whole, part in zip(unseen, (centre, _std(expected, floor), apart), strict=True):
        whole[known] = part
    return BaggedTrees(means, errors, floor), Estimate(*unseen)


def _members(
    data: BinnedRows,
    rows: Array,
    values: Array,
    fold: NDArray[np.int64],
    size: tuple[int, int],
    rate: float,
    generator: np.random.Generator,
) -> tuple[tuple[Trees, ...], Array]:
    """One ensemble per fold, trained on the other folds, and its predictions for the designs of the fold."""
    members, unseen = [], np.zeros(len(values))
    for number in range(MEMBERS):
        seen = fold != number
        part = BinnedRows(data.bins[seen], data.edges)
        members.append(boosted(part, values[seen], *size, rate, generator))
        unseen[~seen] = members[-1].predict(rows[~seen])
    return tuple(members), unseen


def _size(settings: SurrogateSettings) -> tuple[int, int]:
    """The number and depth of the trees."""
    return settings.trees, settings.tree_depth


def _error_size(settings: SurrogateSettings) -> tuple[int, int]:
    return max(1, settings.trees // _ERROR_SHARE), min(_ERROR_DEPTH, settings.tree_depth)


def _std(error: Array, floor: float) -> Array:
    return _STD_PER_ERROR * np.maximum(error, floor)
