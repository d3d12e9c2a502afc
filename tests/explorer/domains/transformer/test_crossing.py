"""Models between two parents: of the right level, between them, counted exactly, and kept with their lineage."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.domains.transformer import crossing
from explorer.domains.transformer.hierarchy import LEVELS, library
from explorer.domains.transformer.model import choices_of, layers_of
from explorer.domains.transformer.presets import preset
from explorer.domains.transformer.spaces.flexibert1 import FlexiBert1Space
from explorer.domains.transformer.spaces.free import FreeTransformerSpace
from explorer.domains.transformer.transfer import overlap
from graphdb.architecture import Architecture
from graphdb.errors import InputError

SPACE, FREE = FlexiBert1Space(), FreeTransformerSpace()


def parents(seed: int) -> tuple[Architecture, Architecture]:
    """Two different models of the first level."""
    generator = np.random.default_rng(seed)
    coarse = library(SPACE.options, LEVELS[0])
    first, second = (SPACE.build(choices_of(coarse.sample(generator))) for _ in range(2))
    return first, second


def crossed(
    first: Architecture, second: Architecture, level: int = 2, count: int = 5, seed: int = 0
) -> crossing.Crossing:
    return crossing.cross(first, second, [SPACE, FREE], level, count, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", [2, 3])
def test_every_choice_of_a_child_is_one_of_its_parents(seed: int, level: int) -> None:
    first, second = parents(seed)
    between = crossed(first, second, level, 30, seed)
    size = LEVELS[level - 2].layers_per_stack
    layers = [layers_of(parent.choices) for parent in (first, second)]
    for child in between.children:
        assert child.space == SPACE.name
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
    between = crossed(first, second, count=10_000)
    keys = [child.key for child in between.children]
    assert len(set(keys)) == len(keys)
    assert not {first.key, second.key} & set(keys)
    assert between.size - 2 <= len(keys) <= between.size
    assert [child.key for child in crossed(first, second, count=10_000).children] == keys


def test_a_model_crossed_with_itself_has_only_itself() -> None:
    first, _ = parents(1)
    between = crossed(first, first)
    assert between.size == 1
    assert between.children == []


def test_every_child_descends_from_both_parents() -> None:
    first, second = parents(2)
    between = crossed(first, second)
    descents = list(between.descents())
    assert [(one.child, one.parent) for one in descents] == [
        (child, parent) for child in between.children for parent in (first, second)
    ]
    assert len(between.children) == 5
    for one in descents:
        assert one.how == "crossover"
        assert one.about == {"ratio": overlap(one.parent.choices, one.child.choices, "ordered")}
        assert 0 <= one.about["ratio"] <= 1


def test_a_child_is_of_the_first_space_that_has_it() -> None:
    first, second = parents(2)
    (child, *_) = crossing.cross(first, second, [FREE], 2, 5, np.random.default_rng(0)).children
    assert child.space == FREE.name
    tiny, mini = (preset(name) for name in ("bert-tiny", "bert-mini"))
    outside = crossing.cross(tiny, mini, [SPACE, FREE], 2, 20, np.random.default_rng(0)).children
    assert {one.space for one in outside} == {
        SPACE.name if not SPACE.violations(one.choices) else FREE.name for one in outside
    }


def test_what_cannot_be_crossed_is_refused() -> None:
    first, second = parents(3)
    stranger = Architecture.of("machines", "any", {}, [], [])
    with pytest.raises(InputError, match="is of the domain machines; allowed: transformer"):
        crossed(first, stranger)
    for level in (1, 4):
        with pytest.raises(InputError, match=f"The level is {level}; allowed: 2 to 3"):
            crossed(first, second, level)
    layers = layers_of(first.choices)
    odd = FREE.build(choices_of((*layers, layers[0])))
    with pytest.raises(InputError, match="has no stacks of 2"):
        crossed(odd, second)
    with pytest.raises(InputError, match="not legal in any of the spaces"):
        crossing.cross(first, second, [], 2, 5, np.random.default_rng(0))
