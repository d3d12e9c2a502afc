"""The Pareto plot: both files, readable, the same for the same points, and axes for any front."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from explorer.contracts.measure import Direction, Measure
from explorer.report.pareto import TRIAL, Point, axes_of, plot

STIFFNESS = Measure("stiffness", "stiffness", "%", Direction.MAXIMISE)
COSTS = [
    Measure("mass_kg", "mass", "kg", Direction.MINIMISE, logarithmic=True),
    Measure("price", "price", "", Direction.MINIMISE, logarithmic=True),
    Measure("area_mm2", "area", "mm²", Direction.MINIMISE),
]
VALUES = [
    {"stiffness": 0.7 + i / 100, "mass_kg": 10.0**-i, "price": 10.0 ** (i - 3), "area_mm2": 50.0 + i} for i in range(6)
]
POINTS = [
    Point(i, values, i % 2 == 0, i == 2, frozenset(["stiffness"] if i == 4 else [])) for i, values in enumerate(VALUES)
]


def test_png_and_svg_are_written_and_repeat(tmp_path: Path) -> None:
    first, second = (plot(POINTS, [STIFFNESS, *COSTS], "a study", tmp_path / name / "plot") for name in ("one", "two"))
    assert [file.name for file in first] == ["plot.png", "plot.svg"]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(first[1]).getroot().tag.endswith("svg")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_the_legend_counts_what_is_shown(tmp_path: Path) -> None:
    text = plot(POINTS, [*COSTS, STIFFNESS], "a study", tmp_path / "plot")[1].read_text()
    for label in ("dominated (3)", "Pareto-optimal (1)", "Pareto-optimal, stiffness predicted (1)", "best under"):
        assert label in text
    for heading in ("mass (kg)", "price", "area (mm²)", "stiffness (%)"):
        assert heading in text
    assert "<!-- 74 -->" in text  # a share of 0.74, in percent


@pytest.mark.parametrize(
    ("measures", "upright", "others"),
    [
        ([*COSTS, STIFFNESS], "stiffness", ["mass_kg", "price", "area_mm2"]),
        (COSTS, "mass_kg", ["price", "area_mm2"]),
        ([STIFFNESS, replace(STIFFNESS, name="span_m")], "stiffness", ["span_m"]),
        ([STIFFNESS], "stiffness", ["trial"]),
    ],
)
def test_what_is_to_be_maximised_is_upright(measures: list[Measure], upright: str, others: list[str]) -> None:
    first, rest = axes_of(measures)
    assert (first.name, [measure.name for measure in rest]) == (upright, others)


def test_any_front_has_its_plot(tmp_path: Path) -> None:
    without_maximum = plot(POINTS, COSTS, "costs alone", tmp_path / "costs")[1].read_text()
    assert "mass (kg)" in without_maximum and "stiffness" not in without_maximum
    alone = plot(POINTS, [STIFFNESS], "one measure", tmp_path / "one")[1].read_text()
    assert TRIAL.heading in alone and "mass" not in alone
    nothing = [Point(0, {"stiffness": 0.5, "mass_kg": 0.0}, True, True)]  # has no logarithm
    assert plot(nothing, [STIFFNESS, COSTS[0]], "zero", tmp_path / "zero")
