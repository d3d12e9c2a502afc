from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gnn.data import GraphSet, Vocabulary
from gnn.features import NumericColumn
from gnn.positions import positions
from graphdb.architecture import Architecture, Block, Edge
from graphdb.errors import InputError


def chain(*blocks: Block, edges: list[Edge] | None = None) -> Architecture:
    edges = [Edge(i, i + 1) for i in range(len(blocks) - 1)] if edges is None else edges
    return Architecture.of("test", "chain", {"blocks": [b.kind for b in blocks]}, blocks, edges)


def test_vocabulary_survives_json(measured) -> None:
    vocabulary = Vocabulary.of(measured[0])
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


@pytest.mark.parametrize("change", [{"version": 99}, {"kinds": None}, {"blocks": {}}, {"edges": {"numeric": [["a"]]}}])
def test_malformed_vocabulary_is_refused(measured, change) -> None:
    with pytest.raises(InputError, match="vocabulary"):
        Vocabulary.from_json({**Vocabulary.of(measured[0]).to_json(), **change})


def test_no_architecture_gives_no_vocabulary() -> None:
    with pytest.raises(InputError, match="at least one"):
        Vocabulary.of([])


def test_numbers_texts_and_absence_are_told_apart() -> None:
    vocabulary = Vocabulary.of(
        [chain(Block("a", {"size": 2, "mode": "x"}), Block("a", {"size": 8, "wide": True}), Block("b"))]
    )
    rows = vocabulary.collate([chain(Block("a", {"size": 2}), Block("a", {"mode": "x"}), Block("a"))]).x
    assert len({tuple(row[: -len(positions(1, [])[0])].tolist()) for row in rows}) == 3


def test_one_and_true_are_different_values() -> None:
    vocabulary = Vocabulary.of([chain(Block("a", {"on": True}), Block("a", {"on": 1}), Block("a", {"on": 3}))])
    rows = vocabulary.collate([chain(Block("a", {"on": True}), Block("a", {"on": 1}), edges=[])]).x
    assert not torch.equal(rows[0], rows[1])


def test_unknown_kinds_attributes_and_texts_are_encoded() -> None:
    vocabulary = Vocabulary.of([chain(Block("a", {"mode": "x"}), Block("b"))])
    batch = vocabulary.collate([chain(Block("new", {"other": 3.0}), Block("a", {"mode": "never seen"}))])
    assert batch.x.shape == (2, vocabulary.node_width)
    assert batch.x[0, len(vocabulary.kinds)] == 1.0
    assert batch.x[1, len(vocabulary.kinds)] == 0.0


def test_small_quantities_keep_their_ratios() -> None:
    column = NumericColumn.of("capacitance_f", [1e-12, 1e-11, 1e-10])
    low, middle, high = (column.transform(v) for v in (1e-12, 1e-11, 1e-10))
    assert 0.5 < (middle - low) / (high - middle) < 1.0


def test_edges_run_both_ways_and_carry_attributes() -> None:
    edges = [Edge(0, 1, {"bandwidth": 4.0})]
    graph = chain(Block("a"), Block("b"), edges=edges)
    batch = Vocabulary.of([graph]).collate([graph])
    rows = zip(batch.edge_index.T.tolist(), batch.edge_attr.tolist(), strict=True)
    flags = {tuple(pair): tuple(row[:2]) for pair, row in rows}
    assert flags == {(0, 1): (1.0, 0.0), (1, 0): (0.0, 1.0)}
    assert batch.edge_attr[:, 3].tolist() == [1.0, 1.0]


def test_positions_are_longest_paths() -> None:
    place = positions(4, [(0, 1), (1, 2), (0, 2), (2, 3)])
    assert place[:, 0].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_blocks_on_a_cycle_share_their_depth() -> None:
    place = positions(4, [(0, 1), (1, 2), (2, 1), (2, 3)])
    assert place[1, 1] == place[2, 1]
    assert place[0, 1] < place[1, 1] < place[3, 1]


def test_a_selection_equals_its_own_collation(measured) -> None:
    models = measured[0][:20]
    vocabulary = Vocabulary.of(models)
    chosen = np.array([7, 3, 19])
    graphs = GraphSet(vocabulary, models)
    first, alone = graphs.batches([chosen, np.array([19])])
    for selected, indices in ((graphs.select(chosen), chosen), (first, chosen), (alone, np.array([19]))):
        collated = vocabulary.collate([models[i] for i in indices])
        for name in ("x", "edge_index", "edge_attr", "batch"):
            assert torch.equal(getattr(selected, name), collated[name]), name
        assert selected.num_graphs == collated.num_graphs
        assert selected.sizes.ravel().tolist() == torch.bincount(collated.batch).tolist()


def test_an_architecture_without_blocks_is_refused() -> None:
    vocabulary = Vocabulary.of([chain(Block("a"))])
    with pytest.raises(InputError, match="no blocks"):
        vocabulary.collate([chain()])
