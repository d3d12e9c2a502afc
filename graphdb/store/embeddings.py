"""Embeddings of architectures, and the nearest neighbours that the vector index finds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from graphdb import cypher
from graphdb.database import Database
from graphdb.errors import InputError, NotFoundError
from graphdb.store import rows

DIMENSIONS = 32
_BATCH = 2000
_FEWEST_CANDIDATES = 200
_CANDIDATES_PER_NEIGHBOUR = 4


class EmbeddingStore:
    """The latest embedding of each architecture, with the name of the model that computed it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, model: str, vectors: Mapping[str, Sequence[float]]) -> int:
        """Sets the embeddings (key -> 32 numbers); how many architectures were found.

        Raises:
            InputError: a vector has another length, holds a number that is not finite, or is zero.
        """
        checked = [{"key": key, "vector": _checked(vector)} for key, vector in vectors.items()]
        return sum(
            self._database.write(cypher.WRITE_EMBEDDINGS, rows=batch, model=model)[0][0]
            for batch in rows.batches(checked, _BATCH)
        )

    def read(self, keys: Sequence[str]) -> dict[str, list[float]]:
        """The embeddings of those architectures that have one, in one query."""
        return dict(self._database.read(cypher.READ_EMBEDDINGS, keys=list(keys)))

    def missing(self, model: str, domain: str) -> list[str]:
        """Keys of the architectures of `domain` whose embedding is not one of this model."""
        return [row[0] for row in self._database.read(cypher.MISSING_EMBEDDINGS, model=model, domain=domain)]

    def similar(self, key: str, k: int) -> list[tuple[str, float]]:
        """The `k` nearest architectures of the same domain, nearest first, with (1 + cosine similarity) / 2.

        Raises:
            NotFoundError: the architecture is not stored, or has no embedding yet.
        """
        found = self._database.read(cypher.EMBEDDING_OF, key=key)
        if not found:
            raise NotFoundError(f"No architecture has the key {key!r}.")
        domain, vector = found[0]
        if vector is None:
            raise NotFoundError(f"The architecture {key} has no embedding yet.")
        return [item for item in self.similar_to(vector, domain, k + 1) if item[0] != key][:k]

    def similar_to(self, vector: Sequence[float], domain: str, k: int) -> list[tuple[str, float]]:
        """The `k` architectures of `domain` nearest to a vector, nearest first, with (1 + cosine similarity) / 2."""
        if k < 1:
            raise InputError(f"The number of neighbours is {k}; it must be at least 1.")
        # The index is approximate: asked for a few it can miss the nearest, asked for many it has them among them.
        many = max(_FEWEST_CANDIDATES, _CANDIDATES_PER_NEIGHBOUR * k)
        found = self._database.read(cypher.SIMILAR, vector=_checked(vector), domain=domain, k=many)
        return [(key, score) for key, score in found[:k]]

    def write_neighbours(self, neighbours: Iterable[tuple[str, str, float]]) -> int:
        """Writes NEIGHBOUR relationships (from, to, distance); how many."""
        return sum(
            self._database.write(cypher.WRITE_NEIGHBOURS, rows=[list(item) for item in batch])[0][0]
            for batch in rows.batches(neighbours, _BATCH)
        )


def _checked(vector: Sequence[float]) -> list[float]:
    numbers = [float(number) for number in vector]
    if len(numbers) != DIMENSIONS:
        raise InputError(f"An embedding has {len(numbers)} numbers; it must have {DIMENSIONS}.")
    if not all(math.isfinite(number) for number in numbers) or not any(numbers):
        raise InputError("An embedding is zero or holds a number that is not finite; cosine similarity needs neither.")
    return numbers
