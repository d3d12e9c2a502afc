"""The tables of the levels: whole or sampled, legal, between the best of the level before, the same for a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer import registry
from explorer.contracts.optimiser import Inputs, Observation, Outcome
from explorer.domains.transformer.hierarchy import LEVELS
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.domains.transformer.transfer import overlap
from explorer.recipes.flexibert.levels import DIMENSIONS, Levels, NearCandidates
from explorer.recipes.flexibert.options import MOST_LEVELS
from explorer.search.baselines import RandomSearch
from explorer.search.staged import StagedSearch
from graphdb.architecture import Architecture

SEED = 4


def space(name: str = "flexibert") -> LayeredSpace:
    layered = registry.space(name)
    assert isinstance(layered, LayeredSpace)
    return layered


def levels(name: str = "flexibert", most: int = 400, seed: int = SEED) -> Levels:
    """With a projection of the vector forms in place of the encoder, which needs training."""
    chosen = space(name)
    mixing = np.random.default_rng(0).standard_normal((chosen.dimensions, 24))

    def encode(models: Sequence[Architecture]) -> NDArray[np.float32]:
        if not models:
            return np.zeros((0, 24), np.float32)
        return np.asarray(np.stack([chosen.to_vector(one.choices) for one in models]) @ mixing, dtype=np.float32)

    return Levels(chosen, chosen.options, LEVELS, encode, trials=8, most=most, seed=seed)


def searched(tables: Levels, trials: int) -> StagedSearch[Inputs]:
    """A search of three levels that likes wide feed-forwards."""
    search = StagedSearch(3, tables.stage, RandomSearch, SEED)
    while len(search.observations) < trials:
        for proposal in search.ask(4):
            search.tell(proposal.design, Outcome((worth(tables, proposal.design[0]),)))
    return search


def worth(tables: Levels, vector: NDArray[np.float64]) -> float:
    return float(sum(map(sum, tables.architecture_of((vector,)).choices["f"])))


def models(tables: Levels, candidates: object) -> list[Architecture]:
    assert isinstance(candidates, NearCandidates)
    return [tables.architecture_of(candidates.at(row)) for row in range(candidates.size)]


def test_the_first_level_is_whole_where_it_is_small_enough() -> None:
    tables = levels(most=10_000)
    stage = tables.stage(0, ())
    assert isinstance(stage.candidates, NearCandidates)
    assert (stage.candidates.size, stage.trials) == (9312, 8)
    assert all(len(low) == DIMENSIONS for low, _ in stage.candidates.bounds())
    sampled = levels(most=300)
    assert len(models(sampled, sampled.stage(0, ()).candidates)) == 300


@pytest.mark.parametrize("name", ["flexibert", "flexibert_large", "flexibert2"])
def test_every_model_of_every_level_is_legal_and_has_the_structure_of_its_level(name: str) -> None:
    for number, trials in ((0, 1), (1, 9), (2, 17)):
        tables = levels(name)
        search = searched(tables, trials)
        assert search.stage == number
        drawn = models(tables, search.candidates)
        assert len({one.key for one in drawn}) == len(drawn) >= 200
        for one in drawn:
            assert space(name).violations(one.choices) == []
            layers = layers_of(one.choices)
            assert number > 0 or layers[::2] == layers[1::2]
            assert number > 1 or all(len(set(layer.feed_forward)) == 1 for layer in layers)
    mixed = [layer for one in drawn for layer in layers_of(one.choices) if len(set(layer.feed_forward)) > 1]
    assert mixed


def test_as_many_levels_can_be_asked_for_as_there_are() -> None:
    assert len(LEVELS) == MOST_LEVELS


def test_models_lie_between_their_parents() -> None:
    tables = levels()
    search = searched(tables, 9)
    finer = [one for one in models(tables, search.candidates) if tables.parents_of(one)]
    assert len(finer) > 300
    for one in finer:
        first, second = tables.parents_of(one)
        assert one.key not in {first.key, second.key}
        assert one.choices["l"] in {first.choices["l"], second.choices["l"]}
        parents = (first, second)
        assert set(one.choices["h"]) <= {width for parent in parents for width in parent.choices["h"]}
        assert {len(o) for o in one.choices["o"]} <= {len(o) for parent in parents for o in parent.choices["o"]}
        assert 0 < overlap(first.choices, one.choices, "ordered") <= 1


def test_what_was_told_stays_among_the_candidates() -> None:
    tables = levels()
    search = searched(tables, 20)
    keys = {one.key for one in models(tables, search.candidates)}
    assert {tables.architecture_of(one.design).key for one in search.observations} <= keys
    assert all(tables.design_of(tables.architecture_of(one.design))[0] is not None for one in search.observations)


def test_the_same_seed_draws_the_same_tables_and_another_one_does_not() -> None:
    def keys(seed: int) -> list[str]:
        tables = levels(seed=seed)
        return [one.key for one in models(tables, searched(tables, 20).candidates)]

    assert keys(1) == keys(1)
    assert keys(1) != keys(2)


def test_the_best_are_parents() -> None:
    tables = levels()
    search = searched(tables, 8)
    ranked = sorted(search.observations[:8], key=lambda one: one.rank, reverse=True)
    best = {tables.architecture_of(one.design).key for one in ranked[:5]}
    parents = [tables.parents_of(one) for one in models(tables, search.candidates)]
    assert all(best & {one.key for one in pair} for pair in parents if pair)
    among = {frozenset(one.key for one in pair) for pair in parents if pair} & {
        frozenset({a, b}) for a in best for b in best
    }
    assert len(among) >= 8  # of ten pairs among the best; in one or the other there may be nothing new


def test_where_the_best_are_all_alike_there_is_still_something_to_choose_from() -> None:
    """Only the shallowest and narrowest models are told, which differ in one place: little lies between them."""
    tables = levels(most=10_000)
    stage = tables.stage(0, ())
    narrow = [
        one for one in models(tables, stage.candidates) if set(one.choices["h"]) == {128} and one.choices["l"] == 2
    ]
    alike = [one for one in narrow if len(one.choices["o"][0]) == 2 and one.choices["f"][0] == [512]][:2]
    told = [Observation(tables.design_of(one), one.key, Outcome((1.0,))) for one in alike]
    finer = models(tables, tables.stage(1, told).candidates)
    assert len(finer) >= 5 * 8
    assert all(space().violations(one.choices) == [] for one in finer)


def test_near_models_are_neighbours() -> None:
    tables = levels()
    candidates = tables.stage(0, ()).candidates
    design = candidates.sample(np.random.default_rng(0), 1)[0]
    near = candidates.neighbours(design)
    assert len(near) == 8
    distances = [float(np.linalg.norm(one[0] - design[0])) for one in near]
    assert distances == sorted(distances) and distances[0] > 0


def test_fewer_types_of_heads_give_a_smaller_level() -> None:
    options = replace(space().options, head_kinds=("sa_sdp", "sa_wma"))
    drawn = Levels(
        space(), options, LEVELS, lambda some: np.eye(len(some), 24, dtype=np.float32), trials=8, most=5000, seed=0
    )
    stage = drawn.stage(0, ())
    assert isinstance(stage.candidates, NearCandidates)
    assert stage.candidates.size == 32 + 32**2
