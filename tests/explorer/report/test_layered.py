"""The layered picture: every block is in one box, rows follow the edges, and its files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Outline

from explorer import registry
from explorer.domains.transformer.decoder import graph
from explorer.domains.transformer.decoder.model import Norm
from explorer.domains.transformer.model import HEAD_KINDS
from explorer.report import layered
from explorer.report.layered import arrows_of, boxes_of, plot
from explorer.report.routing import Box, Route
from explorer.toolkit.open_space import OpenSpace
from graphdb.architecture import Architecture, Block, Edge


@pytest.mark.parametrize("name", ["bert-tiny", "flexibert-mini", "llama-tiny", "edge"])
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


def toy(kinds: str, *edges: tuple[int, int]) -> Architecture:
    """An architecture with a block for each letter, all with long labels."""
    blocks = [Block(kind, {"a_long_attribute": at}) for at, kind in enumerate(kinds)]
    return Architecture.of("transformer", "toy", {}, blocks, [Edge(*edge) for edge in edges])


def inside(route: Route, boxes: list[Box]) -> list[str]:
    """The boxes in whose interior some point of a route lies."""
    codes = [Outline.MOVETO, *(code for piece in route.pieces for code in [len(piece) + 1] * len(piece))]
    corners = [route.start, *(point for piece in route.pieces for point in piece)]
    points = Outline(corners, codes).interpolated(1).to_polygons(closed_only=False)[0]
    fine = np.concatenate([np.linspace(*pair, 20) for pair in pairwise(points)])
    slack = 1e-3
    return [
        box.text
        for box in boxes
        if ((abs(fine - (box.x, box.y)) < (box.half_width - slack, box.half_height - slack)).all(axis=1)).any()
    ]


@pytest.mark.parametrize(
    "architecture",
    [
        *(registry.preset(name) for name in ("bert-mini", "flexibert-mini", "llama-tiny", "edge")),
        toy("abcdefg", (0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (0, 5), (4, 5), (1, 6), (5, 6), (0, 6)),
        toy("abcd", (0, 1), (1, 2), (2, 3), (3, 0), (3, 1), (2, 1), (0, 3)),
        toy("abc", (0, 1), (0, 2), (2, 1)),  # an edge within a row
    ],
    ids=lambda architecture: architecture.key[:8],
)
def test_edges_join_their_boxes_and_cross_no_box(architecture: Architecture) -> None:
    boxes = boxes_of(architecture)
    routes = arrows_of(architecture, boxes)
    home = {member: box for box in boxes for member in box.members}
    joined = {(route.source.members, route.target.members) for route in routes}
    assert joined == {(home[edge.source].members, home[edge.target].members) for edge in architecture.edges}
    for route in routes:
        for (x, y), box in ((route.start, route.source), (route.end, route.target)):
            assert abs(x - box.x) < box.half_width
            assert abs(y - box.y) == pytest.approx(box.half_height)
        assert inside(route, boxes) == []


def test_a_straight_edge_through_a_box_would_be_noticed() -> None:
    boxes = boxes_of(toy("abc", (0, 1), (1, 2), (0, 2)))
    first, _, last = boxes
    straight = Route(first, last, (first.x, first.y), [[(last.x, last.y)]], back=False)
    assert len(inside(straight, boxes)) == 3


def test_two_edges_past_the_same_row_have_their_own_lanes() -> None:
    architecture = toy("abcdef", (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (1, 4), (1, 5))
    routes = [route for route in arrows_of(architecture, boxes_of(architecture)) if len(route.pieces) > 1]
    lanes = [round(max(x for piece in route.pieces for x, _ in piece), 6) for route in routes]
    assert len(set(lanes)) == len(lanes) == 3


def test_titles_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []

    def kept(figure: object, path: Path) -> list[Path]:
        figures.append(figure)
        return []

    monkeypatch.setattr(layered, "save", kept)
    title = f"{'d' * 64}\na_space_with_a_rather_long_name"
    plot(Architecture.of("transformer", "toy", {}, [Block("a")], []), title, tmp_path / "one")
    figure = figures[0]
    (text,) = [text for text in figure.axes[0].texts if text.get_text() == title]
    drawn, room = text.get_window_extent(), figure.bbox
    assert room.x0 < drawn.x0 < drawn.x1 < room.x1
    assert room.y0 < drawn.y0 < drawn.y1 < room.y1
    boxes = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert all(box.y1 < drawn.y0 for box in boxes)


@pytest.mark.parametrize("domain", ["transformer", "accelerator"])
def test_every_kind_of_a_domain_is_listed(domain: str) -> None:
    kinds = registry.domain(domain).kinds
    assert len(set(kinds)) == len(kinds)
    built = [registry.preset(name) for name in registry.domain(domain).presets]
    for space in map(registry.space, registry.domain(domain).spaces):
        if not isinstance(space, OpenSpace):  # these have no random designs
            built += [space.build(space.sample(np.random.default_rng(seed))) for seed in range(5)]
    assert {block.kind for architecture in built for block in architecture.blocks} <= set(kinds)


def test_every_kind_of_head_and_normalisation_is_listed() -> None:
    kinds = set(registry.domain("transformer").kinds)
    decoder = {
        graph.KEY_VALUE,
        graph.HEAD,
        graph.ADD,
        graph.FEED_FORWARD,
        graph.GATED,
        graph.EMBEDDING,
        graph.LANGUAGE_HEAD,
    }
    assert kinds == {"input", "output", "add_norm", *HEAD_KINDS, *decoder, *(f"{norm}_norm" for norm in Norm)}
