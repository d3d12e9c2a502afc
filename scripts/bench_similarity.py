"""Edit distances of FlexiBERT models: bounds, exact values and networkx; encoder and index.

python scripts/bench_similarity.py [--pairs 100] [--exact 50] [--seed 0] [--no-bounds]
    [--encoder] [--table] [--stored 10000 100000] [--published]

--table fits Transformer2vec tables; --encoder trains the encoder of distances and compares it with upper bounds of held
out models; --stored (with --encoder) writes so many models into an embedded Neo4j of its own and asks for neighbours;
--published does that with the published models, and says which share of the ten nearest each way finds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from scipy.stats import spearmanr

from explorer import registry
from explorer.distance.bounds import LowerBounds, upper_bound, upper_bounds
from explorer.distance.exact import edit_distance
from explorer.distance.graph import EDGE_COST, PlacedGraph
from explorer.domains.transformer.edit_costs import EditCosts
from explorer.domains.transformer.spaces.flexibert1 import PUBLISHED
from explorer.learning import similarity
from gnn.inductive import InductiveEncoder
from gnn.table import distance_table, mean_squared_error
from graphdb import embedded
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100, help="pairs of models of the space `flexibert`")
    parser.add_argument("--exact", type=int, default=50, help="of them solved exactly")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--encoder", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--stored", type=int, nargs="*", default=[])
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--no-bounds", action="store_true", help="skip the comparison of bounds")
    given = parser.parse_args()
    if not given.no_bounds:
        bounds(given)
    if given.table:
        tables(given.seed)
    if given.encoder:
        encoder(given.seed, given.stored)
    if given.published:
        published(given.seed)


def bounds(given: argparse.Namespace) -> None:
    """Prints how near and how fast the bounds are."""
    space, generator, place = (
        registry.space("flexibert"),
        np.random.default_rng(given.seed),
        EditCosts.of(PUBLISHED).place,
    )
    graphs = [PlacedGraph.of(space.build(space.sample(generator)), place) for _ in range(2 * given.pairs)]
    pairs = [(2 * i, 2 * i + 1) for i in range(given.pairs)]
    first, second = np.array(pairs).T

    lower_s, lower = timed(lambda: LowerBounds(graphs).between(first, second))
    upper_s, upper = timed(lambda: upper_bounds(graphs, pairs))
    networkx_s, networkx = timed(lambda: np.array([first_approximation(graphs[i], graphs[j]) for i, j in pairs]))
    few = pairs[: given.exact]
    exact_s, exact = timed(lambda: [edit_distance(graphs[i], graphs[j]) for i, j in few])
    distance = np.array([one.upper for one in exact])
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


def tables(seed: int) -> None:
    """Prints how well tables of vectors reproduce distances, of points and of models."""
    generator = np.random.default_rng(seed)
    for count in (200, 500):
        points = 5.0 * generator.normal(size=(count, 16))
        distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
        report_table(f"{count} points in 16 dimensions, random start", distances, 16, generator, random=True)
    models = sampled("flexibert", 500, generator)
    place = EditCosts.of(PUBLISHED).place
    graphs = [PlacedGraph.of(model, place) for model in models]
    first, second = np.triu_indices(len(graphs), 1)
    distances = np.zeros((len(graphs), len(graphs)))
    distances[first, second] = upper_bounds(graphs, zip(first, second, strict=True))
    distances += distances.T
    for dimensions in (16, 32, 64):
        report_table(f"500 models, edit distances, {dimensions} dimensions", distances, dimensions, generator)
        report_table(f"500 models, roots of them, {dimensions} dimensions", np.sqrt(distances), dimensions, generator)


def report_table(
    name: str, distances: np.ndarray, dimensions: int, generator: np.random.Generator, random: bool = False
) -> None:
    """Prints one fit."""
    start = generator.normal(size=(len(distances), dimensions)) if random else None
    seconds, table = timed(lambda: distance_table(distances, dimensions, generator, start=start))
    error, variance = mean_squared_error(table, distances), distances[np.triu_indices(len(distances), 1)].var()
    print(f"table: {name}: mean squared error {error:.2g} of a variance of {variance:.2f}, {seconds:.1f} s")


def encoder(seed: int, stored: list[int]) -> None:
    """Prints how well the encoder orders models that it has not seen."""
    metric = registry.metric("transformer")
    seconds, trained = timed(lambda: similarity.train_encoder(metric, lambda phase: None))
    print(f"encoder: trained in {seconds:.1f} s on {similarity.DESIGNS_PER_SPACE} models of each of {metric.spaces}")
    sizes = (
        ("flexibert_early", 818, 25),
        ("flexibert", 10_000, 50),
        ("flexibert_large", 5_000, 20),
        ("flexibert2", 2_000, 5),
    )
    for name, count, probes in sizes:
        generator = np.random.default_rng(seed + 1)
        models = measured(name, generator) if name == "flexibert_early" else sampled(name, count, generator)
        count = len(models)
        encode_s, vectors = timed(lambda m=models: trained.embed(m).astype(np.float64))
        graphs = [PlacedGraph.of(model, metric.place) for model in models]
        first, second = (generator.permutation(count)[:400] for _ in range(2))
        pairs = [(i, j) for i, j in zip(first, second, strict=True) if i != j]
        estimates = [((vectors[i] - vectors[j]) ** 2).sum() for i, j in pairs]
        correlation = spearmanr(estimates, upper_bounds(graphs, pairs)).statistic
        raw, again = zip(*(recall(graphs, vectors, probe) for probe in range(probes)), strict=True)
        print(
            f"encoder: {name}: Spearman {correlation:.4f} ({len(pairs)} pairs), recall@10 of {count} exhaustively "
            f"compared: {np.mean(raw):.3f}, ranked again {np.mean(again):.3f} ({probes} probes); "
            f"{1e3 * encode_s / count:.3f} ms to encode"
        )
    if stored:
        index(trained, stored, seed)


def recall(graphs: list[PlacedGraph], vectors: np.ndarray, probe: int) -> tuple[float, float]:
    """Shares of the ten nearest by upper bound among all that the encoder finds: first, and among its nearest 200."""
    everything = [i for i in range(len(graphs)) if i != probe]
    distances = dict(zip(everything, upper_bounds(graphs, [(probe, i) for i in everything]), strict=True))
    tenth = sorted(distances.values())[9] + 1e-6  # ties count
    estimates = ((vectors - vectors[probe]) ** 2).sum(axis=1)
    order = [i for i in np.argsort(estimates, kind="stable").tolist() if i != probe]
    again = sorted(order[:200], key=distances.__getitem__)[:10]
    return tuple(float(np.mean([distances[i] <= tenth for i in best])) for best in (order[:10], again))


def index(trained: InductiveEncoder, sizes: list[int], seed: int) -> None:
    """Prints how long the vector index takes for ten neighbours."""
    models = list(
        {model.key: model for model in sampled("flexibert", max(sizes), np.random.default_rng(seed))}.values()
    )
    with tempfile.TemporaryDirectory() as folder:
        embedded.start(Path(folder))
        try:
            with open_store(Settings(data_directory=Path(folder))) as store:
                done = 0
                for size in sorted(sizes):
                    new, done = models[done:size], size
                    store.architectures.add(new)
                    vectors = trained.embed(new)
                    store.distances.write("bench", {m.key: v.tolist() for m, v in zip(new, vectors, strict=True)})
                    probes = [model.key for model in models[: size : max(1, size // 50)]]
                    for probe in probes[:5]:
                        store.distances.similar(probe, 10)
                    plain = [timed(lambda p=probe: store.distances.similar(p, 10))[0] for probe in probes]
                    again = [
                        timed(lambda p=probe: similarity.neighbours(store, p, 10, rank_again=True))[0]
                        for probe in probes
                    ]
                    print(
                        f"index: {min(size, len(models))} models: {1e3 * np.median(plain):.1f} ms a query (median), "
                        f"{1e3 * np.median(again):.1f} ms with ranking again"
                    )
        finally:
            embedded.stop(Path(folder), timeout_s=0)


def published(seed: int, space: str = "flexibert_early", probes: int = 25) -> None:
    """Prints what is found among the published models, and among all models of their space."""
    metric = registry.metric("transformer")
    data = registry.published()
    stored = [one for one in data.architectures if one.domain == "transformer"]
    with tempfile.TemporaryDirectory() as folder:
        embedded.start(Path(folder))
        try:
            with open_store(Settings(data_directory=Path(folder))) as store:
                store.architectures.add(stored)
                train_s, _ = timed(lambda: similarity.embed_missing(store, "transformer", lambda phase: None))
                print(f"published: {len(stored)} models stored; encoder trained in {train_s:.0f} s")
                chosen = [one.key for one in stored if one.space == space]
                picked = [chosen[at] for at in np.random.default_rng(seed).permutation(len(chosen))[:probes]]
                graphs = {one.key: PlacedGraph.of(one, metric.place) for one in stored}
                shares: dict[str, list[float]] = {}
                seconds: dict[str, list[float]] = {}
                for probe in picked:
                    others = [key for key in graphs if key != probe]
                    distances = {key: upper_bound(graphs[probe], graphs[key]) for key in others}
                    tenth = sorted(distances.values())[9] + 1e-6  # ties count
                    for name, again in (("estimate", False), ("ranked", None)):
                        spent, near = timed(lambda p=probe, a=again: similarity.neighbours(store, p, 10, rank_again=a))
                        shares.setdefault(name, []).append(np.mean([distances[one.key] <= tenth for one in near]))
                        seconds.setdefault(name, []).append(spent)
                    order = [key for key, _ in store.distances.similar(probe, len(others))]
                    for count in (25, 50, 100, 200, 400):
                        best = sorted(order[:count], key=distances.__getitem__)[:10]
                        share = np.mean([distances[key] <= tenth for key in best])
                        shares.setdefault(f"best of {count} by estimate", []).append(share)
        finally:
            embedded.stop(Path(folder), timeout_s=0)
    print(f"{len(picked)} probes of {space}, ten nearest by upper bound of all, ties counted")
    for name, reached in shares.items():
        line = f"{name:28} recall@10 mean {np.mean(reached):.3f}, least {np.min(reached):.2f}"
        times = seconds.get(name)
        print(line + (f"; {1e3 * times[0]:.0f} ms at first, then {1e3 * np.median(times[1:]):.0f}" if times else ""))


def measured(name: str, generator: np.random.Generator) -> list[Architecture]:
    """The published models of a space, in random order."""
    models = [one for one in registry.published().architectures if one.space == name]
    return [models[at] for at in generator.permutation(len(models))]


def sampled(name: str, count: int, generator: np.random.Generator) -> list[Architecture]:
    """Random models of a space."""
    space = registry.space(name)
    return [space.graph_of(space.sample(generator)) for _ in range(count)]


def first_approximation(first: PlacedGraph, second: PlacedGraph) -> float:
    """The first value of networkx's optimiser, which FlexiBERT takes."""

    def converted(graph: PlacedGraph) -> nx.DiGraph:
        made = nx.DiGraph()
        made.add_nodes_from((i, {"place": place}) for i, place in enumerate(graph.places))
        made.add_edges_from(zip(graph.sources.tolist(), graph.targets.tolist(), strict=True))
        return made

    distance: float = next(
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
    return distance


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long it took, in seconds, and what came of it."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    main()
