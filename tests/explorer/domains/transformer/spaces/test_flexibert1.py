"""FlexiBERT 1: exact sizes, one head type in a layer, and both forms of the model dictionary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.spaces.flexibert1 import FlexiBert1Space, LargeFlexiBert1Space, SmallFlexiBert1Space
from graphdb.errors import InputError
from tests.explorer.contracts.space import HOSTILE, SpaceContract, paths, put

MINI: dict[str, Any] = {
    "l": 4,
    "o": ["sa", "sa", "l", "l"],
    "h": [256, 256, 128, 128],
    "n": [2, 2, 4, 4],
    "f": [[512, 512, 512], [512, 512, 512], [1024], [1024]],
    "p": ["sdp", "sdp", "dct", "dct"],
}
TINY: dict[str, Any] = {
    "l": 2,
    "o": ["c", "sa"],
    "h": [128, 128],
    "n": [2, 2],
    "f": [[512], [512]],
    "p": [5, "wma"],
}


def standard_form(choices: Choices) -> Choices:
    """The dictionary of FlexiBERT 1 of a model whose layers have heads of one type each."""
    layers = layers_of(choices)
    kinds = [one.heads[0].split("_") for one in layers]
    return {
        "l": len(layers),
        "o": [operation for operation, _ in kinds],
        "h": [one.hidden for one in layers],
        "n": [len(one.heads) for one in layers],
        "f": [list(one.feed_forward) for one in layers],
        "p": [int(parameter) if operation == "c" else parameter for operation, parameter in kinds],
    }


class OneTypeContract(SpaceContract):
    def reversible(self, space: DesignSpace, first: Choices, second: Choices) -> bool:
        return bool(first["l"] == second["l"])

    def test_the_heads_of_a_layer_are_alike(self, space: DesignSpace) -> None:
        generator = np.random.default_rng(0)
        for _ in range(100):
            assert all(len(set(layer.heads)) == 1 for layer in layers_of(space.sample(generator)))

    def test_the_form_of_flexibert_1_says_the_same_model(self, space: DesignSpace) -> None:
        generator = np.random.default_rng(1)
        for _ in range(100):
            choices = space.sample(generator)
            assert space.build(standard_form(choices)) == space.build(choices)


class TestPublishedSearch(OneTypeContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return FlexiBert1Space()


class TestSmall(OneTypeContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return SmallFlexiBert1Space()


class TestLarge(OneTypeContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return LargeFlexiBert1Space()


def test_sizes_are_exact() -> None:
    assert registry.space("flexibert").size == 240**2 + 240**4 == 3_317_817_600
    small = 7 * 2 * 2 * (3 + 9 + 27)
    assert registry.space("flexibert_small").size == small**2 + small**4
    large = 7 * 3 * 3 * (4 + 16 + 64)
    assert registry.space("flexibert_large").size == sum(math.prod([large] * depth) for depth in (2, 4, 6))


def test_flexibert_mini_in_both_forms() -> None:
    space = registry.space("flexibert")
    built = space.build(MINI)
    assert len(built.blocks) == 30
    assert len(built.edges) == 45
    assert built.fingerprint == registry.preset("flexibert-mini").fingerprint
    assert standard_form(built.choices) == MINI
    assert space.build(built.choices) == built


def test_any_model_may_be_given_in_the_form_of_flexibert_1() -> None:
    odd = TINY | {"h": [40, 40], "f": [[64], [64, 32]]}
    assert registry.space("flexibert").violations(odd)
    built = registry.space("transformer_free").build(odd)
    assert built.choices["o"] == [["c_5_20"] * 2, ["sa_wma_20"] * 2]
    assert standard_form(built.choices) == odd


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n": [2]}, "n has 1 entries; allowed: 2, one for each layer."),
        ({"n": [0, 2]}, r"n\[0\] is 0; allowed: an integer from 1"),
        ({"n": [True, 2]}, r"n\[0\] is True"),
        ({"n": [8, 2]}, r"o\[0\] has 8 heads; allowed: 2, 4"),
        ({"h": [1, 128]}, r"h\[0\] is 1 for 2 heads"),
        ({"h": ["128", 128]}, r"h\[0\] is '128'; allowed: an integer"),
        ({"h": [512, 128]}, r"h\[0\] is 512; allowed: 128, 256"),
        ({"o": ["rnn", "sa"]}, r"o\[0\] is 'rnn'; allowed: sa, l, c"),
        ({"p": [7, "wma"]}, r"p\[0\] is 7; allowed: 5, 9, 13 for the operation c"),
        ({"p": [5, "dct"]}, r"p\[1\] is 'dct'; allowed: sdp, wma for the operation sa"),
        ({"p": [5.0, "wma"]}, r"p\[0\] is 5.0"),
        ({"p": [13, "wma"]}, r"c_13; allowed: sa_sdp"),
        ({"f": [[512, 512], [512]]}, r"f\[0\] has 2 feed-forward widths; allowed: 1, 3"),
        ({"f": [512, [512]]}, r"f\[0\] is 512; allowed: a list"),
        ({"l": 3}, "o has 2 entries; allowed: 3"),
        ({"l": 0}, "l, the number of layers, is 0"),
        ({"q": 1}, "'q' is unknown"),
    ],
)
def test_dictionaries_that_are_no_model(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        registry.space("flexibert").build(TINY | change)


def test_heads_of_several_types_are_refused() -> None:
    mixed: dict[str, Any] = {"l": 2, "o": [["sa_sdp_64", "c_5_64"]] * 2, "h": [128] * 2, "f": [[512]] * 2}
    with pytest.raises(InputError, match=r"o\[0\] has heads of several types; allowed: one type"):
        registry.space("flexibert").build(mixed)


@pytest.mark.parametrize("space", ["flexibert", "transformer_free"])
def test_hostile_values_in_the_form_of_flexibert_1_are_named_not_raised(space: str) -> None:
    for path in paths(TINY)[1:]:
        for value in HOSTILE:
            changed = put(TINY, path, value)
            violations = registry.space(space).violations(changed)
            assert all(len(sentence) < 500 and sentence.endswith(".") for sentence in violations)
            if not violations:
                assert registry.space(space).build(changed)
