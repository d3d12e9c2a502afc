from __future__ import annotations

import json

import numpy as np
import pytest

from gnn.data import Vocabulary
from gnn.profile import Profile
from graphdb.architecture import Architecture, Block, Edge
from graphdb.errors import InputError


def chain(widths: list[int], kind: str = "layer") -> Architecture:
    blocks = [Block("input", {}), *(Block(kind, {"width": width}) for width in widths)]
    edges = [Edge(i, i + 1) for i in range(len(widths))]
    return Architecture.of("chain", "chain", {"widths": widths, "kind": kind}, blocks, edges)


def renumbered(architecture: Architecture, order: list[int]) -> Architecture:
    blocks = [architecture.blocks[i] for i in order]
    place = {old: new for new, old in enumerate(order)}
    edges = [Edge(place[edge.source], place[edge.target]) for edge in reversed(architecture.edges)]
    return Architecture.of("chain", "chain", architecture.choices, blocks, edges)


def test_columns_tell_models_apart_and_none_is_redundant(measured) -> None:
    models = measured[0]
    profile = Profile.of(models, Vocabulary.of(models))
    rows = profile.rows(models)
    assert rows.shape == (150, profile.width) and rows.std(axis=0).min() > 0
    correlation = np.corrcoef(rows.T) - np.eye(profile.width)
    assert np.abs(correlation).max() <= 0.9999 + 1e-9
    assert len(np.unique(rows.round(9), axis=0)) == len({model.key for model in models})


def test_the_order_of_the_blocks_along_the_depth_counts_and_their_numbering_does_not() -> None:
    graphs = [chain([1, 2, 4, 8]), chain([8, 4, 2, 1]), chain([1, 2]), chain([4, 4, 1], "other")]
    profile = Profile.of(graphs, Vocabulary.of(graphs))
    rows = profile.rows(graphs)
    assert not np.allclose(rows[0], rows[1])
    assert np.allclose(profile.rows([renumbered(graphs[0], [3, 0, 4, 2, 1])])[0], rows[0])


def test_repeating_every_level_changes_nothing_but_the_depth() -> None:
    graphs = [chain([1, 2, 4, 8]), chain([1, 1, 2, 2, 4, 4, 8, 8]), chain([8, 2])]
    profile = Profile.of(graphs, Vocabulary.of(graphs))
    rows = profile.rows(graphs)
    assert np.flatnonzero(~np.isclose(rows[0], rows[1])).tolist() == [0]


def test_what_the_training_set_lacks_is_left_out() -> None:
    graphs = [chain([1, 2]), chain([2, 4])]
    profile = Profile.of(graphs, Vocabulary.of(graphs))
    strange = Architecture.of("s", "s", {"a": 1}, [Block("x", {"never": 1.0})], [])
    assert profile.rows([strange]).shape == (1, profile.width)
    assert profile.rows([]).shape == (0, profile.width)


def test_as_json_and_back(measured) -> None:
    models = measured[0][:20]
    vocabulary = Vocabulary.of(models)
    profile = Profile.of(models, vocabulary)
    assert Profile.from_json(json.loads(json.dumps(profile.to_json())), vocabulary) == profile
    with pytest.raises(InputError, match="column"):
        Profile.from_json({**profile.to_json(), "kept": [0, 100_000]}, vocabulary)
