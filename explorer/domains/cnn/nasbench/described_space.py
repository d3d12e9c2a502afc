"""Spaces that are small enough to describe every design beforehand, by what it computes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry
from explorer.contracts.space import Choices, Vector
from explorer.toolkit.option_space import OptionSpace


class DescribedSpace(OptionSpace):
    """An option space in which every decision has the same values, and the descriptions stand in a table.

    Attributes:
        values: all values of a decision, of which a part of the space may allow some.
        features: the entries of the descriptions.
    """

    values: ClassVar[tuple[str, ...]]
    features: ClassVar[Sequence[Entry]]

    @staticmethod
    @abstractmethod
    def table() -> Vector:
        """The descriptions of all combinations of all values, the last decision changing fastest."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The features of a network."""
        return self.features

    def describe(self, choices: Choices) -> Vector:
        """The description of one network; networks that are the same have the same."""
        row: Vector = self.describe_vectors(self.to_vector(choices)[None, :])[0]
        return row

    def describe_vectors(self, vectors: Vector) -> Vector:
        """The descriptions of networks in vector form, shape `(n, entries)`."""
        indices = vectors.astype(np.intp)
        places = [table[column] for table, column in zip(self._places, indices.T, strict=True)]
        described: Vector = self.table()[np.ravel_multi_index(places, (len(self.values),) * len(self.options))]
        return described

    @cached_property
    def _places(self) -> Sequence[NDArray[np.intp]]:
        """For each decision, the place among all values of those that are allowed."""
        return [np.array([self.values.index(one) for one in allowed]) for allowed in self.options.values()]
