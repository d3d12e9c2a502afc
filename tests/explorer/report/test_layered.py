"""The layered picture: every block is in one box, rows follow the edges, and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer import registry
from explorer.report.layered import boxes_of, plot
from graphdb.architecture import Architecture, Block, Edge


@pytest.mark.parametrize("name", ["bert-tiny", "flexibert-mini", "edge"])
def test_every_block_is_in_one_box_and_no_two_boxes_touch(name: str) -> None:
    architecture = registry.preset(name)
    boxes = boxes_of(architecture)
    assert sorted(member for box in boxes for member in box.members) == list(range(len(architecture.blocks)))
    for index, box in enumerate(boxes):
        for other in boxes[:index]:
            apart = abs(box.x - other.x) > box.half_width + other.half_width
            assert apart or abs(box.y - other.y) > box.half_height + other.half_height


def test_edges_go_down_where_there_is_no_feedback() -> None:
    space = registry.space("flexibert2")
    architecture = space.build(space.sample(np.random.default_rng(0)))
    row = {member: box.row for box in boxes_of(architecture) for member in box.members}
    assert all(row[edge.source] < row[edge.target] for edge in architecture.edges)


def test_the_files_name_the_blocks_and_repeat(tmp_path: Path) -> None:
    architecture = registry.preset("bert-tiny")
    files = plot(architecture, "bert-tiny", tmp_path / "new/graph")
    assert [file.name for file in files] == ["graph.png", "graph.svg"]
    text = files[1].read_text()
    assert all(word in text for word in ("2 x sa_sdp", "head_dimension=64", "add_norm", "width=512", "bert-tiny"))
    again = plot(architecture, "bert-tiny", tmp_path / "again/graph")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


def test_one_block_and_a_loop_can_be_drawn(tmp_path: Path) -> None:
    alone = Architecture.of("transformer", "toy", {}, [Block("a")], [])
    loop = Architecture.of("transformer", "toy", {}, [Block("a"), Block("b")], [Edge(0, 1), Edge(1, 0)])
    assert all(plot(drawn, "toy", tmp_path / "toy") for drawn in (alone, loop))
