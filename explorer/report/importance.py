"""The importance of decisions, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from explorer.report.figure import BLUE, GREY, save, subplots

MOST = 20


def plot(shares: Mapping[str, float], measure: str, title: str, path: Path) -> list[Path]:
    """Plots a bar for each of the most important decisions, and one for the largest of all others.

    Args:
        shares: decision -> its importance, a share; at least one decision.
        measure: what the importance is, for the axis.
        title: the title of the plot.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.

    Raises:
        InputError: the folder cannot be written to.
    """
    return save(picture(shares, measure, title), path)


def picture(shares: Mapping[str, float], measure: str, title: str) -> Any:
    """The figure that `plot` writes.

    Args:
        shares: decision -> its importance.
        measure: what the importance is.
        title: the title.
    """
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    shown, rest = ordered[:MOST], ordered[MOST:]
    bars = [(name, 100 * share, BLUE) for name, share in shown]
    if rest:
        bars.append((f"each of {len(rest)} others, at most", 100 * rest[0][1], GREY))
    figure, axis = subplots(1, 1, (8, 1.6 + 0.28 * len(bars)))
    axis.barh([name for name, _, _ in bars], [width for _, width, _ in bars], color=[colour for *_, colour in bars])
    axis.invert_yaxis()
    axis.set_xlim(0, None)
    figure.supxlabel(f"{measure} (%)", fontsize="medium")  # below the names as well, which may be long
    axis.grid(visible=True, axis="x", alpha=0.25)
    figure.suptitle(title)
    return figure
