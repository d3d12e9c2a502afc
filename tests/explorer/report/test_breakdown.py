"""Bars of what a total is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.report.breakdown import Breakdown, ordered, plot

ENERGY = Breakdown(
    {
        "softmax": {"dynamic": 2e-4, "leakage": 1e-4},
        "MAC lanes": {"dynamic": 6e-4, "leakage": 0.0},
        "rounding": {"dynamic": 0.0},
        "main memory": {"access": 1e-4},
    },
    "energy per batch",
    "J",
)


def test_the_largest_part_comes_first_and_nothing_is_left_out() -> None:
    assert [part for part, _ in ordered(ENERGY)] == ["MAC lanes", "softmax", "main memory"]
    assert sum(amount for _, amount in ordered(ENERGY)) == pytest.approx(ENERGY.total) == pytest.approx(1e-3)


def test_bars_say_amount_and_share(tmp_path: Path) -> None:
    files = plot(ENERGY, "energy", tmp_path / "energy")
    assert files[0].read_bytes().startswith(b"\x89PNG")
    text = files[1].read_text()
    for word in ("energy: 1 mJ", "600 µJ (60.0 %)", "300 µJ (30.0 %)", "dynamic", "leakage", "access"):
        assert word in text, word
    assert "rounding" not in text
    again = plot(ENERGY, "energy", tmp_path / "again/energy")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]


def test_squared_units_take_no_prefix(tmp_path: Path) -> None:
    area = Breakdown({"lanes": {"area": 12.5}, "dma": {"area": 0.01}}, "area", "mm²")
    text = plot(area, "area", tmp_path / "area")[1].read_text()
    assert "12.5 mm² (99.9 %)" in text
    assert "0.01 mm² (0.1 %)" in text


def test_a_total_of_nothing_is_an_empty_picture(tmp_path: Path) -> None:
    assert len(plot(Breakdown({"lanes": {"area": 0.0}}, "area", "mm²"), "area", tmp_path / "area")) == 2
