from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.transformer.measured import elector_models, trained_models
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options
from graphdb.canonical import canonical_json
from tests.explorer.contracts.space import SpaceContract
from tests.places import DATA

GOLDEN = json.loads((DATA / "transformer" / "published_embeddings.json").read_text(encoding="utf-8"))
SMALL = Options(
    depths=(1, 2),
    hidden=(8, 12),
    head_counts=(1, 2),
    head_kinds=("sa_sdp", "c_5"),
    mixed=True,
    stacks=(1,),
    widths=(16, 32),
)


class SmallSpace(LayeredSpace):
    name = "small"

    def __init__(self) -> None:
        super().__init__(SMALL)


@pytest.fixture(scope="module")
def published_models() -> dict[str, Choices]:
    trained = {measurement.settings["hash"]: model.choices for model, measurement in trained_models()}
    return trained | {name: model.choices for name, model in elector_models().items()}


class TestPublishedSpace(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return FlexiBert2Space()

    def reversible(self, space: DesignSpace, first: Choices, second: Choices) -> bool:
        return bool(first["l"] == second["l"])


class TestSmallVariant(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return SmallSpace()

    def reversible(self, space: DesignSpace, first: Choices, second: Choices) -> bool:
        return bool(first["l"] == second["l"])

    def test_size_is_that_of_a_full_enumeration(self, space: LayeredSpace) -> None:
        heads = [[a] for a in SMALL.head_kinds] + [["sa_sdp", "sa_sdp"], ["sa_sdp", "c_5"], ["c_5", "c_5"]]
        layers = [
            (hidden, [f"{kind}_{hidden // len(kinds)}" for kind in kinds], [width])
            for hidden, kinds, width in itertools.product(SMALL.hidden, heads, SMALL.widths)
        ]
        designs = [
            {"l": depth, "o": [o for _, o, _ in chosen], "h": [h for h, _, _ in chosen], "f": [f for _, _, f in chosen]}
            for depth in SMALL.depths
            for chosen in itertools.product(layers, repeat=depth)
        ]
        assert space.size == len(designs) == 20 + 20**2
        assert not any(space.violations(design) for design in designs)
        numbered = {canonical_json(space.at(i)) for i in range(space.size)}
        assert numbered == {canonical_json(design) for design in designs}

    def test_designs_are_numbered_from_the_shallowest(self, space: LayeredSpace) -> None:
        lowest, highest = space.bounds
        assert space.at(20) == space.from_vector(np.array([1, *lowest[1:]]))
        assert space.at(19) == space.from_vector(np.array([0, *highest[1:]]))
        assert space.at(space.size - 1) == space.from_vector(highest)

    def test_every_design_is_equally_likely(self, space: DesignSpace) -> None:
        generator = np.random.default_rng(1)
        counts = Counter(canonical_json(space.sample(generator)) for _ in range(50 * space.size))
        assert len(counts) == space.size
        # Chi-squared of 419 degrees of freedom: 419 on average, 29 one standard deviation; 560 is 1 in 10^5.
        assert sum((count - 50) ** 2 / 50 for count in counts.values()) < 560


def test_size_is_exact() -> None:
    per_layer = 4 * (6 + 6**2 + 6**3) * (28 + 210 + 3003 + 18564)
    assert per_layer == 22_502_760
    assert FlexiBert2Space().size == sum(per_layer**depth for depth in (2, 4, 6, 8, 10, 12))
    assert 1.68e88 < FlexiBert2Space().size < 1.69e88


def test_vectors_are_the_published_embeddings(published_models: dict[str, Choices]) -> None:
    space = FlexiBert2Space()
    assert len(GOLDEN) == len(published_models) == 32
    for row in GOLDEN:
        choices = published_models[row["hash"]]
        assert space.to_vector(choices).tolist() == row["embedding"]
        assert space.from_vector(np.array(row["embedding"])) == choices


def test_entries_after_the_last_layer_are_ignored() -> None:
    space = FlexiBert2Space()
    vector = np.zeros(space.dimensions)
    changed = vector.copy()
    changed[7:] = 3
    assert space.from_vector(vector) == space.from_vector(changed)


def test_the_deepest_and_widest_design_fits() -> None:
    space = FlexiBert2Space()
    choices = space.from_vector(space.bounds[1])
    assert choices["l"] == 12
    assert choices["o"][0] == ["c_13_64"] * 12
    assert choices["f"][11] == [4096] * 3


def test_heads_are_unordered() -> None:
    space = FlexiBert2Space()
    heads = ["sa_sdp_64", "c_5_64"]
    first = {"l": 2, "o": [heads, heads], "h": [128, 128], "f": [[512], [512]]}
    second = first | {"o": [heads[::-1], heads]}
    assert space.build(first).key == space.build(second).key


def test_neighbours_cover_each_decision() -> None:
    space = FlexiBert2Space()
    heads = ["sa_sdp_64"] * 2
    choices: dict[str, Any] = {"l": 4, "o": [heads] * 4, "h": [128] * 4, "f": [[512]] * 4}
    neighbours = list(space.neighbours(choices))
    # Each layer: 3 hidden widths, 5 changed and 11 longer stacks, 6 head types, 28 ways to 4 heads; and 2 depths.
    assert len(neighbours) == 4 * (3 + 5 + 11 + 6 + 28) + 2
    deeper = next(other for other in neighbours if other["l"] == 6)
    assert deeper["o"] == [heads] * 6
    assert choices in space.neighbours(deeper)


def test_children_take_layers_from_the_parent_that_has_them() -> None:
    space = FlexiBert2Space()
    generator = np.random.default_rng(0)
    shallow, deep = space.from_vector(space.bounds[0]), space.from_vector(space.bounds[1])
    children = [space.crossover(shallow, deep, generator) for _ in range(50)]
    assert {child["l"] for child in children} == {2, 12}
    for child in children:
        assert set(child["h"]) <= {128, 768}
        assert {tuple(stack) for stack in child["f"]} <= {(256,), (4096,) * 3}
        assert child["h"][2:] == deep["h"][2 : child["l"]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"l": 3, "o": [["sa_sdp_64"] * 2] * 3, "h": [128] * 3, "f": [[512]] * 3}, "2, 4, 6, 8, 10, 12"),
        ({"h": [128, 100]}, r"h\[1\] is 100; allowed: 128, 256, 512, 768"),
        ({"o": [["sa_sdp_64"] * 2, ["sa_sdp_42"] * 3]}, r"o\[1\] has 3 heads; allowed: 2, 4, 8, 12"),
        ({"o": [["sa_sdp_64"] * 2, ["sa_sdp_32"] * 2]}, r"o\[1\] has heads of the width 32; allowed: 64"),
        ({"o": [["sa_sdp_64"] * 2, ["sa_sdp_64", "sa_sdp_32"]]}, r"widths 32, 64; allowed: one width"),
        ({"o": [["sa_sdp_64"] * 2, ["sa_sdp_64", "x_64"]]}, r"o\[1\]\[1\] is 'x_64'; allowed: <type>_<width>"),
        ({"f": [[512], [512] * 4]}, r"f\[1\] has 4 feed-forward widths; allowed: 1, 2, 3"),
        ({"f": [[512], [500]]}, r"f\[1\] is 500; allowed: 256, 512"),
        ({"f": [[512]]}, "f has 1 entries; allowed: 2"),
        ({"f": [[512], [True]]}, r"f\[1\]\[0\] is True"),
        ({"extra": 1}, "'extra' is unknown; allowed: l, o, h, f"),
    ],
)
def test_violations_name_place_found_and_allowed(change: dict[str, Any], sentence: str) -> None:
    legal = {"l": 2, "o": [["sa_sdp_64"] * 2] * 2, "h": [128] * 2, "f": [[512]] * 2}
    space = FlexiBert2Space()
    assert space.violations(legal) == []
    with pytest.raises(ValueError, match=sentence):
        space.build(legal | change)
