"""The layered drawing: everything is on it, and in order."""

from __future__ import annotations

from explorer import registry
from explorer.report.drawing import draw
from graphdb.architecture import Architecture, Block, Edge


def test_bert_tiny_from_input_to_output() -> None:
    text = draw(registry.preset("bert-tiny"))
    kinds = [line.strip(" │").split()[0] for line in text.splitlines() if "│ " in line and line.strip() != "│"]
    layer = ["2", "add_norm", "feed_forward", "add_norm"]  # two heads alike are one box
    assert kinds == ["input", *layer, *layer, "output"]
    assert text.count("◂") == 4  # the residual connections


def test_every_block_of_a_graph_with_feedback_is_drawn_once() -> None:
    architecture = registry.preset("edge")
    text = draw(architecture, width=200)
    for block in architecture.blocks:
        assert text.count(f"│ {block.kind} ") == 1, block.kind


def test_rows_are_wrapped_at_the_width() -> None:
    blocks = [Block("source"), *(Block(f"operation_{i}") for i in range(20)), Block("sink")]
    edges = [Edge(0, i) for i in range(1, 21)] + [Edge(i, 21) for i in range(1, 21)]
    text = draw(Architecture.of("transformer", "toy", {}, blocks, edges), width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert all(f"operation_{i} " in text for i in range(20))


def test_numbering_does_not_change_what_is_drawn() -> None:
    blocks = [Block("a"), Block("b"), Block("c")]
    one = Architecture.of("transformer", "toy", {}, blocks, [Edge(0, 1), Edge(1, 2), Edge(0, 2)])
    assert draw(one).count("◂ a@1") == 1
