"""What every `DesignSpace` must hold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.contracts.space import Choices, DesignSpace
from graphdb.architecture import Architecture, Edge
from graphdb.canonical import canonical_json
from graphdb.errors import InputError

SAMPLES = 1_000

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
HOSTILE: Sequence[Any] = (
    *(None, True, 0, -1, 1.5, 2.0, 10**5000, float("nan"), float("inf"), "", "x" * 10_000, "\ud800", "sa_sdp_64\n"),
    *([], [[]], {}, [None], [[None]], {"": None}, [10**400], list(range(10_000))),
)


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Where in a JSON value something stands, the value itself first."""
    found: list[tuple[Any, ...]] = [()]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(key, *rest) for rest in paths(inner)]
    return found


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with `new` in one place."""
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = put(value[path[0]], path[1:], new)
    return copied


def renumbered(architecture: Architecture, order: Sequence[int]) -> Architecture:
    """The same design with its blocks in another order."""
    place = {old: new for new, old in enumerate(order)}
    edges = [Edge(place[edge.source], place[edge.target], edge.attributes) for edge in architecture.edges]
    return replace(architecture, blocks=tuple(architecture.blocks[i] for i in order), edges=tuple(edges[::-1]))


class BuildContract:
    """What every space must hold, those that can only build included; `legal` and `space` are fixtures."""

    @pytest.fixture
    def space(self) -> DesignSpace:
        raise NotImplementedError

    @pytest.fixture
    def legal(self) -> Choices:
        """One legal design."""
        raise NotImplementedError

    def test_reading_again_gives_the_same_key(self, space: DesignSpace, legal: Choices) -> None:
        built = space.build(legal)
        again = space.build(built.choices)
        assert again.key == built.key
        assert again.fingerprint == built.fingerprint
        assert again == built

    def test_normalising_twice_changes_nothing(self, space: DesignSpace, legal: Choices) -> None:
        once = space.normalise(legal)
        assert space.normalise(once) == once
        assert space.violations(once) == []

    def test_renumbering_changes_neither_key_nor_fingerprint(self, space: DesignSpace, legal: Choices) -> None:
        built = space.build(legal)
        order = np.random.default_rng(0).permutation(len(built.blocks)).tolist()
        shuffled = renumbered(built, order)
        assert shuffled.blocks != built.blocks
        assert shuffled.key == built.key
        assert shuffled.fingerprint == built.fingerprint

    def test_attributes_are_scalars(self, space: DesignSpace, legal: Choices) -> None:
        built = space.build(legal)
        assert built.blocks and built.edges
        for part in (*built.blocks, *built.edges):
            assert all(type(value) in (bool, int, float, str) for value in part.attributes.values())

    def test_hostile_values_are_named_not_raised(self, space: DesignSpace, legal: Choices) -> None:
        for path, value in itertools.product(paths(legal), HOSTILE):
            changed = put(legal, path, value)
            sentences = space.violations(changed)
            assert all(sentence.endswith(".") and len(sentence) < 1_000 for sentence in sentences)
            if sentences:
                with pytest.raises(InputError):
                    space.build(changed)
            else:
                space.build(changed)

    def test_any_json_is_checked_without_a_traceback(self, space: DesignSpace) -> None:
        @given(JSON)
        def check(value: Any) -> None:
            assert space.violations(value)

        check()


class SpaceContract(BuildContract):
    """What every finite space must hold: counting, sampling, vectors and moves."""

    @pytest.fixture
    def generator(self) -> np.random.Generator:
        return np.random.default_rng(7)

    @pytest.fixture
    def legal(self, space: DesignSpace, generator: np.random.Generator) -> Choices:
        return space.sample(generator)

    def reversible(self, space: DesignSpace, first: Choices, second: Choices) -> bool:
        """Whether the move from `first` to its neighbour `second` is meant to go back as well."""
        return True

    def test_samples_are_legal_and_canonical(self, space: DesignSpace, generator: np.random.Generator) -> None:
        for _ in range(SAMPLES):
            choices = space.sample(generator)
            assert space.violations(choices) == []
            assert space.normalise(choices) == choices

    def test_a_seed_repeats(self, space: DesignSpace) -> None:
        drawn = [[space.sample(generator) for _ in range(20)] for generator in map(np.random.default_rng, (3, 3, 4))]
        assert drawn[0] == drawn[1]
        assert drawn[0] != drawn[2]

    def test_vectors_give_the_design_back(self, space: DesignSpace, generator: np.random.Generator) -> None:
        lowest, highest = space.bounds
        assert lowest.shape == highest.shape == (space.dimensions,)
        for _ in range(SAMPLES // 5):
            choices = space.sample(generator)
            vector = space.to_vector(choices)
            assert vector.dtype == np.float64
            assert (lowest <= vector).all() and (vector <= highest).all()
            assert space.from_vector(vector) == choices

    @pytest.mark.parametrize("scale", [0.3, 1.0, 10.0, 1e9])
    def test_any_vector_is_repaired(self, space: DesignSpace, generator: np.random.Generator, scale: float) -> None:
        _, highest = space.bounds
        for _ in range(100):
            choices = space.from_vector(generator.normal(size=space.dimensions) * scale * highest)
            assert space.violations(choices) == []
            assert space.from_vector(space.to_vector(choices)) == choices

    def test_vectors_with_no_numbers_are_repaired(self, space: DesignSpace) -> None:
        for value in (np.nan, np.inf, -np.inf):
            assert space.violations(space.from_vector(np.full(space.dimensions, value))) == []

    def test_a_vector_of_the_wrong_shape_is_refused(self, space: DesignSpace) -> None:
        with pytest.raises(InputError, match="shape"):
            space.from_vector(np.zeros(space.dimensions + 1))

    def test_neighbours_are_legal_unique_and_go_both_ways(
        self, space: DesignSpace, generator: np.random.Generator
    ) -> None:
        choices = space.sample(generator)
        found = list(itertools.islice(space.neighbours(choices), 5_000))
        texts = [canonical_json(other) for other in found]
        assert found
        assert canonical_json(choices) not in texts
        assert len(set(texts)) == len(texts)
        assert not any(space.violations(other) for other in found)
        for index in generator.permutation(len(found))[:10]:
            if self.reversible(space, choices, found[index]):
                assert choices in space.neighbours(found[index])

    def test_descriptions_tell_designs_apart(self, space: DesignSpace, generator: np.random.Generator) -> None:
        designs = [space.sample(generator) for _ in range(SAMPLES // 5)]
        vectors = np.stack([space.to_vector(choices) for choices in designs])
        rows = space.describe_vectors(vectors)
        assert rows.shape == (len(designs), len(space.entries))
        assert len({entry.name for entry in space.entries}) == len(space.entries)
        low, high = (np.array([getattr(entry, side) for entry in space.entries]) for side in ("low", "high"))
        assert (np.isnan(rows) | ((rows >= low) & (rows <= high))).all()
        np.testing.assert_array_equal(rows, [space.describe(choices) for choices in designs])
        different = {canonical_json(choices) for choices in designs}
        assert len({row.tobytes() for row in rows}) == len(different)

    def test_vectors_are_drawn_and_have_the_neighbours_of_their_designs(
        self, space: DesignSpace, generator: np.random.Generator
    ) -> None:
        drawn = space.sample_vectors(generator, 20)
        assert drawn.shape == (20, space.dimensions)
        for vector in drawn:
            np.testing.assert_array_equal(space.to_vector(space.from_vector(vector)), vector)
        near = {vector.tobytes() for vector in space.near(drawn[0])}
        expected = {space.to_vector(choices).tobytes() for choices in space.neighbours(space.from_vector(drawn[0]))}
        assert near == expected

    def test_mutants_are_legal_and_new(self, space: DesignSpace, generator: np.random.Generator) -> None:
        for _ in range(100):
            choices = space.sample(generator)
            mutant = space.mutate(choices, generator)
            assert mutant != choices
            assert space.violations(mutant) == []
            assert space.normalise(mutant) == mutant

    def test_mutants_are_neighbours(self, space: DesignSpace, generator: np.random.Generator) -> None:
        choices = space.sample(generator)
        neighbours = {canonical_json(other) for other in space.neighbours(choices)}
        assert {canonical_json(space.mutate(choices, generator)) for _ in range(20)} <= neighbours

    def test_children_are_legal(self, space: DesignSpace, generator: np.random.Generator) -> None:
        for _ in range(100):
            child = space.crossover(space.sample(generator), space.sample(generator), generator)
            assert space.violations(child) == []
            assert space.normalise(child) == child

    def test_a_design_crossed_with_itself_stays(self, space: DesignSpace, generator: np.random.Generator) -> None:
        choices = space.sample(generator)
        assert space.crossover(choices, choices, generator) == choices

    def test_moves_repeat_with_a_seed(self, space: DesignSpace, legal: Choices) -> None:
        other = space.sample(np.random.default_rng(11))
        for move in (space.mutate, lambda c, g: space.crossover(c, other, g)):
            assert move(legal, np.random.default_rng(5)) == move(legal, np.random.default_rng(5))


class OpenSpaceContract(BuildContract):
    """What spaces of any size must hold: they build, and refuse clearly whatever needs an end."""

    def test_what_needs_an_end_is_refused(self, space: DesignSpace, legal: Choices) -> None:
        generator = np.random.default_rng(0)
        for attempt in (
            lambda: space.size,
            lambda: space.bounds,
            lambda: space.dimensions,
            lambda: space.sample(generator),
            lambda: space.to_vector(legal),
            lambda: space.from_vector(np.zeros(1)),
            lambda: space.neighbours(legal),
            lambda: space.mutate(legal, generator),
            lambda: space.crossover(legal, legal, generator),
        ):
            with pytest.raises(InputError, match=f"{space.name} takes designs of any size"):
                attempt()
