"""Candidates out of a design space: as vectors and as graphs, for searches of either kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer.contracts.description import Nature
from explorer.contracts.optimiser import Candidates, Optimiser, Outcome
from explorer.contracts.space import DesignSpace
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.search.baselines import RandomSearch, RegularisedEvolution
from explorer.search.boshcode import Boshcode, BoshcodeSettings
from explorer.search.gobi import GobiSettings
from explorer.search.space_candidates import GraphCandidates, SpaceCandidates
from explorer.search.surrogate import EnsembleSettings
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture, Block
from graphdb.errors import InputError

QUICK = BoshcodeSettings(initial=4, pool=40, surrogate=EnsembleSettings(epochs=5), gobi=GobiSettings(iterations=5))


@pytest.fixture(scope="module")
def space() -> DesignSpace:
    return ElectorSpace()


def test_vectors_and_architectures_stand_for_one_another(space: DesignSpace) -> None:
    candidates = SpaceCandidates(space)
    for design in candidates.sample(np.random.default_rng(0), 20):
        architecture = candidates.architecture(design)
        assert architecture.space == space.name
        assert candidates.key(candidates.design(architecture)) == candidates.key(design)
        assert candidates.key(candidates.snap([design])[0]) == candidates.key(design)
    low, high = candidates.bounds()[0]
    assert ((low <= high) & (low >= space.bounds[0])).all()


def test_neighbours_are_legal_close_and_no_more_than_asked_for(space: DesignSpace) -> None:
    graphs, vectors = GraphCandidates(space, 7), SpaceCandidates(space, 7)
    (graph,) = graphs.sample(np.random.default_rng(1), 1)
    near = graphs.neighbours(graph)
    assert 0 < len(near) <= 7
    assert len({graphs.key(one) for one in [graph, *near]}) == len(near) + 1
    assert all(space.violations(one.choices) == [] for one in near)
    assert [vectors.architecture(one).key for one in vectors.neighbours(vectors.design(graph))] == [
        one.key for one in near
    ]
    many = [*space.neighbours(graph.choices)]
    assert len(GraphCandidates(space, 10**6).neighbours(graph)) == len(many)


@pytest.mark.parametrize("kind", [RandomSearch, lambda c, seed: RegularisedEvolution(c, seed, 6, 3)])
@pytest.mark.parametrize("objectives", [1, 3])
def test_graphs_are_searched(
    space: DesignSpace, kind: Callable[[Candidates[Architecture], int], Optimiser[Architecture]], objectives: int
) -> None:
    def trial(seed: int) -> list[str]:
        search = kind(GraphCandidates(space, 30), seed)
        for _ in range(5):
            for proposal in search.ask(4):
                score = sum(float(v) for v in proposal.design.choices.values() if isinstance(v, int))
                search.tell(proposal.design, Outcome((score,) * objectives))
        return [observation.design.key for observation in search.observations]

    keys = trial(0)
    assert len(set(keys)) == len(keys) == 20
    assert trial(0) == keys and trial(1) != keys


def test_a_search_by_gradients_refuses_graphs(space: DesignSpace) -> None:
    with pytest.raises(InputError, match="was given GraphCandidates; allowed: vector candidates"):
        Boshcode(GraphCandidates(space), 0)  # type: ignore[arg-type]


def test_a_search_by_gradients_needs_no_candidates_but_the_space(space: DesignSpace) -> None:
    search = Boshcode(SpaceCandidates(space, 20), 0, QUICK)
    origins: list[Any] = []
    for _ in range(3):
        for proposal in search.ask(4):
            search.tell(proposal.design, Outcome((-float(proposal.design[0].sum()),)))
            origins.append(proposal.origin)
    assert "optimise" in origins


class Letters(OptionSpace):
    name, domain = "letters", "texts"

    def graph_of(self, choices: dict[str, Any]) -> Architecture:
        return Architecture.of(self.domain, self.name, choices, [Block("letter", choices)], [])


def test_a_small_space_is_a_library_and_a_large_one_is_none(space: DesignSpace) -> None:
    letters = Letters({"case": ("lower", "upper"), "size": (1, 2, 4)})
    vectors, graphs = SpaceCandidates(letters), GraphCandidates(letters)
    library, built = vectors.library(), graphs.library()
    assert library is not None and built is not None
    assert [vectors.architecture(one).key for one in library] == [one.key for one in built]
    assert len(library) == letters.size
    np.testing.assert_array_equal(vectors.describe(library), graphs.describe(built))
    assert [entry.nature for entry in vectors.entries] == [Nature.CATEGORICAL, Nature.ORDERED]
    assert SpaceCandidates(space).library() is None and GraphCandidates(space).library() is None


def test_children_have_decisions_of_both_parents(space: DesignSpace) -> None:
    candidates = SpaceCandidates(space)
    generator = np.random.default_rng(4)
    first, second = candidates.sample(generator, 2)
    child = candidates.crossover(first, second, generator)
    assert ((child[0] == first[0]) | (child[0] == second[0])).all()
    assert candidates.key(child) not in (candidates.key(first), candidates.key(second))
