"""Pairs of a table and a space: every one that comes out fits."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.optimiser import Inputs
from explorer.domains.accelerator.acceltran.engines.fit import fits
from explorer.recipes.transcode.candidates import PairCandidates
from graphdb.errors import InputError
from tests.explorer.recipes.transcode.costs import PUBLISHED_COSTS

SETTINGS = registry.simulator("acceltran").settings(PUBLISHED_COSTS)


@pytest.fixture(scope="module")
def candidates() -> PairCandidates:
    generator = np.random.default_rng(5)
    space = registry.space("flexibert_early")
    models = list({m.key: m for m in (space.build(space.sample(generator)) for _ in range(60))}.values())
    return PairCandidates(
        models,
        generator.normal(size=(len(models), 8)),
        registry.space("elector"),
        lambda model, accelerator: fits(model, accelerator, SETTINGS),
    )


def simulates(candidates: PairCandidates, design: Inputs) -> bool:
    try:
        registry.simulator("acceltran").run(candidates.architectures_of(design), PUBLISHED_COSTS)
    except InputError:
        return False
    return True


def test_samples_can_all_be_simulated_and_repeat_by_seed(candidates: PairCandidates) -> None:
    drawn = candidates.sample(np.random.default_rng(1), 100)
    again = candidates.sample(np.random.default_rng(1), 100)
    assert len(drawn) == 100
    assert all(simulates(candidates, design) for design in drawn)
    assert [candidates.key(design) for design in drawn] == [candidates.key(design) for design in again]


def test_some_pairs_of_the_product_do_not_fit(candidates: PairCandidates) -> None:
    """Else the tests here would show nothing."""
    accelerator = registry.space("elector").from_vector(registry.space("elector").bounds[0])
    assert not all(fits(model.choices, accelerator, SETTINGS) for model in candidates.models)


def test_any_point_snaps_to_a_pair_that_can_be_simulated(candidates: PairCandidates) -> None:
    generator = np.random.default_rng(2)
    points = [tuple(generator.uniform(low - 1, high + 1) for low, high in candidates.bounds()) for _ in range(60)]
    snapped = candidates.snap(points)
    assert len(snapped) == len(points)
    assert all(simulates(candidates, design) for design in snapped)


def test_a_legal_pair_snaps_to_itself(candidates: PairCandidates) -> None:
    for design in candidates.sample(np.random.default_rng(3), 20):
        assert candidates.key(candidates.snap([design])[0]) == candidates.key(design)


def test_neighbours_fit_and_differ_in_one_role(candidates: PairCandidates) -> None:
    design = candidates.sample(np.random.default_rng(4), 1)[0]
    near = candidates.neighbours(design)
    keys = [candidates.key(other) for other in near]
    assert len(set(keys)) == len(keys)
    assert candidates.key(design) not in keys
    assert all(simulates(candidates, other) for other in near)
    same_model = [other for other in near if np.array_equal(other[0], design[0])]
    same_accelerator = [other for other in near if np.array_equal(other[1], design[1])]
    assert len(same_model) + len(same_accelerator) == len(near)
    assert same_model
    assert same_accelerator


def test_a_pair_survives_the_way_through_its_architectures(candidates: PairCandidates) -> None:
    for design in candidates.sample(np.random.default_rng(6), 20):
        assert candidates.key(candidates.design_of(candidates.architectures_of(design))) == candidates.key(design)
