"""The roofline of operations."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.report.roofline import Roofline, attainable, plot, sample_seconds

ROOFLINE = Roofline(
    peak_macs_per_s=1e12,
    bandwidths={"main memory": 1e10, "buffers": 4e11},
    macs_per_byte=[0.5, 8.0, 400.0],
    macs_per_s=[1e9, 6e10, 8e11],
    kind=["product", "product", "softmax"],
    seconds=[1e-5, 2e-5, 0.0],
)


def test_the_roof_has_its_ridge_where_both_bounds_meet() -> None:
    assert attainable(ROOFLINE, "main memory", 1.0) == 1e10
    assert attainable(ROOFLINE, "main memory", 100.0) == pytest.approx(1e12)
    assert attainable(ROOFLINE, "main memory", 1e6) == 1e12
    assert attainable(ROOFLINE, "buffers", 1.0) == 4e11


def test_the_picture_names_roofs_and_kinds(tmp_path: Path) -> None:
    files = plot(ROOFLINE, "operations", tmp_path / "roofline")
    assert files[0].read_bytes().startswith(b"\x89PNG")
    text = files[1].read_text()
    for word in ("peak 1 TMAC/s", "main memory, 10 GB/s", "buffers, 400 GB/s", "product (2)", "softmax (1)"):
        assert word in text, word
    again = plot(ROOFLINE, "operations", tmp_path / "again/roofline")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


def test_the_legend_explains_colours_and_sizes(tmp_path: Path) -> None:
    text = plot(ROOFLINE, "operations", tmp_path / "roofline")[1].read_text()
    for word in ("bandwidth of", "colour: kind of operation (number)", "size: time of one operation"):
        assert word in text, word
    assert all(f"{size} µs" in text for size in ("20", "6", "2"))  # of the longest operation, a third and a tenth
    assert sample_seconds(0.0) == []


def test_operations_without_time_and_none_at_all_can_be_drawn(tmp_path: Path) -> None:
    still = Roofline(1e12, {"main memory": 1e10}, [0.5], [1e9], ["product"], [0.0])
    assert "size: time" not in plot(still, "operations", tmp_path / "still")[1].read_text()
    assert plot(Roofline(1e12, {"main memory": 1e10}, [], [], [], []), "none", tmp_path / "none")
