"""The growth of a study's Pareto front, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from explorer.report.figure import BLUE, save, subplots


def plot(volumes: Sequence[float], title: str, path: Path) -> list[Path]:
    """Plots the hypervolume after each trial, as a share of the last one.

    The volume itself is in the product of the units of its measures, which means nothing to a reader.

    Args:
        volumes: one volume for each trial, none below the previous one; the last above 0.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    figure, axis = subplots(1, 1, (7, 3.2))
    axis.step(range(len(volumes)), [100 * volume / volumes[-1] for volume in volumes], where="post", color=BLUE)
    axis.set(xlabel="trial", ylabel="hypervolume (% of the last)", ylim=(0, 105))
    axis.set_xlim(0, max(1, len(volumes) - 1))
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(visible=True, alpha=0.25)
    figure.suptitle(title)
    return save(figure, path)
