"""The models of a TransCODE study in vector form: a table of embedded models, for spaces that are listed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry
from explorer.contracts.optimiser import Vector
from explorer.contracts.space import DesignSpace
from graphdb.architecture import Architecture
from graphdb.canonical import canonical_json

_NEAREST = 8


class LegalModels(ABC):
    """Legal models in vector form, with what is known of each before any measurement."""

    entries: Sequence[Entry]
    """The e entries of their descriptions."""
    spaces: Sequence[str]
    """The names of the spaces of which they are designs."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Vector, Vector]:
        """The lowest and highest value of each entry of the vectors, as two arrays of shape `(d,)`."""

    @abstractmethod
    def sample(self, generator: np.random.Generator, count: int) -> Sequence[Vector]:
        """Random models."""

    @abstractmethod
    def near(self, vector: Vector) -> Sequence[Vector]:
        """The models close to a model."""

    @abstractmethod
    def snap(self, vector: Vector) -> Vector:
        """The model nearest to a point."""

    @abstractmethod
    def cross(self, first: Vector, second: Vector, generator: np.random.Generator) -> Vector:
        """A model with decisions of both parents, or one of them."""

    @abstractmethod
    def describe(self, vectors: Sequence[Vector]) -> Vector:
        """The descriptions of n models, shape `(n, e)`."""

    @abstractmethod
    def accuracy(self, vectors: Sequence[Vector]) -> Vector:
        """The known or predicted accuracies of n models, shape `(n,)`; NaN for those that only a trial tells."""

    @abstractmethod
    def first_hidden(self, vectors: Sequence[Vector]) -> Vector:
        """The widths of the first layers of n models, shape `(n,)`."""

    @abstractmethod
    def architecture(self, vector: Vector) -> Architecture:
        """The architecture of a model."""

    @abstractmethod
    def vector(self, architecture: Architecture) -> Vector:
        """The vector of an architecture among the models.

        Raises:
            KeyError: it is none of them.
        """

    def library(self) -> Sequence[Vector] | None:
        """All models; None if they are too many to list."""
        return None


class TableModels(LegalModels):
    """The models of a table, given by their embeddings and described by the decisions of their space."""

    def __init__(
        self, architectures: Sequence[Architecture], embeddings: Vector, accuracies: Vector, space: DesignSpace
    ) -> None:
        """
        Args:
            architectures: the n models, of one space.
            embeddings: embeddings of the models, shape `(n, d)`.
            accuracies: accuracies of the models, shape `(n,)`.
            space: their space.
        """
        self.architectures = list(architectures)
        self.entries = space.entries
        self.spaces = (space.name,)
        self._space = space
        self._embeddings = np.ascontiguousarray(embeddings, dtype=np.float64)
        self._accuracies = accuracies
        self._described = np.stack([space.describe(model.choices) for model in self.architectures])
        self._hidden = np.array([model.choices["h"][0] for model in self.architectures], dtype=np.float64)
        self._row_of_key = {model.key: row for row, model in enumerate(self.architectures)}
        self._row_of_choices = {model.choices_json: row for row, model in enumerate(self.architectures)}
        self._vectors: list[Vector] = list(self._embeddings)
        self._row_of_vector = {vector.tobytes(): row for row, vector in enumerate(self._vectors)}
        # Nearly all vectors that come back are these very objects, which are faster to recognise than their bytes.
        self._row_of_object = {id(vector): row for row, vector in enumerate(self._vectors)}
        self._near: dict[int, list[Vector]] = {}

    @cached_property
    def bounds(self) -> tuple[Vector, Vector]:
        """The box of the embeddings."""
        return self._embeddings.min(axis=0), self._embeddings.max(axis=0)

    def sample(self, generator: np.random.Generator, count: int) -> list[Vector]:
        """Rows drawn with equal probability."""
        return [self._vectors[row] for row in generator.integers(len(self._vectors), size=count)]

    def near(self, vector: Vector) -> list[Vector]:
        """The models one decision away, and the nearest ones by embedding."""
        row = self._row(vector)
        if row not in self._near:
            choices = self.architectures[row].choices
            moves = (self._row_of_choices.get(canonical_json(other)) for other in self._space.neighbours(choices))
            rows = dict.fromkeys(one for one in moves if one is not None)
            rows |= dict.fromkeys(self._nearest(vector, _NEAREST + 1))
            self._near[row] = [self._vectors[other] for other in rows if other != row]
        return self._near[row]

    def snap(self, vector: Vector) -> Vector:
        """The model with the smallest mean absolute difference."""
        return self._vectors[self._nearest(vector, 1)[0]]

    def cross(self, first: Vector, second: Vector, generator: np.random.Generator) -> Vector:
        """The child of the parents, or one of them if the child is not in the table."""
        parents = [self.architecture(vector).choices for vector in (first, second)]
        child = self._row_of_choices.get(canonical_json(self._space.crossover(parents[0], parents[1], generator)))
        if child is None:
            return (first, second)[int(generator.integers(2))]
        return self._vectors[child]

    def describe(self, vectors: Sequence[Vector]) -> Vector:
        """The decisions of their space."""
        rows: Vector = self._described[self._rows(vectors)]
        return rows

    def accuracy(self, vectors: Sequence[Vector]) -> Vector:
        """The accuracies in the table."""
        values: Vector = self._accuracies[self._rows(vectors)]
        return values

    def first_hidden(self, vectors: Sequence[Vector]) -> Vector:
        """The widths of the first layers."""
        widths: Vector = self._hidden[self._rows(vectors)]
        return widths

    def architecture(self, vector: Vector) -> Architecture:
        """The model in the row of an embedding."""
        return self.architectures[self._row(vector)]

    def vector(self, architecture: Architecture) -> Vector:
        """The embedding of a model in the table."""
        return self._vectors[self._row_of_key[architecture.key]]

    def library(self) -> list[Vector]:
        """All embeddings."""
        return self._vectors

    def _row(self, vector: Vector) -> int:
        row = self._row_of_object.get(id(vector))
        return self._row_of_vector[vector.tobytes()] if row is None else row

    def _rows(self, vectors: Sequence[Vector]) -> NDArray[np.intp]:
        known = self._row_of_object
        rows = [known.get(id(vector), -1) for vector in vectors]
        if -1 in rows:
            rows = [self._row(vector) for vector in vectors]
        return np.array(rows, dtype=np.intp)

    def _nearest(self, vector: Vector, count: int) -> list[int]:
        distances = np.abs(self._embeddings - vector).mean(axis=1)
        return [int(row) for row in np.argsort(distances, kind="stable")[:count]]
