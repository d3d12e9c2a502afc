"""Graphs of any size as rows of the same length, for learners that need columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn.data import Vocabulary
from gnn.positions import depths
from graphdb.architecture import Architecture, Block
from graphdb.errors import InputError

Array = NDArray[np.float64]

SLICES = 4
_REDUNDANT = 0.9999  # correlation with an earlier column above which a column adds nothing


@dataclass(frozen=True)
class Profile:
    """The blocks of a graph along its depth, as a fixed number of columns.

    Blocks with the same attributes, such as all attention heads, form a group. The blocks of a group that stand equally
    deep form a level, described by the logarithm of their number and by the average of their features (kind and
    attributes as `Vocabulary` writes them). The levels of a group are averaged over each of `SLICES` equal parts,
    so that graphs of different depth can be compared, and over all levels. Columns that are constant over the set from
    which the profile was made, or that repeat another one, are left out.

    Attributes:
        vocabulary: the vocabulary in which blocks are written.
        groups: the attribute names of the blocks of each group.
        kept: the indices of the columns used.
    """

    vocabulary: Vocabulary
    groups: tuple[tuple[str, ...], ...]
    kept: tuple[int, ...]

    @classmethod
    def of(cls, architectures: Sequence[Architecture], vocabulary: Vocabulary) -> Profile:
        """The profile that distinguishes these architectures."""
        groups = tuple(sorted({_group(block) for architecture in architectures for block in architecture.blocks}))
        every = cls(vocabulary, groups, ())
        every = replace(every, kept=tuple(range(every._columns)))
        return replace(every, kept=_informative(every.rows(architectures)))

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.kept)

    @property
    def _columns(self) -> int:
        return 1 + len(self.groups) * _per_group(self.vocabulary)

    def rows(self, architectures: Sequence[Architecture]) -> Array:
        """The rows, shape `(n, width)`; blocks whose attributes belong to no group are left out."""
        written: dict[tuple[Any, ...], Array] = {}
        full = [self._row(architecture, written) for architecture in architectures]
        return np.array(full).reshape(len(architectures), self._columns)[:, list(self.kept)]

    def _row(self, architecture: Architecture, written: dict[tuple[Any, ...], Array]) -> Array:
        deep = depths(len(architecture.blocks), [(edge.source, edge.target) for edge in architecture.edges])
        levels: list[dict[int, list[Array]]] = [{} for _ in self.groups]
        for block, depth in zip(architecture.blocks, deep, strict=True):
            group = _group(block)
            if group in self.groups:
                key = (block.kind, *((name, type(value), value) for name, value in block.attributes.items()))
                if key not in written:
                    written[key] = np.array(self.vocabulary.block_row(block.kind, block.attributes))
                levels[self.groups.index(group)].setdefault(depth, []).append(written[key])
        parts = [_sliced(own, _per_group(self.vocabulary)) for own in levels]
        return np.concatenate([[float(max(deep, default=0))], *parts])

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON, without the vocabulary."""
        return {"groups": [list(group) for group in self.groups], "kept": list(self.kept)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], vocabulary: Vocabulary) -> Profile:
        """The profile that `to_json` wrote.

        Raises:
            InputError: it names a column that the groups do not have.
        """
        groups = tuple(tuple(map(str, group)) for group in value["groups"])
        kept = tuple(int(column) for column in value["kept"])
        profile = cls(vocabulary, groups, kept)
        if any(not 0 <= column < profile._columns for column in kept):
            raise InputError(f"The profile names the column {max(kept, key=abs)}; there are {profile._columns}.")
        return profile


def _group(block: Block) -> tuple[str, ...]:
    return tuple(sorted(block.attributes))


def _per_group(vocabulary: Vocabulary) -> int:
    return (SLICES + 1) * (1 + vocabulary.block_width)


def _sliced(levels: Mapping[int, list[Array]], width: int) -> Array:
    if not levels:
        return np.zeros(width)
    described = np.array(
        [np.concatenate([[np.log2(len(levels[d]))], np.mean(levels[d], axis=0)]) for d in sorted(levels)]
    )
    averaged: Array = _slicing(len(levels)) @ described
    return averaged.ravel()


@lru_cache(maxsize=256)
def _slicing(levels: int) -> Array:
    """The share of every level in each slice and in the whole, shape `(SLICES + 1, levels)`; rows add up to 1."""
    edges = np.linspace(0, levels, SLICES + 1)
    number = np.arange(levels)
    shared = np.minimum(edges[1:, None], number + 1) - np.maximum(edges[:-1, None], number)
    weights = np.vstack([np.maximum(shared, 0.0), np.ones(levels)])
    normalised: Array = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def _informative(rows: Array) -> tuple[int, ...]:
    """The first of every set of redundant columns; no constant ones."""
    spread = rows.std(axis=0)
    candidates = np.flatnonzero(spread > 1e-9)
    standard = (rows[:, candidates] - rows[:, candidates].mean(axis=0)) / spread[candidates]
    correlation = np.abs(standard.T @ standard) / max(len(rows), 1)
    kept: list[int] = []
    for column in range(len(candidates)):
        if not (correlation[column, kept] > _REDUNDANT).any():
            kept.append(column)
    return tuple(int(candidates[column]) for column in kept)
