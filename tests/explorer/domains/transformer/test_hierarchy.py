"""Levels of the published search: the library of 9,312, the models between two parents, and neighbours by prefix."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.domains.transformer.hierarchy import (
    LEVELS,
    Layers,
    Level,
    between,
    biased_neighbours,
    common_prefix,
    library,
)
from explorer.domains.transformer.model import choices_of, layer
from explorer.domains.transformer.spaces import flexibert1, flexibert2
from graphdb.errors import InputError

SPACE = flexibert1.FlexiBert1Space()
COARSE, MIDDLE, FINE = LEVELS
A = (layer(128, ["sa_sdp"] * 2, [512]),) * 2
B = (layer(256, ["l_dct"] * 4, [1024] * 3),) * 2


def test_the_first_level_has_9312_different_graphs() -> None:
    coarse = library(flexibert1.PUBLISHED, COARSE)
    assert coarse.size == 96 + 96**2 == 9312
    built = [SPACE.build(choices_of(layers)) for layers in coarse]
    assert len({architecture.fingerprint for architecture in built}) == 9312
    assert {min(sizes := {len(architecture.blocks) for architecture in built}), max(sizes)} == {12, 38}


def test_levels_end_in_the_whole_space() -> None:
    assert library(flexibert1.PUBLISHED, MIDDLE).size == 96**2 + 96**4
    assert library(flexibert1.PUBLISHED, FINE).size == SPACE.size
    assert library(flexibert2.PUBLISHED, FINE).size == flexibert2.FlexiBert2Space().size


def test_models_are_numbered_as_they_are_listed() -> None:
    coarse = library(flexibert1.PUBLISHED, COARSE)
    assert [coarse.at(number) for number in range(0, coarse.size, 97)] == list(coarse)[::97]
    for number in (-1, coarse.size):
        with pytest.raises(InputError, match=f"no model {number} .* 0 to 9311"):
            coarse.at(number)


def test_between_two_parents_each_choice_is_that_of_one() -> None:
    models = between(A, B, COARSE, MIDDLE)
    # Of each layer: 2 widths, 2 types, 2 numbers of heads, 2 widths and 2 depths of the feed-forward stack.
    assert models.size == 32**2
    listed = list(models)
    assert len(set(listed)) == models.size
    assert {A, B} <= set(listed)
    assert not any(SPACE.violations(choices_of(layers)) for layers in listed)
    assert between(A, B, COARSE, COARSE).size == 32
    # With free widths a stack of three has 8 ways instead of 2, and one of one has 2.
    assert between(A, B, COARSE, FINE).size == (2 * 2 * 2 * (2 + 8)) ** 2
    assert list(between(A, A, COARSE, FINE)) == [A]


def test_every_width_of_a_parent_counts() -> None:
    uneven = (layer(128, ["sa_sdp"] * 2, [512, 1024, 512]),)
    assert between(uneven, uneven, Level(1, False), FINE).size == 2**3


def test_parents_of_different_depths() -> None:
    deep = B + A
    models = between(A, deep, COARSE, MIDDLE)
    listed = list(models)
    assert models.size == len(set(listed)) == 2 * 32**2
    shallow = {layers for layers in listed if len(layers) == 2}
    assert {layers for layers in listed if len(layers) == 4} == {layers + A for layers in shallow}
    assert models == between(deep, A, COARSE, MIDDLE)


def test_mixed_heads_stay_together() -> None:
    mixed = (layer(128, ["sa_sdp", "c_5"], [512]),)
    single = (layer(128, ["l_dct"] * 4, [512]),)
    heads = {layers[0].heads for layers in between(mixed, single, MIDDLE, FINE)}
    assert heads == {("sa_sdp", "c_5"), ("l_dct",) * 4}


def test_samples_are_uniform_and_repeat() -> None:
    models = between(A, B, COARSE, COARSE)
    drawn = [models.sample(np.random.default_rng(seed)) for seed in range(400)]
    assert set(drawn) == set(models)
    assert models.sample(np.random.default_rng(3)) == drawn[3]


@pytest.mark.parametrize(
    ("first", "coarse", "fine", "sentence"),
    [
        (A, Level(2, True), Level(3, True), "cannot be refined to 3; allowed: a divisor of 2"),
        (A[:1], Level(2, True), Level(1, True), "1 layers has no stacks of 2; allowed: a divisor of 1"),
        (A, Level(0, True), Level(1, True), "no stacks of 0"),
    ],
)
def test_levels_that_do_not_fit(first: Layers, coarse: Level, fine: Level, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        between(first, B, coarse, fine)


def test_a_library_whose_depths_are_no_multiple_is_refused() -> None:
    with pytest.raises(InputError, match="2 layers has no stacks of 4"):
        library(flexibert1.PUBLISHED, Level(4, True))


def test_neighbours_begin_alike_then_lie_near() -> None:
    same_start = A[:1] + B[:1]
    other = B
    assert common_prefix(A, A) == 6
    assert common_prefix(A, same_start) == 3
    assert common_prefix(A, other) == 0
    models = [other, same_start, A, A + B]
    assert biased_neighbours(A, models) == [3, 1, 0]
    twins = [(*A[:1], layer(256, ["c_5"] * 2, [512])), same_start]
    assert biased_neighbours(A, twins, np.array([2.0, 1.0])) == [1, 0]
    with pytest.raises(InputError, match=r"\(1,\); allowed: \(2,\)"):
        biased_neighbours(A, twins, np.zeros(1))
