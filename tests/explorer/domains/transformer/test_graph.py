from __future__ import annotations

import json

import numpy as np

from explorer.domains.transformer.graph import block_graph, first_reference_hash, reference_hash
from explorer.domains.transformer.measured import elector_models, trained_models
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.presets import preset
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from explorer.domains.transformer.standard import from_standard
from tests.places import DATA


def test_bert_tiny_is_the_published_graph() -> None:
    tiny = preset("bert-tiny")
    kinds = ["input", *["sa_sdp", "sa_sdp", "add_norm", "feed_forward", "add_norm"] * 2, "output"]
    assert [block.kind for block in tiny.blocks] == kinds
    first = {(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 4), (4, 5), (3, 5)}
    second = {(5, 6), (5, 7), (5, 8), (6, 8), (7, 8), (8, 9), (9, 10), (8, 10)}
    assert {(edge.source, edge.target) for edge in tiny.edges} == first | second | {(10, 11)}
    assert len(tiny.edges) == 17


def test_flexibert_mini_has_the_published_size() -> None:
    mini = preset("flexibert-mini")
    assert (len(mini.blocks), len(mini.edges)) == (30, 45)


def test_counts_follow_the_formula_and_edges_point_forward() -> None:
    space, generator = FlexiBert2Space(), np.random.default_rng(0)
    for _ in range(20):
        layers = layers_of(space.sample(generator))
        blocks, edges = block_graph(layers)
        assert len(blocks) == 2 + sum(len(layer.heads) + len(layer.feed_forward) + 2 for layer in layers)
        assert len(edges) == 1 + sum(2 * len(layer.heads) + len(layer.feed_forward) + 3 for layer in layers)
        assert all(edge.source < edge.target for edge in edges)
        assert {edge.source for edge in edges} == set(range(len(blocks) - 1))
        assert {edge.target for edge in edges} == set(range(1, len(blocks)))


def test_attributes_tell_sizes_apart() -> None:
    space = FlexiBert2Space()
    vector = np.zeros(37)
    fingerprints = {space.graph_of(space.from_vector(vector)).fingerprint}
    for place in (0, 1, 2, 3, 4, 5, 6):
        changed = vector.copy()
        changed[place] = 1
        fingerprints.add(space.graph_of(space.from_vector(changed)).fingerprint)
    assert len(fingerprints) == 8


def test_reference_hash_names_all_published_models() -> None:
    models = {measurement.settings["hash"]: model for model, measurement in trained_models()} | elector_models()
    assert len(models) == 32
    for published, model in models.items():
        assert reference_hash(layers_of(model.choices)) == published


def test_first_reference_hash_is_that_of_the_published_code() -> None:
    file = DATA / "transformer" / "published_hashes.json"
    models = json.loads(file.read_text(encoding="utf-8"))["models"]
    assert len(models) == 12
    for published in models:
        assert first_reference_hash(layers_of(from_standard(published["model"]))) == published["hash"]
