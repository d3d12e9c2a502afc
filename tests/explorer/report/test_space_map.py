"""The map: a plane that keeps most of the variance, and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.contracts.measure import Measure
from explorer.report.space_map import SpaceMap, plane, plot

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
