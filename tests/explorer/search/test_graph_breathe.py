"""G-BREATHE: the contract, legality and uniqueness on graphs of varying size, and forced legality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Outcome
from explorer.search.candidates import TableCandidates
from explorer.search.graph_breathe import GraphBreathe, GraphBreatheSettings
from explorer.search.graph_breathe_query import QuerySettings
from explorer.search.making import make
from explorer.search.options import OptimiserName
from explorer.search.space_candidates import GraphCandidates, SpaceCandidates
from gnn.relaxed import RelaxedGraph
from gnn.relaxed_network import RelaxedSettings
from graphdb.architecture import Architecture, Block, Edge
from graphdb.errors import InputError
from scripts.searching.cells import Cells, Scorer
from tests.explorer.contracts.optimiser import OptimiserContract

SMALL = RelaxedSettings(members=2, hidden=8, heads=2, rounds=2, steps=10)
QUERY = QuerySettings(children=8, pool=8, climbs=2, rounds=1)
BRIEF = GraphBreatheSettings(initial=6, surrogate=SMALL, query=replace(QUERY, gobi=replace(QUERY.gobi, iterations=3)))


class TestGraphBreathe(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return GraphBreathe(candidates, seed, BRIEF)


def searched(search: GraphBreathe[Architecture], trials: int, batch: int) -> list[tuple[Architecture, str]]:
    """Designs with their origins, in order."""
    score, asked = Scorer(1), []
    while len(asked) < trials:
        for proposal in search.ask(batch):
            search.tell(proposal.design, Outcome((score(proposal.design),)))
            asked.append((proposal.design, proposal.origin))
    return asked


def test_proposals_on_cells_are_legal_and_of_distinct_graphs() -> None:
    cells = Cells()
    search = GraphBreathe(GraphCandidates(cells), 0, BRIEF)
    for design in search.candidates.sample(np.random.default_rng(3), 20):
        search.tell(design, Outcome((Scorer(1)(design),)))
    told = {one.design.fingerprint for one in search.observations}
    asked = [one.design for one in search.ask(200)]
    assert len(asked) == 200
    assert all(cells.violations(design.choices) == [] for design in asked)
    assert all(cells.build(design.choices).key == design.key for design in asked)
    assert len({design.key for design in asked}) == 200
    chosen = [one.design.fingerprint for one in search.ask(40)]
    assert len(set(chosen)) == 40 and not told & set(chosen)


def test_a_search_repeats_and_goes_on_after_a_resume() -> None:
    whole = searched(GraphBreathe(GraphCandidates(Cells()), 4, BRIEF), 15, 3)
    resumed = GraphBreathe(GraphCandidates(Cells()), 4, BRIEF)
    for design, _ in whole[:9]:
        resumed.tell(design, Outcome((Scorer(1)(design),)))
    rest = searched(resumed, 6, 3)
    assert [(design.key, origin) for design, origin in rest] == [(design.key, how) for design, how in whole[9:]]


def test_walks_are_forced_to_legal_designs_that_are_no_worse() -> None:
    settings = replace(BRIEF, query=replace(QUERY, climbs=8, rounds=3, local=False))
    search = GraphBreathe(GraphCandidates(Cells()), 1, replace(settings, surrogate=replace(SMALL, steps=40)))
    for design in search.candidates.sample(np.random.default_rng(3), 30):
        search.tell(design, Outcome((Scorer(1)(design),)))
    search.ask(4)
    assert search.forced and all(step > 0 for step in search.forced.values())


def test_vectors_of_a_space_are_searched_by_their_graphs() -> None:
    search = make(OptimiserName.G_BREATHE, {"initial": 4, "gradients": False}, SpaceCandidates(Cells()), 0)
    assert isinstance(search, GraphBreathe) and search.settings.query.climbs == 0
    for proposal in search.ask(4):
        search.tell(proposal.design, Outcome((0.5,)))
        assert search.graph_of(proposal.design).space == Cells.name
    assert search.targets().tolist() == [[0.0]] * 4


class Chains(Candidates[Architecture]):
    """Free designs, which make themselves of what is relaxed: chains of up to 8 blocks of two kinds."""

    def sample(self, generator: np.random.Generator, count: int) -> list[Architecture]:
        return [self.chain(["a" if bit else "b" for bit in generator.integers(2, size=7)]) for _ in range(count)]

    def key(self, design: Architecture) -> str:
        return design.key

    def chain(self, kinds: list[str]) -> Architecture:
        edges = [Edge(place, place + 1) for place in range(len(kinds) - 1)]
        return Architecture.of("chains", "chains", {"kinds": kinds}, [Block(kind) for kind in kinds], edges)

    def discretise(self, relaxed: RelaxedGraph) -> Architecture | None:
        kinds = [kind for kind in relaxed.discrete[0] if kind in "ab"]
        return self.chain(kinds) if 1 <= len(kinds) <= 8 else None


def test_candidates_may_make_designs_of_relaxed_graphs_themselves() -> None:
    """There are no neighbours and no crossover here: what is not sampled comes from walks alone."""
    query = QuerySettings(children=4, pool=4, climbs=4)
    search = GraphBreathe(Chains(), 0, replace(BRIEF, surrogate=replace(SMALL, steps=60), query=query))
    for _ in range(4):
        for proposal in search.ask(4):
            kinds = [block.kind for block in proposal.design.blocks]
            search.tell(proposal.design, Outcome((kinds.count("a") / 8,)))
    assert search.forced


def test_broken_designs_do_not_hide_differences_between_good_ones() -> None:
    search = GraphBreathe(GraphCandidates(Cells()), 0, BRIEF)
    designs = search.candidates.sample(np.random.default_rng(0), 8)
    for design, value in zip(designs, (0.94, 0.93, 0.92, 0.91, 0.9, 0.89, 0.1, np.nan), strict=True):
        search.tell(design, Outcome((value,)))
    targets = search.targets()[:, 0]
    assert (np.diff(targets) >= 0).all()
    assert targets[5] - targets[0] > 1.2


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match="add up"):
        GraphBreatheSettings(uncertainty=0.7, diversity=0.7)
    with pytest.raises(InputError, match="initial"):
        GraphBreatheSettings(initial=0)
    with pytest.raises(InputError, match="heads"):
        RelaxedSettings(hidden=10, heads=4)
    with pytest.raises(InputError, match="none of these"):
        GraphBreathe(Numbers(), 0).form  # noqa: B018


class Numbers(Candidates[int]):
    def sample(self, generator: np.random.Generator, count: int) -> list[int]:
        return generator.integers(10, size=count).tolist()

    def key(self, design: int) -> int:
        return design
