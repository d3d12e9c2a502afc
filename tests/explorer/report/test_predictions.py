"""Predictions beside measurements: each point with its deviation, and the errors by trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.report.predictions import Forecast, picture, plot

FORECASTS = [
    Forecast(4, "optimise", 0.6, 0.2, 0.8),
    Forecast(5, "random", 0.5, 0.1, 0.35),
    Forecast(6, "optimise", 0.7, 0.0, 0.7),
]


def test_points_are_predicted_against_measured() -> None:
    left, right = picture(FORECASTS, "a study").axes
    points = {
        bars.get_label(): list(zip(bars[0].get_xdata(), bars[0].get_ydata(), strict=True)) for bars in left.containers
    }
    assert points == {"optimise (2)": [(0.6, 0.8), (0.7, 0.7)], "random (1)": [(0.5, 0.35)]}
    diagonal = next(line for line in left.lines if line.get_label() == "prediction right")
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0.35, 0.8]
    bars = left.containers[0][2][0].get_segments()[0]
    assert bars[:, 0].tolist() == pytest.approx([0.4, 0.8])
    errors = {x: y for line in right.lines[1:] for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    assert errors == {4: pytest.approx(1.0), 5: pytest.approx(-1.5)}  # a prediction without deviation has no such error


def test_a_single_prediction_has_its_files(tmp_path: Path) -> None:
    files = plot(FORECASTS[:1], "a study", tmp_path / "new/predictions")
    assert [file.name for file in files] == ["predictions.png", "predictions.svg"]
