"""Designs ranked by bounds of their distance: as if all were compared, and with their true distance between them."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import registry
from explorer.distance.bounds import upper_bound
from explorer.distance.exact import edit_distance
from explorer.distance.graph import PlacedGraph
from explorer.learning import ranking
from explorer.learning.ranking import graphs_of, ranked
from graphdb.store import Store


def graphs(count: int, space: str = "flexibert_early") -> dict[str, PlacedGraph]:
    chosen, generator = registry.space(space), np.random.default_rng(3)
    metric = registry.metric("transformer")
    assert metric is not None
    models = [chosen.graph_of(chosen.sample(generator)) for _ in range(count)]
    return {model.key: PlacedGraph.of(model, metric.place) for model in models}


@pytest.mark.parametrize("count", [1, 10, 200])
def test_pruning_changes_nothing(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    some = graphs(120)
    own, *others = some
    calls = 0

    def counted(first: PlacedGraph, second: PlacedGraph) -> float:
        nonlocal calls
        calls += 1
        return upper_bound(first, second)

    monkeypatch.setattr(ranking, "upper_bound", counted)
    near = ranked(some[own], {key: some[key] for key in others}, count)
    everything = sorted((upper_bound(some[own], some[key]), key) for key in others)
    assert [(one.at_most, one.key) for one in near] == everything[:count]
    assert calls == len(others) if count >= len(others) else calls < len(others)


def test_the_distance_lies_between_its_bounds() -> None:
    some = graphs(40)
    own, *others = some
    for one in ranked(some[own], {key: some[key] for key in others}, 4):
        exact = edit_distance(some[own], some[one.key])
        assert one.at_least - 1e-6 <= exact.upper and exact.lower <= one.at_most + 1e-6


def test_nothing_is_near_nothing() -> None:
    some = graphs(1)
    assert ranked(*some.values(), {}, 3) == []


def test_graphs_are_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    space, metric = registry.space("flexibert"), registry.metric("transformer")
    assert metric is not None
    models = [space.graph_of(space.sample(np.random.default_rng(seed))) for seed in range(700, 704)]
    store.architectures.add(models[:3])
    kept = ranking.Graphs(metric)
    keys = [model.key for model in models]
    assert list(kept.of(store, keys)) == keys[:3]
    store.architectures.add(models)
    monkeypatch.setattr(store.architectures, "get_many", lambda some: {models[3].key: models[3]} if some else {})
    assert list(kept.of(store, keys)) == keys
    assert graphs_of(metric) is graphs_of(metric)
