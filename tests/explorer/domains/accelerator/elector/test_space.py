from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.accelerator.elector.hardware import HYPERPARAMETERS, MAIN_MEMORIES, PUBLISHED_MEMORIES
from explorer.domains.accelerator.elector.measured import accelerators
from explorer.domains.accelerator.elector.space import NAMES, ElectorSpace
from graphdb.canonical import canonical_json
from tests.explorer.contracts.space import SpaceContract

SMALL = {
    name: values[-2:] if name in ("tile_x", "pe", "memory") else values[:1] for name, values in HYPERPARAMETERS.items()
}


class TestElectorSpace(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return ElectorSpace()


class TestSmallVariant(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return ElectorSpace(SMALL)

    def test_size_is_that_of_a_full_enumeration(self, space: ElectorSpace) -> None:
        grid = [dict(zip(SMALL, values, strict=True)) for values in itertools.product(*SMALL.values())]
        designs = {canonical_json({**design, "tile_y": design["tile_x"]}) for design in grid}
        assert space.size == len(designs) == 8
        assert {canonical_json(space.at(i)) for i in range(8)} == designs

    def test_every_design_is_equally_likely(self, space: DesignSpace) -> None:
        generator = np.random.default_rng(1)
        counts = Counter(canonical_json(space.sample(generator)) for _ in range(4_000))
        # Chi-squared of 7 degrees of freedom; 33 is about 1 in 10^5.
        assert sum((counts[name] - 500) ** 2 / 500 for name in counts) < 33
        assert len(counts) == 8


def test_size_is_exact() -> None:
    assert ElectorSpace().size == 14_850_000
    only_gelu = {**HYPERPARAMETERS, "non_linearity": ("gelu",)}
    assert ElectorSpace(only_gelu).size == 7_425_000


def test_the_vector_grows_with_the_hardware() -> None:
    space = ElectorSpace()
    smallest, largest = (space.from_vector(vector) for vector in space.bounds)
    assert (smallest["pe"], largest["pe"]) == (64, 1024)
    assert (smallest["weight_buffer_mb"], largest["weight_buffer_mb"]) == (8, 128)
    assert largest["tile_y"] == largest["tile_x"] == 32
    speeds = [MAIN_MEMORIES[name].bandwidth_bytes_per_s for name in HYPERPARAMETERS["memory"]]
    assert speeds == sorted(speeds)
    assert set(HYPERPARAMETERS["memory"]) == set(PUBLISHED_MEMORIES)


def test_neighbours_change_one_decision() -> None:
    space = ElectorSpace()
    choices = space.sample(np.random.default_rng(0))
    found = list(space.neighbours(choices))
    assert len(found) == sum(len(values) - 1 for values in HYPERPARAMETERS.values()) == 42
    for other in found:
        assert sum(other[name] != choices[name] for name in HYPERPARAMETERS) == 1


def published_vector(choices: Choices) -> list[int]:
    """The 12 entries of the published embedding: raw values, and the index of the memory last."""
    return [*(choices[name] for name in NAMES[:11]), PUBLISHED_MEMORIES.index(choices["memory"])]


def test_published_accelerators_are_legal_with_their_published_vectors() -> None:
    """The published identifier is the MD5 of the text of the embedding, which checks every entry of it."""
    published = accelerators()
    assert len(published) == 16
    for identifier, architecture in published.items():
        text = str(published_vector(architecture.choices))
        assert hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() == identifier


def test_children_take_every_decision_from_a_parent() -> None:
    space, generator = ElectorSpace(), np.random.default_rng(0)
    first, second = (space.from_vector(vector) for vector in space.bounds)
    for _ in range(20):
        child = space.crossover(first, second, generator)
        assert all(child[name] in (first[name], second[name]) for name in child)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pe": 65}, "pe is 65; allowed: 64, 128, 256, 512, 1024"),
        ({"tile_b": True}, "tile_b is True; allowed: 1, 4"),
        ({"pe": 64.0}, "pe is 64.0"),
        ({"tile_y": 32}, "tile_y is 32; allowed: the value of tile_x"),
        ({"memory": "rram_3_3_3"}, "memory is 'rram_3_3_3'; allowed: dram_8_2_4"),
        ({"memory": ["hbm_32_1_4"]}, "memory is "),
        ({"issue_width": 8}, "'issue_width' is unknown"),
    ],
)
def test_violations_name_place_found_and_allowed(change: Choices, sentence: str) -> None:
    space = ElectorSpace()
    legal: dict[str, Any] = space.from_vector(space.bounds[0])
    assert space.violations(legal) == []
    with pytest.raises(ValueError, match=sentence):
        space.build(legal | change)
