"""Edit distances of FlexiBERT models: how near the bounds are to exact values and to networkx, and how long each takes.

python scripts/bench_similarity.py [--pairs 100] [--exact 50] [--seed 0]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from explorer import registry
from explorer.distance.bounds import lower_bounds, upper_bounds
from explorer.distance.exact import edit_distance
from explorer.distance.graph import EDGE_COST, PlacedGraph
from explorer.domains.transformer.edit_costs import EditCosts
from explorer.domains.transformer.flexibert1 import PUBLISHED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100, help="pairs of models of the space `flexibert`")
    parser.add_argument("--exact", type=int, default=50, help="of them solved exactly")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    given = parser.parse_args()
    space, generator, place = (
        registry.space("flexibert"),
        np.random.default_rng(given.seed),
        EditCosts.of(PUBLISHED).place,
    )
    graphs = [PlacedGraph.of(space.build(space.sample(generator)), place) for _ in range(2 * given.pairs)]
    pairs = [(2 * i, 2 * i + 1) for i in range(given.pairs)]
    first, second = np.array(pairs).T

    lower_s, lower = timed(lambda: lower_bounds(graphs, first, second))
    upper_s, upper = timed(lambda: upper_bounds(graphs, pairs))
    networkx_s, networkx = timed(lambda: np.array([first_approximation(graphs[i], graphs[j]) for i, j in pairs]))
    few = pairs[: given.exact]
    exact_s, exact = timed(lambda: [edit_distance(graphs[i], graphs[j]) for i, j in few])
    distance = np.array([found.upper for found in exact])
    print(
        f"{given.pairs} pairs of the space flexibert, {len(few)} solved exactly ({sum(e.exact for e in exact)} proven)"
    )
    print(f"{'':34}{'ms a pair':>10}{'mean':>8}{'mean of the solved':>20}{'ratio to exact':>16}{'correlation':>13}")
    for name, seconds, values, count in (
        ("lower bound", lower_s, lower, given.pairs),
        ("upper bound", upper_s, upper, given.pairs),
        ("networkx, first approximation", networkx_s, networkx, given.pairs),
        ("exact", exact_s, distance, len(few)),
    ):
        solved = values[: len(few)]
        ratio, correlation = np.mean(solved / distance), np.corrcoef(solved, distance)[0, 1]
        everything = f"{values.mean():8.2f}" if len(values) == given.pairs else " " * 8
        print(
            f"{name:34}{1e3 * seconds / count:10.4f}{everything}{solved.mean():20.2f}{ratio:16.4f}{correlation:13.5f}"
        )


def first_approximation(first: PlacedGraph, second: PlacedGraph) -> float:
    """The first value of networkx's optimiser, which FlexiBERT takes."""

    def converted(graph: PlacedGraph) -> nx.DiGraph:
        made = nx.DiGraph()
        made.add_nodes_from((i, {"place": place}) for i, place in enumerate(graph.places))
        made.add_edges_from(zip(graph.sources.tolist(), graph.targets.tolist(), strict=True))
        return made

    found: float = next(
        nx.optimize_graph_edit_distance(
            converted(first),
            converted(second),
            node_subst_cost=lambda a, b: abs(a["place"] - b["place"]),
            node_del_cost=lambda a: a["place"],
            node_ins_cost=lambda a: a["place"],
            edge_del_cost=lambda e: EDGE_COST,
            edge_ins_cost=lambda e: EDGE_COST,
        )
    )
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long it took, in seconds, and what came of it."""
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


if __name__ == "__main__":
    main()
