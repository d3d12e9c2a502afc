"""Tables and figures of all runs in a folder: medians and quartiles over the seeds."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.searching.problem import Task
from scripts.searching.running import Runs
from scripts.searching.tasks import Maker

Array = NDArray[np.float64]
FEW = 5
"""Fewer seeds than this are an indication, and marked in tables."""
TITLES = {
    "transcode": "TransCODE, `decades`, the mode that is the default",
    "transcode-reference": "TransCODE, `decades`, the published mode of the simulator",
    "transcode-unknown": "The same with nothing known beforehand",
    "transcode-second": "TransCODE, a second search under other weights",
    "transcode-four": "TransCODE, accuracy, latency, energy and area with at most 200 mm2: hypervolume",
    "library-qnli": "660 measured FlexiBERT models, QNLI",
    "library-qnli-batch4": "The same in batches of 4",
    "library-sst2": "Measured FlexiBERT models, SST-2",
    "library-sst2-batch4": "The same in batches of 4",
    "nasbench201": "NAS-Bench-201, CIFAR-10 accuracy",
    "nasbench-macro": "NAS-Bench-Macro, CIFAR-10 accuracy",
    "nasbench201-phone": "NAS-Bench-201, accuracy and latency on a phone: hypervolume",
    "nasbench201-gpu": "NAS-Bench-201, accuracy and latency on a GPU: hypervolume",
    "nasbench201-cpu": "NAS-Bench-201, accuracy and latency on a CPU: hypervolume",
    "cells": "Synthetic cells, graphs of varying size",
    "hartmann-6-noise": "Hartmann-6 with noise: true value of the design that measured best",
}


@dataclass(frozen=True)
class Summary:
    """The runs of a method on a task.

    Attributes:
        method: its name.
        curves: the best value, or the hypervolume, after each evaluation, shape `(seeds, budget)`.
        reached: for each seed, the evaluation that reached the optimum; inf if none did.
        seconds: processor seconds of choosing of each run.
    """

    method: str
    curves: Array
    reached: Array
    seconds: Array

    def quartiles(self, evaluation: int) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile after some evaluations."""
        column = self.curves[:, min(evaluation, self.curves.shape[1]) - 1]
        low, middle, high = np.percentile(column, (25, 50, 75))
        return float(low), float(middle), float(high)


