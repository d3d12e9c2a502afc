"""Candidates in tables: every combination of one row per role."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence
from functools import cached_property

import numpy as np

from explorer.contracts.description import Entry
from explorer.contracts.optimiser import Box, Inputs, Vector, VectorCandidates
from explorer.search.space_candidates import LIBRARY
from graphdb.errors import InputError

Described = tuple[Sequence[Entry], Vector]
"""The d entries of the descriptions of a table's rows, and the descriptions, shape `(rows, d)`."""


class TableCandidates(VectorCandidates):
    """All combinations of the rows of one table per role.

    Snapping takes, for each role, the row with the smallest mean absolute difference; for a full product this is also
    the combination with the smallest sum of differences (the rule of GOBI and of BOSHCODE). A table with one row keeps
    its role fixed.
    """

    def __init__(self, *tables: Vector, descriptions: Sequence[Described] | None = None) -> None:
        """
        Args:
            tables: an array of shape `(rows, d)` for each role.
            descriptions: what surrogates know of the rows of each table; the rows themselves unless given.

        Raises:
            InputError: there is no table, one is empty or not two-dimensional, or there are not as many descriptions
                as rows.
        """
        if not tables:
            raise InputError("TableCandidates needs a table for at least one role, found none.")
        for role, table in enumerate(tables):
            if table.ndim != 2 or 0 in table.shape:
                raise InputError(f"The table of role {role} must have shape (rows, d), found {table.shape}.")
        shapes = [table.shape[:1] for table in tables]
        if (
            descriptions is not None
            and [rows.shape[:1] if rows.shape[1:] == (len(entries),) else None for entries, rows in descriptions]
            != shapes
        ):
            raise InputError("The descriptions of a table must have one row for each of its rows.")
        self._descriptions = descriptions
        self._tables = tuple(np.asarray(table, dtype=np.float64) for table in tables)
        self._rows = tuple({row.tobytes(): index for index, row in reversed(list(enumerate(t)))} for t in self._tables)

    @property
    def size(self) -> int:
        """Number of combinations."""
        return int(np.prod([len(table) for table in self._tables]))

    def bounds(self) -> Box:
        return tuple((table.min(axis=0), table.max(axis=0)) for table in self._tables)

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """The entries of the descriptions of all tables in a row."""
        if self._descriptions is None:
            return super().entries
        return [entry for entries, _ in self._descriptions for entry in entries]

    def describe(self, designs: Sequence[Inputs]) -> Vector:
        """The descriptions of the rows of all tables in a row, shape `(n, d)`."""
        if self._descriptions is None:
            return super().describe(designs)
        if designs is self.__dict__.get("_library"):
            return self._described_library
        picked = np.array([self.indices(design) for design in designs], dtype=np.intp)
        picked = picked.reshape(len(designs), len(self._tables))
        return np.hstack([rows[picked[:, role]] for role, (_, rows) in enumerate(self._descriptions)])

    def library(self) -> Sequence[Inputs] | None:
        """All combinations of different rows, if there are at most 20,000."""
        return self._library

    @cached_property
    def _library(self) -> tuple[Inputs, ...] | None:
        distinct = [list(rows.values()) for rows in self._rows]
        if np.prod([len(rows) for rows in distinct], dtype=np.float64) > LIBRARY:
            return None
        return tuple(self.at(*indices) for indices in itertools.product(*map(sorted, distinct)))

    @cached_property
    def _described_library(self) -> Vector:
        return self.describe(list(self._library or ()))

    def crossover(self, first: Inputs, second: Inputs, generator: np.random.Generator) -> Inputs | None:
        """Every role's row from either parent; None for a single role, whose rows cannot be crossed."""
        if len(self._tables) == 1:
            return None
        origins = generator.integers(2, size=len(self._tables))
        return tuple((first, second)[origin][role] for role, origin in enumerate(origins))

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
