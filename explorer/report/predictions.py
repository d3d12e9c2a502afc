"""The predictions by which designs were chosen beside what was measured, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.report.figure import GREY, pointed, save, subplots


@dataclass(frozen=True, slots=True)
class Forecast:
    """A design whose performance was predicted before it was measured.

    Attributes:
        trial: the index of its trial.
        origin: how it was chosen.
        mean, deviation: the prediction and its standard deviation.
        measured: the performance.
    """

    trial: int
    origin: str
    mean: float
    deviation: float
    measured: float


def plot(forecasts: Sequence[Forecast], title: str, path: Path) -> list[Path]:
    """Plots the measured performance against the predicted one, and the errors in deviations by trial.

    Args:
        forecasts: the designs; at least one.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    return save(picture(forecasts, title), path)


def picture(forecasts: Sequence[Forecast], title: str) -> Any:
    """The figure that `plot` writes."""
    figure, (left, right) = subplots(1, 2, (12, 4.8))
    values = [value for one in forecasts for value in (one.mean, one.measured)]
    ends = [min(values), max(values)]
    left.plot(ends, ends, color="black", linewidth=0.8, label="prediction right", zorder=1)
    right.axhspan(-1, 1, color=GREY, alpha=0.25, linewidth=0, label="within one deviation")
    right.axhline(0, color="black", linewidth=0.8)
    for origin, look in pointed(one.origin for one in forecasts).items():
        own = [one for one in forecasts if one.origin == origin]
        style = {**look, "linestyle": "none", "markersize": 5}
        predicted, measured = [one.mean for one in own], [one.measured for one in own]
        label, bars = f"{origin} ({len(own)})", [one.deviation for one in own]
        left.errorbar(predicted, measured, xerr=bars, label=label, elinewidth=0.7, alpha=0.85, **style)
        sure = [one for one in own if one.deviation > 0]
        errors = [(one.measured - one.mean) / one.deviation for one in sure]
        right.plot([one.trial for one in sure], errors, alpha=0.85, **style)
    left.set(xlabel="performance predicted at the choice, with one deviation", ylabel="performance measured")
    right.set(xlabel="trial", ylabel="measured - predicted (deviations)")
    right.xaxis.get_major_locator().set_params(integer=True)
    for axis in (left, right):
        axis.grid(visible=True, alpha=0.25)
    handles, labels = (one + other for one, other in zip(*_legends(left, right), strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="small")
    figure.suptitle(title)
    return figure


def _legends(*axes: Any) -> list[tuple[list[Any], list[str]]]:
    return [axis.get_legend_handles_labels() for axis in axes]
