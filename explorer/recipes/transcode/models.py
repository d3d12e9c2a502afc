"""The models of a TransCODE study in vector form: a table of embedded models, for spaces that are listed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry
from explorer.contracts.optimiser import Vector
from explorer.contracts.space import DesignSpace
from graphdb.architecture import Architecture
from graphdb.canonical import canonical_json

_NEAREST = 8


class Models(ABC):
    """Legal models in vector form, with what is known of each before any measurement."""

    entries: Sequence[Entry]
    """The e entries of their descriptions."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Vector, Vector]:
        """The lowest and highest value of each entry of the vectors, as two arrays of shape `(d,)`."""

    @abstractmethod
    def sample(self, generator: np.random.Generator, count: int) -> Vector:
        """Random models, shape `(count, d)`."""

    @abstractmethod
    def near(self, vector: Vector) -> Vector:
        """The k models close to a model, shape `(k, d)`."""

    @abstractmethod
    def snap(self, vector: Vector) -> Vector:
        """The model nearest to a point."""

    @abstractmethod
    def cross(self, first: Vector, second: Vector, generator: np.random.Generator) -> Vector:
        """A model with decisions of both parents, or one of them."""

    @abstractmethod
    def describe(self, vectors: Vector) -> Vector:
        """The descriptions of n models, shape `(n, e)`."""

    @abstractmethod
    def accuracy(self, vectors: Vector) -> Vector:
        """The known or predicted accuracies of n models, shape `(n,)`."""

    @abstractmethod
    def first_hidden(self, vectors: Vector) -> Vector:
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

    def library(self) -> Vector | None:
        """All models, shape `(n, d)`; None if they are too many to list."""
        return None


class TableModels(Models):
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
        self._space = space
        self._embeddings = np.ascontiguousarray(embeddings, dtype=np.float64)
        self._accuracies = accuracies
        self._described = np.stack([space.describe(model.choices) for model in self.architectures])
        self._hidden = np.array([model.choices["h"][0] for model in self.architectures], dtype=np.float64)
        self._row = {model.key: row for row, model in enumerate(self.architectures)}
        self._row_of_choices = {model.choices_json: row for row, model in enumerate(self.architectures)}
        self._row_of_vector = {vector.tobytes(): row for row, vector in enumerate(self._embeddings)}
        self._near: dict[int, NDArray[np.intp]] = {}

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """The box of the embeddings."""
        return self._embeddings.min(axis=0), self._embeddings.max(axis=0)

    def sample(self, generator: np.random.Generator, count: int) -> Vector:
        """Rows drawn with equal probability."""
        drawn: Vector = self._embeddings[generator.integers(len(self.architectures), size=count)]
        return drawn

    def near(self, vector: Vector) -> Vector:
        """The models one decision away, and the nearest ones by embedding."""
        row = self._row_of_vector[vector.tobytes()]
        if row not in self._near:
            choices = self.architectures[row].choices
            moves = (self._row_of_choices.get(canonical_json(other)) for other in self._space.neighbours(choices))
            rows = dict.fromkeys(one for one in moves if one is not None)
            rows |= dict.fromkeys(self._nearest(vector, _NEAREST + 1))
            self._near[row] = np.array([other for other in rows if other != row], dtype=np.intp)
        found: Vector = self._embeddings[self._near[row]]
        return found

    def snap(self, vector: Vector) -> Vector:
        """The model with the smallest mean absolute difference."""
        nearest: Vector = self._embeddings[self._nearest(vector, 1)[0]]
        return nearest

    def cross(self, first: Vector, second: Vector, generator: np.random.Generator) -> Vector:
        """The child of the parents, or one of them if the child is not in the table."""
        parents = [self.architecture(vector).choices for vector in (first, second)]
        child = self._row_of_choices.get(canonical_json(self._space.crossover(parents[0], parents[1], generator)))
        if child is None:
            return (first, second)[int(generator.integers(2))]
        return self._embeddings[child]

    def describe(self, vectors: Vector) -> Vector:
        """The decisions of their space."""
        return self._described[self._rows(vectors)]

    def accuracy(self, vectors: Vector) -> Vector:
        """The accuracies in the table."""
        return self._accuracies[self._rows(vectors)]

    def first_hidden(self, vectors: Vector) -> Vector:
        """The widths of the first layers."""
        return self._hidden[self._rows(vectors)]

    def architecture(self, vector: Vector) -> Architecture:
        """The model in the row of an embedding."""
        return self.architectures[self._row_of_vector[vector.tobytes()]]

    def vector(self, architecture: Architecture) -> Vector:
        """The embedding of a model in the table."""
        return self._embeddings[self._row[architecture.key]]

    def library(self) -> Vector:
        """All embeddings."""
        return self._embeddings

    def _rows(self, vectors: Vector) -> NDArray[np.intp]:
        return np.array([self._row_of_vector[vector.tobytes()] for vector in vectors], dtype=np.intp)

    def _nearest(self, vector: Vector, count: int) -> list[int]:
        distances = np.abs(self._embeddings - vector).mean(axis=1)
        return [int(row) for row in np.argsort(distances, kind="stable")[:count]]
