"""The inductive encoder: deterministic, independent of numbering, kept as safetensors, and checked when read back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gnn.inductive import EncoderSettings, InductiveEncoder
from graphdb.architecture import Architecture, Block, Edge
from graphdb.errors import InputError

SMALL = EncoderSettings(hidden=8, width=16, steps=60, group=16)


def place(block: Block) -> float:
    return float(block.attributes["place"])


def chain(places: list[float], order: list[int] | None = None) -> Architecture:
    order = order or list(range(len(places)))
    blocks = [Block("unit", {"place": places[i]}) for i in order]
    at = {old: new for new, old in enumerate(order)}
    edges = [Edge(at[i], at[i + 1]) for i in range(len(places) - 1)]
    return Architecture.of("toy", "chains", {"places": places}, blocks, edges)


def designs(count: int, seed: int) -> list[Architecture]:
    generator = np.random.default_rng(seed)
    return [chain(generator.integers(0, 9, generator.integers(2, 8)).astype(float).tolist()) for _ in range(count)]


def fitted(steps: int = 60) -> InductiveEncoder:
    some = designs(40, 0)
    vectors = np.array([[sum(map(place, one.blocks)), len(one.blocks)] for one in some], dtype=np.float64)
    settings = EncoderSettings(hidden=8, width=16, steps=steps, group=16, learning_rate=1e-2)
    return InductiveEncoder(place, settings).fit(some, vectors, np.random.default_rng(0))


def test_unseen_graphs_get_the_vectors_that_the_rule_gives_them() -> None:
    unseen = designs(30, 1)
    wanted = np.array([[sum(map(place, one.blocks)), len(one.blocks)] for one in unseen])
    vectors = fitted(steps=500).embed(unseen)
    assert np.abs(vectors - wanted).mean() < 0.1 * wanted.std()


def test_the_order_of_blocks_does_not_matter() -> None:
    encoder = fitted()
    places = [3.0, 1.0, 8.0, 5.0]
    np.testing.assert_allclose(encoder.embed([chain(places)]), encoder.embed([chain(places, [2, 0, 3, 1])]), rtol=1e-5)


def test_edges_matter() -> None:
    encoder = fitted()
    assert not np.allclose(encoder.embed([chain([1.0, 5.0, 8.0])]), encoder.embed([chain([5.0, 1.0, 8.0])]))


def test_the_same_seed_gives_the_same_weights_and_records_give_the_same_vectors() -> None:
    first, second = fitted().to_record(), fitted().to_record()
    assert first == second
    read = InductiveEncoder.from_record(first[0], json.loads(json.dumps(first[1])), place)
    assert np.array_equal(read.embed(designs(5, 2)), fitted().embed(designs(5, 2)))
    assert read.embed([]).shape == (0, 2)


def test_what_does_not_fit_is_refused() -> None:
    weights, settings = fitted().to_record()
    with pytest.raises(InputError, match="not safetensors"):
        InductiveEncoder.from_record(weights[: len(weights) // 2], settings, place)
    with pytest.raises(InputError, match="do not fit its settings"):
        InductiveEncoder.from_record(weights, {**settings, "levels": settings["levels"] + 1}, place)
    with pytest.raises(InputError, match="version 99"):
        InductiveEncoder.from_record(weights, {**settings, "version": 99}, place)
    with pytest.raises(InputError, match="malformed"):
        InductiveEncoder.from_record(weights, {"version": settings["version"]}, place)
    with pytest.raises(InputError, match="has not been fitted"):
        InductiveEncoder(place).embed(designs(1, 0))
    with pytest.raises(InputError, match="one vector for each"):
        InductiveEncoder(place, SMALL).fit(designs(3, 0), np.zeros((2, 4)), np.random.default_rng(0))
    with pytest.raises(InputError, match="All vectors given to an encoder are alike"):
        InductiveEncoder(place, SMALL).fit(designs(3, 0), np.zeros((3, 4)), np.random.default_rng(0))
