"""Candidates in tables: every combination of one row per role."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from explorer.contracts.optimiser import Box, Inputs, Vector, VectorCandidates
from graphdb.errors import InputError


class TableCandidates(VectorCandidates):
    """All combinations of the rows of one table per role.

    Snapping takes, for each role, the row with the smallest mean absolute difference; for a full product this is also
    the combination with the smallest sum of differences (the rule of GOBI and of BOSHCODE). A table with one row keeps
    its role fixed.
    """

    def __init__(self, *tables: Vector) -> None:
        """
        Args:
            tables: an array of shape `(rows, d)` for each role.

        Raises:
            InputError: there is no table, or one is empty or not two-dimensional.
        """
        if not tables:
            raise InputError("TableCandidates needs a table for at least one role, found none.")
        for role, table in enumerate(tables):
            if table.ndim != 2 or 0 in table.shape:
                raise InputError(f"The table of role {role} must have shape (rows, d), found {table.shape}.")
        self._tables = tuple(np.asarray(table, dtype=np.float64) for table in tables)
        self._rows = tuple({row.tobytes(): index for index, row in reversed(list(enumerate(t)))} for t in self._tables)

    @property
    def size(self) -> int:
        """Number of combinations."""
        return int(np.prod([len(table) for table in self._tables]))

    def bounds(self) -> Box:
        return tuple((table.min(axis=0), table.max(axis=0)) for table in self._tables)

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        rows = [generator.integers(len(table), size=count) for table in self._tables]
        return [self.at(*indices) for indices in zip(*rows, strict=True)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [
            self.at(*(int(np.abs(t - vector).mean(axis=1).argmin()) for t, vector in zip(self._tables, p, strict=True)))
            for p in points
        ]

    def key(self, design: Inputs) -> Hashable:
        """The row of each role.

        Raises:
            InputError: a vector is not a row of its table.
        """
        return self.indices(design)

    def indices(self, design: Inputs) -> tuple[int, ...]:
        """The (first) row of each role that contains its vector.

        Raises:
            InputError: a vector is not a row of its table.
        """
        indices = []
        for role, (rows, vector) in enumerate(zip(self._rows, design, strict=True)):
            index = rows.get(np.asarray(vector, dtype=np.float64).tobytes())
            if index is None:
                raise InputError(f"The vector of role {role} is not a row of its table.")
            indices.append(index)
        return tuple(indices)

    def at(self, *indices: int) -> Inputs:
        """The combination of these rows."""
        return tuple(table[index] for table, index in zip(self._tables, indices, strict=True))
