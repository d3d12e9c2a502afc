"""Pairs of a table and a space: every one that comes out fits."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.optimiser import Inputs
from explorer.domains.accelerator.acceltran.engines.fit import fits, needed_mib
from explorer.recipes.transcode.areas import Areas
from explorer.recipes.transcode.candidates import Fixed, PairCandidates
from explorer.recipes.transcode.models import TableModels
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from tests.explorer.recipes.transcode.costs import COSTS, PUBLISHED_COSTS

SETTINGS = registry.simulator("acceltran").settings(PUBLISHED_COSTS)


@pytest.fixture(scope="module")
def candidates() -> PairCandidates:
    generator = np.random.default_rng(5)
    space = registry.space("flexibert_early")
    models = list({m.key: m for m in (space.build(space.sample(generator)) for _ in range(60))}.values())
    accelerators = registry.space("elector")
    assert isinstance(accelerators, OptionSpace)
    return PairCandidates(
        TableModels(models, generator.normal(size=(len(models), 8)), generator.random(len(models)), space),
        accelerators,
        lambda first_hidden: needed_mib(first_hidden, SETTINGS),
        Areas(accelerators, SETTINGS),
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
    assert isinstance(candidates.models, TableModels)
    assert not all(fits(model.choices, accelerator, SETTINGS) for model in candidates.models.architectures)


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


def test_area_is_known_to_be_what_the_simulator_reports(candidates: PairCandidates) -> None:
    designs = candidates.sample(np.random.default_rng(7), 30)
    for settings in (SETTINGS, registry.simulator("acceltran").settings(COSTS)):
        accelerators = candidates.accelerators
        known = Areas(accelerators, settings)(np.array([design[1] for design in designs]))
        simulated = [
            registry.simulator("acceltran").run(candidates.architectures_of(design), settings).measures["area_mm2"]
            for design in designs
        ]
        np.testing.assert_allclose(known, simulated, rtol=1e-12)


def test_pairs_are_described_by_the_decisions_of_both(candidates: PairCandidates) -> None:
    designs = candidates.sample(np.random.default_rng(8), 20)
    rows = candidates.describe(designs)
    assert rows.shape == (20, len(candidates.entries))
    space = registry.space("flexibert_early")
    for design, row in zip(designs, rows, strict=True):
        pair = candidates.architectures_of(design)
        expected = [
            *space.describe(pair["model"].choices),
            *candidates.accelerators.describe(pair["accelerator"].choices),
        ]
        np.testing.assert_array_equal(row, expected)
    assert candidates.describe([]).shape == (0, len(candidates.entries))
    assert len(candidates.known([])["accuracy"]) == 0


def test_children_fit_and_take_every_decision_from_a_parent(candidates: PairCandidates) -> None:
    generator = np.random.default_rng(9)
    first, second = candidates.sample(generator, 2)
    for _ in range(10):
        child = candidates.crossover(first, second, generator)
        if child is not None:
            assert simulates(candidates, child)
            assert ((child[1] == first[1]) | (child[1] == second[1])).all()


def held(candidates: PairCandidates, role: str, architecture: Architecture) -> PairCandidates:
    """The same candidates with one role held fixed."""
    space = candidates.accelerators
    if role == "model":
        fixed = Fixed(architecture, candidates.models.vector(architecture))
    elif space.violations(architecture.choices):
        fixed = Fixed(architecture, np.zeros(space.dimensions), inside=False)
    else:
        fixed = Fixed(architecture, space.to_vector(architecture.choices))
    areas = Areas(space, SETTINGS)
    return PairCandidates(candidates.models, space, lambda width: needed_mib(width, SETTINGS), areas, {role: fixed})


@pytest.mark.parametrize("role", ["model", "accelerator"])
def test_a_fixed_role_stays_and_the_other_is_searched(candidates: PairCandidates, role: str) -> None:
    generator = np.random.default_rng(10)
    (design,) = candidates.sample(generator, 1)
    architecture = candidates.architectures_of(design)[role]
    half = held(candidates, role, architecture)
    drawn = half.sample(generator, 30)
    low, high = half.bounds()[role == "accelerator"]
    assert (low == high).all()
    around = half.neighbours(drawn[0])
    point = tuple(generator.uniform(low - 1, high + 1) for low, high in candidates.bounds())
    child = half.crossover(drawn[0], drawn[1], generator)
    for other in [*drawn, *around, *half.snap([point]), *([child] if child else [])]:
        assert half.architectures_of(other)[role].key == architecture.key
        assert half.key(half.design_of(half.architectures_of(other))) == half.key(other)
    assert len({half.key(other) for other in drawn}) > 10
    assert (half.library() is None) == (role == "model")
    with pytest.raises(KeyError):
        half.design_of({**candidates.architectures_of(design), role: registry.preset("bert-tiny")})


def test_an_accelerator_of_any_size_can_be_held_fixed(candidates: PairCandidates) -> None:
    edge = registry.preset("edge")
    half = held(candidates, "accelerator", edge)
    designs = half.sample(np.random.default_rng(1), 5)
    assert all(half.architectures_of(design)["accelerator"] is edge for design in designs)
    assert np.isnan(half.describe(designs)[:, -half.accelerators.dimensions :]).all()
    assert "area_mm2" not in half.known(designs)
    library = half.library()
    assert library is not None and len(library) == len(set(map(half.key, library)))
