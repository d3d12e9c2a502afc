"""The design-space scatter: its fronts, and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.contracts.measure import Direction, Measure
from explorer.report.scatter import Cloud, plot, staircase

MEASURES = [
    Measure("area_mm2", "area", "mm²", Direction.MINIMISE, logarithmic=True),
    Measure("latency_s", "latency", "s", Direction.MINIMISE, logarithmic=True),
    Measure("span", "span", "%", Direction.MAXIMISE),
    Measure("price", "price", "", Direction.MINIMISE),
]


def cloud(count: int, measures: int = 3) -> Cloud:
    columns = np.random.default_rng(0).lognormal(size=(measures, count)).tolist()
    return Cloud(dict(zip(MEASURES, columns, strict=False)), on_front=[at % 7 == 0 for at in range(count)])


def test_the_staircase_keeps_what_nothing_is_left_of_and_below() -> None:
    assert staircase([3, 1, 2, 2, 4], [1, 5, 5, 2, 1]) == ([1, 2, 3], [5, 2, 1])
    assert staircase([1.0], [2.0]) == ([1.0], [2.0])
    x, y = np.random.default_rng(1).random((2, 200)).tolist()
    front = list(zip(*staircase(x, y), strict=True))
    points = list(zip(x, y, strict=True))
    dominated = [p for p in points if any(o[0] <= p[0] and o[1] <= p[1] and o != p for o in points)]
    assert set(front) == set(points) - set(dominated)


def test_the_files_are_pictures_and_the_same_each_time(tmp_path: Path) -> None:
    files = plot(cloud(60), "60 designs", tmp_path / "new/designs")
    assert [file.name for file in files] == ["designs.png", "designs.svg"]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    text = files[1].read_text()
    for word in ("60 designs", "dominated (51)", "Pareto-optimal in all three (9)", "latency (s)", "span (%)"):
        assert word in text
    again = plot(cloud(60), "60 designs", tmp_path / "again/designs")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


@pytest.mark.parametrize(("measures", "label"), [(2, "in both (9)"), (4, "in all (9)")])
def test_any_number_of_measures(tmp_path: Path, measures: int, label: str) -> None:
    assert label in plot(cloud(60, measures), "designs", tmp_path / "designs")[1].read_text()


def test_one_measure_spans_no_plane(tmp_path: Path) -> None:
    assert plot(cloud(60, 1), "designs", tmp_path / "designs") == []
    assert not list(tmp_path.iterdir())


def test_a_large_cloud_keeps_a_small_svg(tmp_path: Path) -> None:
    _, svg = plot(cloud(8000), "many", tmp_path / "many")
    assert svg.stat().st_size < 3_000_000
