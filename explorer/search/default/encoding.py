"""Descriptions of designs as points between which distances mean something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.contracts.description import Entry, Nature
from explorer.contracts.optimiser import Vector

_ABSENCE = np.sqrt(0.75)  # with a value in the middle, an absent entry is at most 1 from a present one


class Encoding:
    """Maps descriptions to coordinates, several of which may belong to one group of entries.

    A number takes the share of its range. Two different categories are 1 apart: each is a coordinate of 1 / sqrt(2).
    Where an entry can be absent (NaN), a further coordinate says so, and its value counts as the middle of the range.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        names = [entry.group or entry.name for entry in self.entries]
        self.groups: tuple[str, ...] = tuple(dict.fromkeys(names))
        """The names of the groups; entries without one are groups by themselves."""
        position = {name: place for place, name in enumerate(self.groups)}
        self._low = np.array([entry.low for entry in self.entries])
        self._width = np.array([entry.high - entry.low for entry in self.entries])
        self._categorical = np.array([entry.nature is Nature.CATEGORICAL for entry in self.entries], dtype=np.bool_)
        self._numeric = np.flatnonzero(~self._categorical)
        self._levels = [
            (place, int(self._width[place]) + 1)
            for place in np.flatnonzero(self._categorical)
            if self._width[place] > 0
        ]
        of_entry = np.array([position[name] for name in names], dtype=np.intp)
        self.group_of = np.concatenate(
            [of_entry[self._numeric], *(np.full(count, of_entry[place]) for place, count in self._levels), of_entry]
        ).astype(np.intp)
        """The group of each coordinate, shape `(p,)`."""

    @property
    def continuous(self) -> NDArray[np.bool_]:
        """Which entries are continuous and vary, shape `(d,)`."""
        natures = np.array([entry.nature is Nature.CONTINUOUS for entry in self.entries], dtype=np.bool_)
        return natures & (self._width > 0)

    def points(self, descriptions: Vector) -> Vector:
        """The coordinates of n descriptions `(n, d)`, shape `(n, p)`."""
        absent = np.isnan(descriptions)
        width = np.where(self._width > 0, self._width, 1.0)
        shares = np.where(absent, 0.5, (descriptions - self._low) / width)
        shares[:, self._width <= 0] = np.where(absent[:, self._width <= 0], 0.5, 0.0)
        columns = [shares[:, self._numeric]]
        for place, count in self._levels:
            level = np.where(absent[:, place], -1, np.rint(descriptions[:, place] - self._low[place]))
            columns.append((level[:, None] == np.arange(count)) * np.sqrt(0.5))
        columns.append(absent * _ABSENCE)
        return np.concatenate(columns, axis=1)

    def coordinates(self, entries: NDArray[np.intp]) -> Tensor:
        """The coordinate that holds the share of each of these numeric entries, shape `(len(entries),)`."""
        return torch.from_numpy(np.searchsorted(self._numeric, entries))
