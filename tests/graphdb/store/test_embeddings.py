"""Neighbours by the vector index are those of the exact cosine, within the domain."""

from __future__ import annotations

import numpy as np
import pytest

from graphdb.errors import InputError, NotFoundError
from graphdb.store import Store
from tests.graphdb.designs import design


def test_neighbours_are_exact_and_of_the_same_domain(store: Store) -> None:
    rng = np.random.default_rng(0)
    designs = [design(i, blocks=2) for i in range(40)] + [design(i, domain="cnn", blocks=2) for i in range(40)]
    vectors = {d.key: rng.normal(size=32) for d in designs}
    store.architectures.add(designs)
    assert store.embeddings.write("first", {**vectors, "0" * 64: np.ones(32)}) == 80
    read = store.embeddings.read(list(vectors))
    assert all(np.allclose(read[key], vector) for key, vector in vectors.items())
    store._database.read("CALL db.awaitIndexes(60)")

    probe = designs[0]
    found = store.embeddings.similar(probe.key, 5)
    unit = {key: vector / np.linalg.norm(vector) for key, vector in vectors.items()}
    exact = {d.key: (1 + float(unit[d.key] @ unit[probe.key])) / 2 for d in designs[1:40]}
    assert [key for key, _ in found] == sorted(exact, key=lambda key: -exact[key])[:5]
    assert [score for _, score in found] == pytest.approx([exact[key] for key, _ in found], abs=1e-3)
    assert {key for key, _ in store.embeddings.similar_to(vectors[probe.key], "cnn", 50)} == {
        d.key for d in designs[40:]
    }


def test_the_nearest_are_found_among_thousands(store: Store) -> None:
    """The index is approximate; what is asked of it must still hold the true neighbours, also in tight clusters."""
    rng = np.random.default_rng(1)
    designs = [design(i, blocks=2) for i in range(1500)]
    centres = rng.normal(size=(12, 32))
    vectors = {d.key: centres[rng.integers(12)] + 0.05 * rng.normal(size=32) for d in designs}
    store.architectures.add(designs)
    store.embeddings.write("first", vectors)
    store._database.read("CALL db.awaitIndexes(60)")
    keys = list(vectors)
    unit = np.array([vectors[key] / np.linalg.norm(vectors[key]) for key in keys])
    hits = []
    for probe in range(0, 1500, 75):
        nearest = [keys[i] for i in np.argsort(-unit @ unit[probe]) if i != probe][:10]
        hits.append(len(set(nearest) & {key for key, _ in store.embeddings.similar(keys[probe], 10)}))
    assert np.mean(hits) >= 9.5


def test_without_an_embedding_there_are_no_neighbours(store: Store) -> None:
    store.architectures.add([design(1)])
    for key in (design(1).key, design(2).key):
        with pytest.raises(NotFoundError):
            store.embeddings.similar(key, 3)
    assert store.embeddings.read([design(1).key]) == {}
    for vector in ([1.0] * 31, [0.0] * 32, [float("nan")] * 32):
        with pytest.raises(InputError, match="embedding"):
            store.embeddings.write("m", {design(1).key: vector})


def test_distance_embeddings_are_found_by_euclidean_distance(store: Store) -> None:
    rng = np.random.default_rng(2)
    designs = [design(i, blocks=2) for i in range(60)] + [design(i, domain="cnn", blocks=2) for i in range(20)]
    vectors = {d.key: 5.0 * rng.normal(size=128) for d in designs}
    vectors[designs[0].key] = np.zeros(128)
    store.architectures.add(designs)
    assert store.distances.write("first", vectors) == 80
    store._database.read("CALL db.awaitIndexes(60)")
    found = store.distances.similar(designs[0].key, 5)
    squares = {d.key: float((vectors[d.key] ** 2).sum()) for d in designs[1:60]}
    assert [key for key, _ in found] == sorted(squares, key=squares.__getitem__)[:5]
    assert [1 / score - 1 for _, score in found] == pytest.approx([squares[key] for key, _ in found], rel=1e-2)
    assert store.embeddings.read([designs[0].key]) == {}
    with pytest.raises(InputError, match="has 32 numbers; it must have 128"):
        store.distances.write("first", {designs[0].key: [1.0] * 32})


def test_neighbour_relationships_are_replaced(store: Store) -> None:
    first, second = design(1), design(2)
    store.architectures.add([first, second])
    for distance in (0.5, 0.25):
        assert store.embeddings.write_neighbours([(first.key, second.key, distance)]) == 1
    assert store._database.read("MATCH ()-[n:NEIGHBOUR]->() RETURN n.distance") == [[0.25]]
