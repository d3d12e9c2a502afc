"""Parallel coordinates: a line for each design, in the colour of its performance."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from explorer.report.coordinates import MOST, Axis, picture, plot

AXES = [
    Axis("width", [64.0, 128.0, 256.0]),
    Axis("kind", [0.0, 1.0, 0.0], {0.0: "round", 1.0: "square"}),
    Axis("second width", [math.nan, 2.0, 4.0]),
]


def test_lines_pass_the_values_of_their_designs() -> None:
    axis = picture(AXES, [0.5, 0.9, 0.7], [True, True, False], "a study").axes[0]
    broken, lines = axis.collections
    assert [segment[:, 1].tolist() for segment in broken.get_segments()] == [[1.0, 0.0, 1.0]]
    assert lines.get_array().tolist() == [0.5, 0.9]  # the best last, on top
    heights = [segment[:, 1].tolist() for segment in lines.get_segments()]
    assert heights[0][:2] == [0.0, 0.0] and heights[0][2] < 0  # nothing is drawn below the axis
    assert heights[1] == [pytest.approx(1 / 3), 1.0, 0.0]
    best = next(line for line in axis.lines if line.get_label() == "best")
    assert list(best.get_ydata()) == heights[1]
    texts = {text.get_text() for text in axis.texts}
    assert {"64", "128", "256", "round", "square", "2", "4", "absent"} <= texts
    assert [text.get_text() for text in axis.get_xticklabels()] == ["width", "kind", "second width"]


def test_only_the_first_decisions_are_drawn_and_the_title_says_so() -> None:
    many = [Axis(f"decision {at}", [0.0, float(at + 1)]) for at in range(MOST + 3)]
    figure = picture(many, [0.1, 0.2], [True, True], "a study")
    assert len(figure.axes[0].get_xticklabels()) == MOST
    assert f"the {MOST} most important of {MOST + 3} decisions" in figure.get_suptitle()


def test_many_values_have_few_labels(tmp_path: Path) -> None:
    numbers = [float(at) for at in range(30)]
    named = Axis("named", numbers, {value: f"value {value:.0f}" for value in numbers})
    figure = picture([Axis("plain", numbers), named, Axis("constant", [3.0] * 30)], numbers, [True] * 30, "a study")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:3] == ["0", "14.5", "29"]
    assert "value 0" in texts and len(texts) < 20
    files = plot(AXES, [0.5, 0.9, 0.7], [False] * 3, "nothing feasible", tmp_path / "new/decisions")
    assert [file.name for file in files] == ["decisions.png", "decisions.svg"]
