"""The timeline of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.report.timeline import Timeline, largest, plot


def test_the_timeline_shows_use_and_power(tmp_path: Path) -> None:
    edges = np.linspace(0, 2e-4, 201)
    centres = (edges[1:] + edges[:-1]) / 2
    use = {"MAC lanes": np.abs(np.sin(centres * 1e5)), "softmax": (centres > 1e-4) * 0.5}
    power = {"dynamic": 2 * use["MAC lanes"], "leakage": np.full(200, 0.25)}
    files = plot(Timeline(edges, use, power), "a run", tmp_path / "timeline")
    assert [file.suffix for file in files] == [".png", ".svg"]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    text = files[1].read_text()
    for word in ("a run", "MAC lanes", "25 % used", "leakage (250 mW)", "time (µs)", "power (W)"):
        assert word in text, word
    again = plot(Timeline(edges, use, power), "a run", tmp_path / "again/timeline")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


def test_the_mean_weighs_intervals_by_their_length(tmp_path: Path) -> None:
    edges = np.array([0.0, 1.0, 4.0])
    timeline = Timeline(edges, {"lanes": np.array([1.0, 0.0])}, {"all": np.array([4.0, 0.0])})
    text = plot(timeline, "two intervals", tmp_path / "timeline")[1].read_text()
    assert "25 % used" in text
    assert "mean (1 W)" in text
    assert "time (s)" in text


def test_small_parts_are_shown_as_one() -> None:
    edges = np.array([0.0, 1.0, 2.0])
    power = {str(n): np.array([1.0, n]) for n in range(10)}
    found = largest(Timeline(edges, {}, power))
    assert list(found) == ["9", "8", "7", "6", "5", "4", "others"]
    assert found["others"].tolist() == [4.0, 6.0]
    assert np.allclose(sum(found.values()), sum(power.values()))
