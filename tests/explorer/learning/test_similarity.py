"""Neighbours by edit distance: the encoder is trained once, orders unseen models, and is trained again if damaged.

Neighbours by behaviour are found through the command line: tests/explorer/cli/test_commands.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer import registry
from explorer.contracts.metric import Likeness, Metric
from explorer.distance.bounds import upper_bound, upper_bounds
from explorer.distance.graph import PlacedGraph
from explorer.domains.transformer.hierarchy import biased_neighbours
from explorer.domains.transformer.model import layers_of
from explorer.learning import similarity
from gnn.inductive import EncoderSettings
from graphdb.architecture import Architecture
from graphdb.errors import InputError, NotFoundError
from graphdb.store import Store

SMALL = EncoderSettings(width=128, steps=400)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "SETTINGS", EncoderSettings(width=64, steps=150, group=64))
    monkeypatch.setattr(similarity, "DESIGNS_PER_SPACE", 60)


def silent(phase: str) -> None:
    del phase


def metric() -> Metric:
    edit_distance = registry.metric("transformer")
    assert edit_distance is not None
    return edit_distance


def models(count: int, seed: int, space: str = "flexibert") -> list[Architecture]:
    chosen, generator = registry.space(space), np.random.default_rng(seed)
    return [chosen.build(chosen.sample(generator)) for _ in range(count)]


def test_estimates_order_unseen_models_as_edit_distances_do() -> None:
    place = metric().place
    flat = Metric(place, ("flexibert",))
    encoder = similarity.train_encoder(flat, silent, settings=SMALL, designs_per_space=300)
    unseen = models(80, seed=7)
    vectors = encoder.embed(unseen)
    graphs = [PlacedGraph.of(model, place) for model in unseen]
    pairs = [(2 * i, 2 * i + 1) for i in range(40)]
    estimates = [((vectors[i] - vectors[j]) ** 2).sum() for i, j in pairs]
    assert spearmanr(estimates, upper_bounds(graphs, pairs)).statistic > 0.95


def test_neighbours_are_near_and_nothing_is_done_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = models(150, seed=1)
    store.architectures.add(stored)
    phases: list[str] = []
    place = metric().place
    graphs = {model.key: PlacedGraph.of(model, place) for model in stored}
    probe = stored[0].key
    everything = similarity.nearest(store, probe, 10, phases.append)
    assert phases == []  # so few designs are ranked without an encoder
    monkeypatch.setattr(similarity, "RANKED", 100)
    ranked = similarity.nearest(store, probe, 10, phases.append)
    assert any("training" in phase for phase in phases)
    assert [one.distance for one in ranked] == [one.distance for one in everything]
    exact = sorted((upper_bound(graphs[probe], graph), key) for key, graph in graphs.items() if key != probe)
    assert [(one.distance, one.key) for one in everything] == exact[:10]

    phases.clear()
    estimated = similarity.nearest(store, probe, 10, phases.append, rank_again=False)
    assert phases == []
    assert all(one.estimated and not one.exact for one in estimated)
    assert not any(one.estimated for one in ranked)
    assert [one.distance for one in estimated] == sorted(one.distance for one in estimated)
    assert len({one.key for one in estimated} & {key for _, key in exact[:30]}) >= 5

    new = models(3, seed=2)
    store.architectures.add(new)
    assert similarity.embed_missing(store, "transformer", phases.append) == 3
    assert not any("training" in phase for phase in phases)


def test_neighbours_by_beginning_are_those_that_inherit_most(store: Store) -> None:
    space = registry.space("flexibert")
    generator = np.random.default_rng(5)
    probe = space.build(space.sample(generator))
    near = [space.build(choices) for choices in space.neighbours(probe.choices)]
    stored = [probe, *near[:60], *models(60, seed=6)]
    store.architectures.add(stored)
    begun = similarity.nearest(store, probe.key, 40, silent, by=Likeness.BEGINNING)
    place = metric().place
    graph = PlacedGraph.of(probe, place)
    distances = np.array([upper_bound(graph, PlacedGraph.of(one, place)) for one in stored])
    expected = biased_neighbours(layers_of(probe.choices), [layers_of(one.choices) for one in stored], distances)
    beginning = metric().beginning
    assert beginning is not None
    by_key = {one.key: one for one in stored}
    shared = [beginning(probe.choices, by_key[one.key].choices) for one in begun]
    assert shared == [beginning(probe.choices, stored[row].choices) for row in expected[:40]]
    assert [one.distance for one in begun] == [distances[row] for row in expected[:40]]
    assert shared == sorted(shared, reverse=True) and shared[0] > shared[-1]


def test_a_domain_without_beginnings_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    without = Metric(metric().place, ("flexibert",))
    monkeypatch.setattr(registry, "metric", lambda domain: without)
    stored = models(3, seed=8)
    store.architectures.add(stored)
    with pytest.raises(InputError, match="no beginning"):
        similarity.nearest(store, stored[0].key, 2, silent, by=Likeness.BEGINNING)


def test_only_neighbours_by_distance_are_ranked_again(store: Store) -> None:
    for by in (Likeness.BEHAVIOUR, Likeness.BEGINNING):
        with pytest.raises(InputError, match=f"by {by} are not ranked again; allowed: neighbours by distance"):
            similarity.neighbours(store, "0" * 64, 2, by=by, rank_again=True)


def test_designs_are_alike_by_distance_where_their_domain_has_one() -> None:
    assert similarity.default_likeness("transformer") is Likeness.DISTANCE
    assert similarity.default_likeness("accelerator") is Likeness.BEHAVIOUR


def test_a_domain_without_edit_distance_says_which_have_one(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"accelerator has no edit distance; these have: .*transformer"):
        similarity.embed_missing(store, "accelerator", silent)


def test_a_damaged_encoder_is_trained_again(store: Store) -> None:
    stored = models(5, seed=3)
    store.architectures.add(stored)
    similarity.embed_missing(store, "transformer", silent)
    before = store.distances.read([model.key for model in stored])
    store._database.write("MATCH (s:Surrogate) SET s.weights = $weights", weights=b"damaged")
    store._database.write("MATCH (a:Architecture) REMOVE a.distance_embedding, a.distance_model")
    phases: list[str] = []
    assert similarity.embed_missing(store, "transformer", phases.append) == 5
    assert any("training" in phase for phase in phases)
    assert store.distances.read(list(before)) == before
