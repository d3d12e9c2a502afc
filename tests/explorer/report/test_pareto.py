"""The Pareto plot: both files, readable, and the same for the same points."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from explorer.report.pareto import Point, plot

COSTS = [{"latency_s": 10.0**-i, "energy_j": 10.0 ** (i - 3), "area_mm2": 50.0 + i} for i in range(6)]
POINTS = [Point(0.7 + i / 100, costs, i % 2 == 0, i == 2, i == 4) for i, costs in enumerate(COSTS)]


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


def test_each_cost_has_its_plane_and_its_name(tmp_path: Path) -> None:
    alone = [Point(0.7, {"parameters": 1e6 * i}, i == 1, i == 1, predicted=True) for i in (1, 2)]
    text = plot(alone, "a study", tmp_path / "plot")[1].read_text()
    assert "parameters" in text and "latency" not in text
    assert "area (mm²)" in plot(POINTS, "a study", tmp_path / "three")[1].read_text()
