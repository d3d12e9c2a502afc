"""The Pareto plot: both files, readable, and the same for the same points."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from explorer.report.pareto import Point, plot

POINTS = [Point(0.7 + i / 100, 10.0**-i, 10.0 ** (i - 3), 50.0 + i, i % 2 == 0, i == 2, i == 4) for i in range(6)]


def test_png_and_svg_are_written_and_repeat(tmp_path: Path) -> None:
    first, second = (
        plot(POINTS, "a study", tmp_path / "one" / "plot"),
        plot(POINTS, "a study", tmp_path / "two" / "plot"),
    )
    assert [file.name for file in first] == ["plot.png", "plot.svg"]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(first[1]).getroot().tag.endswith("svg")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_the_legend_counts_what_is_shown(tmp_path: Path) -> None:
    text = plot(POINTS, "a study", tmp_path / "plot")[1].read_text()
    for label in ("dominated (3)", "Pareto-optimal (1)", "Pareto-optimal, accuracy predicted (1)", "best under"):
        assert label in text
