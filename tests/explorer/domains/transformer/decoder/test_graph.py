"""The block graph of a decoder, its drawing and its edit distance."""

from __future__ import annotations

from collections import Counter

from explorer import registry
from explorer.distance.bounds import upper_bound
from explorer.distance.graph import PlacedGraph
from explorer.domains.transformer.edit_costs import GENERAL, METRIC
from explorer.report.drawing import draw
from graphdb.architecture import Architecture
from tests.explorer.domains.transformer.decoder.test_options import PLAIN, with_options


def built(**options: object) -> Architecture:
    return registry.space("transformer_free").build(with_options(**options))


def test_blocks_and_edges() -> None:
    counts = Counter(block.kind for block in built(key_value_heads=2).blocks)
    assert counts == {
        "input": 1,
        "embedding": 1,
        "rms_norm": 5,
        "key_value": 4,
        "causal_sdp": 8,
        "add": 4,
        "gated_feed_forward": 3,
        "language_head": 1,
        "output": 1,
    }
    assert len(built(key_value_heads=2).edges) == 2 + 2 * (1 + 2 + 4 * 2 + 4 + 1 + 1 + 1 + 1) + 3 + 2
    assert "key_value" not in {block.kind for block in built().blocks}, "heads that share nothing"


def test_each_option_changes_the_graph() -> None:
    changed = [
        {},
        {"vocabulary": 51},
        {"tied_embeddings": True},
        {"scaled_embeddings": True},
        {"learnt_positions": 24},
        {"norm": "layer"},
        {"norm": "layer", "norm_bias": True},
        {"key_value_heads": 2},
        {"key_value_heads": [4, 2]},
        {"query_key_value_bias": True},
        {"output_bias": True},
        {"gated": False},
        {"activation": "gelu"},
        {"feed_forward_bias": True},
    ]
    assert len({built(**options).fingerprint for options in changed}) == len(changed)


def test_every_block_has_a_place_and_a_drawing() -> None:
    for model in (built(key_value_heads=2), registry.preset("gpt2"), registry.preset("llama-tiny")):
        assert min(map(GENERAL.place, model.blocks)) >= 0
        assert "language_head" in draw(model)


def test_edits_of_wider_feed_forwards_cost_more() -> None:
    space = registry.space("transformer_free")
    graphs = [
        PlacedGraph.of(space.build(PLAIN | {"f": [[width], [width]]}), GENERAL.place) for width in (256, 512, 4096)
    ]
    assert upper_bound(graphs[0], graphs[0]) == 0
    assert upper_bound(graphs[0], graphs[1]) == 2, "two feed-forwards, each moved by a place"
    assert upper_bound(graphs[0], graphs[2]) == 10


def test_decoders_begin_alike_as_far_as_their_layers_are_the_same() -> None:
    assert METRIC.beginning is not None
    assert METRIC.beginning(PLAIN, PLAIN) == 2
    assert METRIC.beginning(PLAIN, PLAIN | {"f": [[40], [40]]}) == 1
    assert METRIC.beginning(PLAIN, with_options(gated=False)) == 0
    assert METRIC.beginning(PLAIN, registry.preset("bert-tiny").choices) == 0
