"""Embeddings of architectures, and the nearest neighbours that the vector indexes find."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphdb import cypher
from graphdb.cypher import EmbeddingQueries
from graphdb.errors import InputError, NotFoundError
from graphdb.store import rows

if TYPE_CHECKING:
    from graphdb.database import Database

_BATCH = 2000
_FEWEST_CANDIDATES = 200
_CANDIDATES_PER_NEIGHBOUR = 4


@dataclass(frozen=True)
class EmbeddingKind:
    """A kind of embedding.

    Attributes:
        name: the name shown to users.
        dimensions: the length of the vectors, as in their index.
        directions: whether only the direction of a vector matters, so that no vector may be 0.
        queries: the statements for this kind.
    """

    name: str
    dimensions: int
    directions: bool
    queries: EmbeddingQueries


BEHAVIOUR = EmbeddingKind("embedding", 32, True, cypher.BEHAVIOUR_QUERIES)
"""The representation of a design in a surrogate of measures; scores are (1 + cosine similarity) / 2."""

DISTANCE = EmbeddingKind("distance embedding", 128, False, cypher.DISTANCE_QUERIES)
"""Vectors whose squared Euclidean distances estimate edit distances; scores are 1 / (1 + squared distance)."""


class EmbeddingStore:
    """The latest embedding of each architecture, of one kind, with the name of the model that computed it."""

    def __init__(self, database: Database, kind: EmbeddingKind = BEHAVIOUR) -> None:
        self._database = database
        self._kind = kind

    def write(self, model: str, vectors: Mapping[str, Sequence[float]]) -> int:
        """Writes embeddings (key -> vector of the kind's length); returns how many of the architectures are stored.

        Raises:
            InputError: a vector has another length, holds a number that is not finite, or is zero although directions
                matter.
        """
        checked = [{"key": key, "vector": self._checked(vector)} for key, vector in vectors.items()]
        return sum(
            self._database.write(self._kind.queries.write, rows=batch, model=model)[0][0]
            for batch in rows.batches(checked, _BATCH)
        )

    def read(self, keys: Sequence[str]) -> dict[str, list[float]]:
        """The embeddings of the architectures that have one, in one query."""
        return dict(self._database.read(self._kind.queries.read, keys=list(keys)))

    def missing(self, model: str, domain: str) -> list[str]:
        """The keys of the architectures of `domain` that have no embedding by this model."""
        return [row[0] for row in self._database.read(self._kind.queries.missing, model=model, domain=domain)]

    def similar(self, key: str, k: int) -> list[tuple[str, float]]:
        """Returns the `k` nearest architectures of the same domain, nearest first, with the score of the kind.

        Raises:
            NotFoundError: the architecture is not stored, or has no embedding yet.
        """
        stored = self._database.read(self._kind.queries.of, key=key)
        if not stored:
            raise NotFoundError(f"No architecture has the key {key!r}.")
        domain, vector = stored[0]
        if vector is None:
            raise NotFoundError(f"The architecture {key} has no {self._kind.name} yet.")
        return [item for item in self.similar_to(vector, domain, k + 1) if item[0] != key][:k]

    def similar_to(self, vector: Sequence[float], domain: str, k: int) -> list[tuple[str, float]]:
        """Returns the architectures of a domain nearest to a vector, nearest first, with the score of the kind.

        Args:
            vector: a vector of the kind's length.
            domain: the domain of the architectures.
            k: the number of architectures.

        Raises:
            InputError: `k` is below 1, or the vector cannot be compared.
        """
        if k < 1:
            raise InputError(f"The number of neighbours is {k}; it must be at least 1.")
        # The index is approximate: among few results the nearest can be missing, among many they are included.
        many = max(_FEWEST_CANDIDATES, _CANDIDATES_PER_NEIGHBOUR * k)
        nearest = self._database.read(self._kind.queries.similar, vector=self._checked(vector), domain=domain, k=many)
        return [(key, score) for key, score in nearest[:k]]

    def write_neighbours(self, neighbours: Iterable[tuple[str, str, float]]) -> int:
        """Writes NEIGHBOUR relationships (from, to, distance); returns how many were written."""
        return sum(
            self._database.write(cypher.WRITE_NEIGHBOURS, rows=[list(item) for item in batch])[0][0]
            for batch in rows.batches(neighbours, _BATCH)
        )

    def _checked(self, vector: Sequence[float]) -> list[float]:
        numbers, name = [float(number) for number in vector], f"The {self._kind.name} of an architecture"
        if len(numbers) != self._kind.dimensions:
            raise InputError(f"{name} has {len(numbers)} numbers; it must have {self._kind.dimensions}.")
        if not all(map(math.isfinite, numbers)):
            raise InputError(f"{name} holds a number that is not finite.")
        if self._kind.directions and not any(numbers):
            raise InputError(f"{name} is zero, and so has no direction; cosine similarity needs one.")
        return numbers
