"""The bounds enclose the exact distance, and are close to it."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import registry
from explorer.distance.bounds import LowerBounds, upper_bound, upper_bounds
from explorer.distance.exact import edit_distance
from explorer.distance.graph import EDGE_COST, PlacedGraph
from explorer.domains.transformer.edit_costs import EditCosts
from explorer.domains.transformer.spaces.flexibert1 import PUBLISHED

COSTS = EditCosts.of(PUBLISHED)


def models(count: int, seed: int) -> list[PlacedGraph]:
    space, generator = registry.space("flexibert"), np.random.default_rng(seed)
    return [PlacedGraph.of(space.build(space.sample(generator)), COSTS.place) for _ in range(count)]


def graph(places: list[float], edges: list[tuple[int, int]]) -> PlacedGraph:
    ends = np.array(edges, dtype=np.intp).reshape(-1, 2)
    return PlacedGraph(np.array(places, dtype=np.float64), ends[:, 0], ends[:, 1])


def lower_bound(first: PlacedGraph, second: PlacedGraph) -> float:
    return float(LowerBounds([first, second]).between(np.array(0), np.array(1)))


@st.composite
def small_graphs(draw: st.DrawFn) -> PlacedGraph:
    size = draw(st.integers(0, 5))
    places = draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))
    possible = [(i, j) for i in range(size) for j in range(size) if i != j]
    edges = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    return graph([float(place) for place in places], edges)


def of_networkx(first: PlacedGraph, second: PlacedGraph) -> nx.DiGraph:
    def converted(given: PlacedGraph) -> nx.DiGraph:
        made = nx.DiGraph()
        made.add_nodes_from((i, {"place": place}) for i, place in enumerate(given.places))
        made.add_edges_from(zip(given.sources.tolist(), given.targets.tolist(), strict=True))
        return made

    return nx.optimize_graph_edit_distance(
        converted(first),
        converted(second),
        node_subst_cost=lambda a, b: abs(a["place"] - b["place"]),
        node_del_cost=lambda a: a["place"],
        node_ins_cost=lambda a: a["place"],
        edge_del_cost=lambda e: EDGE_COST,
        edge_ins_cost=lambda e: EDGE_COST,
    )


@given(small_graphs(), small_graphs())
def test_bounds_enclose_what_networkx_finds_by_looking_everywhere(first: PlacedGraph, second: PlacedGraph) -> None:
    *_, exact = of_networkx(first, second)
    assert lower_bound(first, second) <= exact + 1e-9
    assert upper_bound(first, second) >= exact - 1e-9
    ours = edit_distance(first, second)
    assert ours.exact
    assert ours.upper == pytest.approx(exact)


@given(small_graphs(), small_graphs())
def test_bounds_are_symmetric_and_zero_for_the_same_graph(first: PlacedGraph, second: PlacedGraph) -> None:
    assert upper_bound(first, second) == upper_bound(second, first)
    assert lower_bound(first, second) == lower_bound(second, first)
    assert upper_bound(first, first) == lower_bound(first, first) == 0.0


def test_the_upper_bound_is_better_than_the_first_approximation_of_networkx() -> None:
    drawn = models(40, seed=1)
    pairs = [(2 * i, 2 * i + 1) for i in range(20)]
    ours = upper_bounds(drawn, pairs)
    theirs = [next(of_networkx(drawn[first], drawn[second])) for first, second in pairs]
    assert ours.mean() < np.mean(theirs)


def test_the_bounds_of_published_models_are_close_to_exact() -> None:
    drawn = models(8, seed=2)
    pairs = [(2 * i, 2 * i + 1) for i in range(4)]
    exact = np.array([edit_distance(drawn[first], drawn[second]).upper for first, second in pairs])
    upper = upper_bounds(drawn, pairs)
    lower = LowerBounds(drawn).between(*np.array(pairs).T)
    assert np.all(lower <= exact + 1e-6)
    assert np.all(exact <= upper + 1e-6)
    assert np.mean(upper / exact) < 1.05
    assert np.mean(lower / exact) > 0.90


def test_one_edit_costs_what_was_specified() -> None:
    chain = graph([0, 4, 1], [(0, 1), (1, 2)])
    assert upper_bound(chain, graph([0, 5, 1], [(0, 1), (1, 2)])) == pytest.approx(1.0)
    assert upper_bound(chain, graph([0, 4, 1], [(0, 1)])) == pytest.approx(0.1)
    longer = graph([0, 4, 7, 1], [(0, 1), (1, 2), (2, 3)])  # the last becomes 7, and a new one follows it
    assert upper_bound(chain, longer) == pytest.approx(6.0 + 1.0 + 0.1)


def test_depths_follow_the_longest_path_and_end_on_cycles() -> None:
    assert graph([0, 2, 2, 1], [(0, 1), (1, 2), (2, 3), (0, 3)]).depths.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert len(graph([1, 1], [(0, 1), (1, 0)]).depths) == 2
