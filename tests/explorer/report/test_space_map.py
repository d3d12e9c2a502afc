"""The map: a plane that keeps most of the variance, and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.contracts.measure import Measure
from explorer.report import space_map
from explorer.report.space_map import SpaceMap, plane, plot, usual_range, waypoints

ACCURACY = Measure("accuracy", "accuracy", "%")
LATENCY = Measure("latency_s", "latency", "s", logarithmic=True)


def test_the_plane_is_that_of_the_greatest_variance() -> None:
    generator = np.random.default_rng(0)
    flat = generator.normal(size=(200, 2)) * [3, 1]
    turn, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    points, explained = plane(np.hstack([flat, np.zeros((200, 4))]) @ turn + 5)
    np.testing.assert_allclose(explained.sum(), 1)
    assert explained[0] > explained[1]
    distances = [np.linalg.norm(part[:, None] - part, axis=-1) for part in (flat, points)]
    np.testing.assert_allclose(*distances, atol=1e-9)


def test_a_plane_of_a_line_and_of_a_point() -> None:
    points, explained = plane(np.array([[0.0], [1.0], [3.0]]))
    assert points.shape == (3, 2)
    np.testing.assert_allclose(explained, [1, 0])
    points, explained = plane(np.ones((4, 3)))
    np.testing.assert_allclose(points, 0)
    np.testing.assert_allclose(explained, 0)


def test_the_files_say_what_they_show_and_repeat(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    points, explained = plane(generator.normal(size=(50, 8)))
    values = np.where(np.arange(50) % 3 == 0, np.nan, generator.random(50))
    files = plot(SpaceMap(points, explained, values, [3, 1, 4]), ACCURACY, "a space", tmp_path / "map")
    text = files[1].read_text()
    for word in (
        "accuracy (%)",
        "a space",
        "search (3 designs",
        "first design",
        "not measured (17)",
        "last design",
        "% of variance",
    ):
        assert word in text
    again = plot(SpaceMap(points, explained, values, [3, 1, 4]), ACCURACY, "a space", tmp_path / "again")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]
    assert plot(SpaceMap(points, explained, np.full(50, np.nan)), LATENCY, "bare", tmp_path / "bare")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that would be written."""
    made: list[Any] = []

    def kept(figure: Any, path: Path) -> list[Path]:
        made.append(figure)
        return []

    monkeypatch.setattr(space_map, "save", kept)
    return made


def test_the_usual_range_leaves_out_what_is_far_out() -> None:
    even = np.linspace(0, 10, 101)
    assert usual_range(even) == (0, 10)
    low, high = usual_range(np.append(even, [1000.0, -1000.0]))
    assert -20 < low <= 0 and 10 <= high < 30
    assert usual_range(np.array([1.0, 1.0, 1.0, 7.0])) == (1, 7)  # a range of one value would show nothing


def test_outliers_take_no_room_and_are_counted(figures: list[Any], tmp_path: Path) -> None:
    points = np.random.default_rng(2).normal(size=(60, 2))
    points[:2] = [[500.0, 0.0], [0.0, -900.0]]
    plot(SpaceMap(points, np.ones(2) / 2, np.arange(60.0)), ACCURACY, "a space", tmp_path / "map")
    axis = figures[0].axes[0]
    assert "2 far from all others, drawn at the rim" in axis.get_xlabel()
    for low, high in (axis.get_xlim(), axis.get_ylim()):
        assert -20 < low < high < 20
    drawn = np.concatenate([dots.get_offsets() for dots in axis.collections])
    assert len(drawn) == 60
    assert (drawn[:, 0] <= axis.get_xlim()[1]).all() and (drawn[:, 1] >= axis.get_ylim()[0]).all()


def test_what_spans_decades_has_logarithmic_colours(figures: list[Any], tmp_path: Path) -> None:
    points = np.random.default_rng(3).normal(size=(40, 2))
    plot(SpaceMap(points, np.ones(2) / 2, np.logspace(-6, 0, 40)), LATENCY, "a space", tmp_path / "map")
    plot(SpaceMap(points, np.ones(2) / 2, np.linspace(0.5, 1, 40)), ACCURACY, "a space", tmp_path / "map")
    names = [type(figure.axes[0].collections[0].norm).__name__ for figure in figures]
    assert names == ["LogNorm", "Normalize"]


@pytest.mark.parametrize(("steps", "count"), [(1, 1), (2, 2), (12, 12), (13, 7), (60, 13), (1000, 11), (12345, 7)])
def test_a_few_steps_of_a_path_are_numbered(steps: int, count: int) -> None:
    chosen = waypoints(steps)
    assert (chosen[0], chosen[-1]) == (0, steps - 1)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == count <= 13


def test_the_star_is_the_best_and_the_path_is_in_order(figures: list[Any], tmp_path: Path) -> None:
    points = np.random.default_rng(4).normal(size=(40, 2))
    plot(SpaceMap(points, np.ones(2) / 2, np.arange(40.0), [7, 3, 9], best=3), ACCURACY, "a space", tmp_path / "map")
    axis = figures[0].axes[0]
    (star,) = [dots for dots in axis.collections if dots.get_label() == "best under the objective"]
    np.testing.assert_allclose(star.get_offsets(), points[[3]])
    numbers = {text.get_text(): text.xy for text in axis.texts if text.get_text()}
    assert list(numbers) == ["1", "2", "3"]
    np.testing.assert_allclose(list(numbers.values()), points[[7, 3, 9]])
