"""Models between two parents: of the right level, between them, counted exactly, and kept with their lineage."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import registry
from explorer.domains.transformer import crossing
from explorer.domains.transformer.hierarchy import LEVELS, library
from explorer.domains.transformer.model import choices_of, layers_of
from explorer.domains.transformer.spaces.layered import LayeredSpace
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.store import Store


def parents(seed: int) -> tuple[Architecture, Architecture]:
    """Two different models of the first level."""
    space, generator = registry.space("flexibert"), np.random.default_rng(seed)
    assert isinstance(space, LayeredSpace)
    coarse = library(space.options, LEVELS[0])
    first, second = (space.build(choices_of(coarse.sample(generator))) for _ in range(2))
    return first, second


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", [2, 3])
def test_every_choice_of_a_child_is_one_of_its_parents(seed: int, level: int) -> None:
    first, second = parents(seed)
    found = crossing.cross(first, second, level, 30, np.random.default_rng(seed))
    size = LEVELS[level - 2].layers_per_stack
    layers = [layers_of(parent.choices) for parent in (first, second)]
    for child in found.children:
        made = layers_of(child.choices)
        assert len(made) in {len(parent) for parent in layers}
        for place, one in enumerate(made):
            start = place // size * size
            near = [layer for parent in layers for layer in parent[start : start + size]]
            assert one.hidden in {layer.hidden for layer in near}
            assert set(one.heads) <= {kind for layer in near for kind in layer.heads}
            assert set(one.feed_forward) <= {width for layer in near for width in layer.feed_forward}
            assert level == 3 or len(set(one.feed_forward)) == 1


def test_children_are_different_from_each_other_and_from_their_parents() -> None:
    first, second = parents(7)
    found = crossing.cross(first, second, 2, 10_000, np.random.default_rng(0))
    keys = [child.key for child in found.children]
    assert len(set(keys)) == len(keys)
    assert not {first.key, second.key} & set(keys)
    assert found.size - 2 <= len(keys) <= found.size
    again = crossing.cross(first, second, 2, 10_000, np.random.default_rng(0))
    assert [child.key for child in again.children] == keys


def test_a_model_crossed_with_itself_has_only_itself() -> None:
    first, _ = parents(1)
    found = crossing.cross(first, first, 2, 5, np.random.default_rng(0))
    assert found.size == 1
    assert found.children == []


def test_lineage_is_kept_once(store: Store) -> None:
    first, second = parents(2)
    store.architectures.add([first, second])
    found = crossing.cross(first, second, 2, 5, np.random.default_rng(0))
    assert crossing.store_crossing(store, found) == len(found.children) > 0
    assert crossing.store_crossing(store, found) == 0
    child = found.children[0].key
    relatives = {one.key: one for one in store.architectures.parents([child], 10)[child]}
    assert set(relatives) == {first.key, second.key}
    assert relatives[first.key].how == "crossover"
    assert relatives[first.key].properties["ratio"] == found.overlaps[child][0]
    assert 0 <= found.overlaps[child][0] <= 1
    assert len(store.architectures.children([first.key], 10)[first.key]) == len(found.children)


def test_what_cannot_be_crossed_is_refused() -> None:
    first, second = parents(3)
    edge = registry.presets()["edge"]
    generator = np.random.default_rng(0)
    with pytest.raises(InputError, match="is of the domain accelerator; allowed: transformer"):
        crossing.cross(first, edge, 2, 5, generator)
    for level in (1, 4):
        with pytest.raises(InputError, match=f"The level is {level}; allowed: 2 to 3"):
            crossing.cross(first, second, level, 5, generator)
    layers = layers_of(first.choices)
    odd = registry.space("transformer_free").build(choices_of((*layers, layers[0])))
    with pytest.raises(InputError, match="has no stacks of 2"):
        crossing.cross(odd, second, 2, 5, generator)
