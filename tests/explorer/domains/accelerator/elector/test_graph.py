from __future__ import annotations

import networkx as nx
import numpy as np

from explorer.domains.accelerator.elector.presets import preset
from explorer.domains.accelerator.elector.space import ElectorSpace


def test_repeated_units_are_one_block_with_a_count() -> None:
    edge = preset("edge")
    units = {block.kind: block.attributes for block in edge.blocks}
    assert len(units) == len(edge.blocks)
    assert units["mac_lane"]["count"] == 64 * 16
    # The published peak of AccelTran-Edge is that of 16,384 multipliers.
    assert units["multiplier"]["count"] == 16_384
    assert units["softmax"]["count"] == 64 * 4
    assert units["layer_norm"]["count"] == 64
    assert units["weight_buffer"]["capacity_bytes"] == 8 * 1024 * 1024
    assert units["main_memory"]["technology"] == "dram"


def test_data_flow_from_main_memory_through_the_buffers_and_back() -> None:
    edge = preset("edge")
    kinds = [block.kind for block in edge.blocks]
    graph = nx.DiGraph([(kinds[e.source], kinds[e.target]) for e in edge.edges])
    assert set(graph) == set(kinds)
    assert set(kinds) - {"main_memory", "control"} == nx.descendants(graph, "main_memory")
    for unit in ("mac_lane", "softmax", "layer_norm"):
        assert nx.has_path(graph, "weight_buffer", unit)
        assert nx.has_path(graph, unit, "activation_buffer")


def test_bandwidths_follow_the_memory() -> None:
    for name, bandwidth in (("edge", 25.6e9), ("server", 256e9)):
        built = preset(name)
        kinds = [block.kind for block in built.blocks]
        paths = {(kinds[edge.source], kinds[edge.target]): edge.attributes for edge in built.edges}
        assert paths["main_memory", "dma"] == {"bandwidth_bytes_per_s": bandwidth}
        assert paths["weight_buffer", "dataflow"] == {"bandwidth_bytes_per_s": 370e9}
        assert paths["mac_lane", "post_sparsity"] == {}


def test_every_decision_shows_in_the_graph() -> None:
    space = ElectorSpace()
    choices = space.sample(np.random.default_rng(0))
    designs = [choices, *space.neighbours(choices)]
    assert len({space.graph_of(design).fingerprint for design in designs}) == 43