def write(runs: Runs, folder: Path, tasks: Mapping[str, Maker]) -> None:
    """Writes `summary.csv`, `tables.md` and a figure for each task that has runs.

    Args:
        runs: all runs.
        folder: where to write.
        tasks: the tasks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[str] = []
    rows: list[list[object]] = []
    for name, make in tasks.items():
        if not list(runs.methods(name)):
            continue
        task = make(0)
        some = [summary(runs, task, method) for method in runs.methods(name)]
        some.sort(key=lambda one: (-one.quartiles(task.budget)[1], -one.quartiles(task.marks[0])[1]))
        parts.append(table(task, some))
        rows += [line for one in some for line in _lines(task, one)]
        figure(task, some, folder / f"{name}.png")
    head = ["task", "method", "seeds", "evaluations", "lower_quartile", "median", "upper_quartile"]
    head += ["seeds_at_optimum", "median_evaluations_to_optimum", "median_processor_seconds"]
    with (folder / "summary.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
    text = "\n\n".join(["# Searches compared\n\n" + _INTRODUCTION, *parts])
    (folder / "tables.md").write_text(text + "\n", encoding="utf-8")


_INTRODUCTION = """Written by `scripts/bench search` from all runs; [search.md](../search.md) says what they mean.
Medians over the seeds, in brackets the quartiles; larger is better. *Optimum* counts the seeds
that found the best design, and gives the median of the evaluations that it took (`-` if half
of the seeds or more did not). *s* is the median of the processor seconds of choosing in a
whole run. A star marks fewer than five seeds: an indication, no ranking."""


def summary(runs: Runs, task: Task[Any], method: str) -> Summary:
    """The runs of a method on a task; a run that ended early keeps its last value."""
    best: dict[int, list[float]] = defaultdict(list)
    seconds: dict[int, float] = {}
    for row in runs.rows(task.name, method):
        best[row.seed].append(row.best)
        seconds[row.seed] = row.seconds
    length = max(map(len, best.values()))
    curves = np.array([values + values[-1:] * (length - len(values)) for _, values in sorted(best.items())])
    worst = 0.0 if task.reference else np.nanmin(curves) if not np.isnan(curves).all() else np.nan
    curves = np.where(np.isnan(curves), worst, curves)  # nothing feasible yet
    reached = np.full(len(curves), np.inf)
    if task.optimum is not None and task.true is None:
        there = curves >= task.optimum - task.tolerance
        reached = np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, np.inf)
    return Summary(method, curves, reached, np.array(list(seconds.values())))


def table(task: Task[Any], some: list[Summary]) -> str:
    """A table in Markdown."""
    title = TITLES.get(task.name, task.name)
    about = f"Task `{task.name}`, batches of {task.batch}"
    if task.optimum is not None:
        kind = "hypervolume of the true front, or of the best one known" if task.reference else "best possible"
        about += f"; {kind} {task.optimum:.6g}"
    about += "."
    head = ["method", "seeds", *map(str, task.marks), "optimum", "s"]
    lines = [f"## {title}", "", about, "", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for one in some:
        count = len(one.curves)
        cells = [f"{one.method}{'*' if count < FEW else ''}", str(count)]
        for mark in task.marks:
            low, middle, high = (_shown(task, value) for value in one.quartiles(mark))
            cells.append(f"{middle} ({low} to {high})" if count > 1 else middle)
        middle_reached = float(np.median(one.reached)) if np.isfinite(one.reached).any() else np.inf
        evaluations = f"{middle_reached:.0f}" if np.isfinite(middle_reached) else "-"
        cells.append(f"{int(np.isfinite(one.reached).sum())} of {count}, {evaluations}" if _exact(task) else "")
        cells.append(
            f"{np.median(one.seconds):.2g}" if np.median(one.seconds) < 10 else f"{np.median(one.seconds):.0f}"
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _exact(task: Task[Any]) -> bool:
    """Whether the optimum can be met exactly: it is not an unreachable limit."""
    continuous = any(entry.nature == "continuous" for entry in task.flat.entries)
    return task.optimum is not None and task.reference is None and not continuous


def _shown(task: Task[Any], value: float) -> str:
    """A value with four significant digits; of the differences between good values, where these are close to 1."""
    if task.reference is None and any(entry.nature == "continuous" for entry in task.flat.entries):
        assert task.optimum is not None
        return f"{value - task.optimum:.2g}"  # minus the regret
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.5g}"


def _lines(task: Task[Any], one: Summary) -> list[list[object]]:
    middle = float(np.median(one.reached))
    return [
        [
            task.name,
            one.method,
            len(one.curves),
            mark,
            *(f"{value:.8g}" for value in one.quartiles(mark)),
            int(np.isfinite(one.reached).sum()),
            f"{middle:g}" if np.isfinite(middle) else "",
            f"{np.median(one.seconds):.3g}",
        ]
        for mark in task.marks
    ]


def figure(task: Task[Any], some: list[Summary], path: Path) -> None:
    """The medians over the evaluations, with the quartiles of the best methods as bands."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(figsize=(7.5, 4.5), layout="constrained")
    smooth = task.reference is None and any(entry.nature == "continuous" for entry in task.flat.entries)
    colours = pyplot.get_cmap("tab20")
    for place, one in enumerate(some):
        curves = task.optimum - one.curves if smooth and task.optimum is not None else one.curves
        if smooth:
            curves = np.maximum(curves, 1e-8)
        low, middle, high = np.percentile(curves, (25, 50, 75), axis=0)
        steps = np.arange(1, curves.shape[1] + 1)
        ours = one.method == "default"
        colour = "black" if ours else colours(place % 20)
        axes.plot(
            steps, middle, label=one.method, color=colour, linewidth=2.2 if ours else 1.2, zorder=3 if ours else 2
        )
        if ours or place < 3:
            axes.fill_between(steps, low, high, color=colour, alpha=0.12, linewidth=0)
    if smooth:
        axes.set_yscale("log")
        axes.set_ylabel("regret")
    else:
        axes.set_ylabel("hypervolume" if task.reference else "best value")
        if task.optimum is not None:
            axes.axhline(task.optimum, color="grey", linewidth=0.8, linestyle=":")
        _cut(axes, task, some)
    axes.set_xlabel("evaluations")
    axes.set_title(TITLES.get(task.name, task.name).replace("`", ""), fontsize=10)
    axes.legend(fontsize=7, ncol=2)
    drawn.savefig(path, dpi=80)
    pyplot.close(drawn)


def _cut(axes: Any, task: Task[Any], some: list[Summary]) -> None:
    """Leaves out the first evaluations of an axis that they would fill."""
    first = task.marks[0] // 2
    values = np.concatenate([one.curves[:, min(first, one.curves.shape[1]) - 1 :].ravel() for one in some])
    top = max(float(values.max()), task.optimum or -np.inf)
    low = float(np.percentile(values, 3))
    if low < top:
        axes.set_ylim(low - 0.02 * (top - low), top + 0.03 * (top - low))
