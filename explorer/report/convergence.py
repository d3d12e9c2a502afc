"""The convergence of studies, as PNG and SVG: the best design after each trial, and the hypervolume of the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from explorer.report.figure import BLUE, COLOURS, GREY, pointed, save, subplots
from explorer.report.space_map import usual_range

_LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True, slots=True)
class Mark:
    """One trial of a study.

    Attributes:
        trial: the index of the trial.
        origin: how the design was chosen.
        performance: the performance under the objective; None if it was not measured.
        feasible: whether the design meets the constraints.
    """

    trial: int
    origin: str
    performance: float | None
    feasible: bool


def plot(marks: Sequence[Mark], volumes: Sequence[float], title: str, path: Path) -> list[Path]:
    """Plots the performance of every trial and the best so far above the hypervolume, as a share of the last one.

    Args:
        marks: the trials in order; at least one was measured.
        volumes: the hypervolume after each trial; without a positive one there is no lower panel.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    return save(picture(marks, volumes, title), path)


def picture(marks: Sequence[Mark], volumes: Sequence[float], title: str) -> Any:
    """The figure that `plot` writes.

    Args:
        marks: the trials in order; at least one was measured.
        volumes: the hypervolume after each trial.
        title: the title.
    """
    both = bool(volumes) and volumes[-1] > 0
    ratios = {"gridspec_kw": {"height_ratios": [2.2, 1]}} if both else {}
    figure, grid = subplots(1 + both, 1, (8, 6.2 if both else 4.4), sharex=True, squeeze=False, **ratios)
    axes = [row[0] for row in grid]
    _draw_trials(axes[0], marks)
    if both:
        shares = [100 * volume / volumes[-1] for volume in volumes]
        axes[1].step([mark.trial for mark in marks], shares, where="post", color=BLUE)
        axes[1].set(ylabel="hypervolume\n(% of the last)", ylim=(0, 105))
    _finish(axes, marks[-1].trial)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    return figure


def plot_many(studies: Mapping[str, Sequence[float | None]], title: str, path: Path) -> list[Path]:
    """Plots the best performance after each trial of several studies.

    Args:
        studies: name -> the best performance after each trial; None before the first design that meets the constraints.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    return save(picture_of_many(studies, title), path)


def picture_of_many(studies: Mapping[str, Sequence[float | None]], title: str) -> Any:
    """The figure that `plot_many` writes.

    Args:
        studies: name -> the best performance after each trial.
        title: the title.
    """
    figure, grid = subplots(1, 1, (8, 4.8))
    for at, (name, best) in enumerate(studies.items()):
        style = {"color": COLOURS[at % len(COLOURS)], "linestyle": _LINES[at // len(COLOURS) % len(_LINES)]}
        values = [np.nan if value is None else value for value in best]
        grid.step(range(len(values)), values, where="post", label=name, **style)
    known = [value for best in studies.values() for value in best if value is not None]
    if known:
        grid.set_ylim(*_limits(*_frame(known)))
    grid.set(ylabel="best performance so far")
    _finish([grid], max(map(len, studies.values())) - 1)
    figure.legend(*grid.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    return figure


def _draw_trials(axis: Any, marks: Sequence[Mark]) -> None:
    measured = [mark for mark in marks if mark.performance is not None]
    low, high = _frame([mark.performance for mark in measured if mark.performance is not None])
    best = [value if mark.feasible and (value := mark.performance) is not None else -np.inf for mark in marks]
    incumbents = list(accumulate(best, max))
    gains = [after > before > -np.inf for before, after in zip([-np.inf, *incumbents], incumbents, strict=False)]
    line = [np.nan if value == -np.inf else value for value in incumbents]
    axis.step([mark.trial for mark in marks], line, where="post", color="black", label="best so far", zorder=2)

    for origin, style in pointed(mark.origin for mark in marks).items():
        own = [mark for mark in measured if mark.origin == origin and mark.feasible]
        improved = sum(gain for mark, gain in zip(marks, gains, strict=True) if mark.origin == origin)
        label = f"{origin} ({len(own)}, {improved} improvement{'s' * (improved != 1)})"
        _scatter(axis, own, low, label, s=22, alpha=0.85, linewidths=0, zorder=3, **style)
    broken = [mark for mark in measured if not mark.feasible]
    if broken:
        label = f"breaks a constraint ({len(broken)})"
        _scatter(axis, broken, low, label, s=22, marker="x", color=GREY, linewidths=1.1, zorder=1)
    missing = [mark.trial for mark in marks if mark.performance is None]
    if missing:
        label = f"not measured ({len(missing)})"
        axis.plot(missing, [0.0] * len(missing), "|", color=GREY, transform=axis.get_xaxis_transform(), label=label)
    below = sum(mark.performance is not None and mark.performance < low for mark in measured)
    note = f"\n({below} far below, at the rim)" if below else ""
    axis.set(ylabel=f"performance{note}", ylim=_limits(low, high))


def _scatter(axis: Any, marks: Sequence[Mark], low: float, label: str, **style: Any) -> None:
    heights = [max(mark.performance, low) for mark in marks if mark.performance is not None]
    axis.scatter([mark.trial for mark in marks], heights, label=label, **style)


def _frame(values: Sequence[float]) -> tuple[float, float]:
    """The range of values without those that are far below most: they would leave the others no room."""
    low, _ = usual_range(np.array(values))
    return low, max(values)


def _limits(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low) or abs(high) * 0.01 or 1.0
    return low - margin, high + margin


def _finish(axes: Sequence[Any], last: int) -> None:
    for axis in axes:
        axis.grid(visible=True, alpha=0.25)
    axes[-1].set_xlabel("trial")
    axes[-1].set_xlim(-0.5, max(1, last) + 0.5)
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
