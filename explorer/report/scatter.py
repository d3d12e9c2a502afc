"""The designs of a sweep, as PNG and SVG: area, latency and energy two by two, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.report.figure import BLUE, GREY, save, subplots


@dataclass(frozen=True)
class Cloud:
    """One entry for each design. `on_front`: whether no other design is better in all three."""

    area_mm2: Sequence[float]
    latency_s: Sequence[float]
    energy_j: Sequence[float]
    on_front: Sequence[bool]


LABELS = {"area_mm2": "area (mm²)", "latency_s": "latency (s)", "energy_j": "energy per batch (J)"}
PLANES = (("area_mm2", "latency_s"), ("area_mm2", "energy_j"), ("latency_s", "energy_j"))


def plot(cloud: Cloud, title: str, path: Path) -> list[Path]:
    """Each pair of costs on log axes, with the front of that pair alone as a line.

    Args:
        cloud: the designs.
        title: above the picture.
        path: file name without suffix; its folder is made.

    Returns:
        The files written, `.png` and `.svg`.
    """
    figure, axes = subplots(1, len(PLANES), (13, 4.4))
    for axis, (x, y) in zip(axes, PLANES, strict=True):
        _scatter(axis, getattr(cloud, x), getattr(cloud, y), cloud.on_front)
        axis.set(xscale="log", yscale="log", xlabel=LABELS[x], ylabel=LABELS[y])
        axis.grid(visible=True, alpha=0.25)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.suptitle(title)
    return save(figure, path)


def staircase(x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
    """The points that no other is left of and below, from left to right."""
    xs: list[float] = []
    ys: list[float] = []
    for point_x, point_y in sorted(zip(x, y, strict=True)):
        if not ys or point_y < ys[-1]:
            xs.append(point_x)
            ys.append(point_y)
    return xs, ys


def _scatter(axis: Any, x: Sequence[float], y: Sequence[float], on_front: Sequence[bool]) -> None:
    for chosen, label, colour, size, order in (
        (False, "dominated", GREY, 8, 1),
        (True, "Pareto-optimal in all three", BLUE, 22, 3),
    ):
        kept = [index for index, front in enumerate(on_front) if front == chosen]
        if kept:
            axis.scatter(
                [x[index] for index in kept],
                [y[index] for index in kept],
                label=f"{label} ({len(kept):,})",
                s=size,
                color=colour,
                alpha=0.45 if not chosen else 1.0,
                linewidths=0,
                rasterized=len(kept) > 2000,  # an SVG of many points would be larger than the PNG
                zorder=order,
            )
    axis.step(*staircase(x, y), where="post", color=BLUE, linewidth=1, alpha=0.7, label="front of the two", zorder=2)
