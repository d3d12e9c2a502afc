"""The graph of an architecture as PNG and SVG: sources at the top, one layer per row.

Edges are drawn around boxes: an edge moves sideways only between two rows, and passes the rows that it skips in a lane
beside their boxes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from explorer.report.drawing import groups_of, label_of, layers_of
from explorer.report.figure import Style, mixed, save, styled, subplots
from explorer.report.routing import Box, Route, extent, routes_of
from graphdb.architecture import Architecture

LINE_INCHES, GAP_INCHES, BESIDE_INCHES = 0.135, 0.34, 0.3
_LINE_LETTERS = 36
_POINTS, _TITLE_POINTS = 7.0, 8.5
_MOST_INCHES = 120.0
"""Longest side of a picture; common viewers show at most 18,000 pixels."""


def boxes_of(architecture: Architecture) -> list[Box]:
    """The boxes from the top, those of a row side by side around the middle, each near those that feed it.

    Blocks with the same kind, attributes and neighbours share a box with their number.
    """
    layers = layers_of(architecture)
    feeding: dict[int, set[int]] = {}
    for edge in architecture.edges:
        feeding.setdefault(edge.target, set()).add(edge.source)
    rows: dict[int, list[tuple[int, ...]]] = {}
    for members in groups_of(architecture, layers):
        rows.setdefault(layers[members[0]], []).append(members)
    boxes: list[Box] = []
    places: dict[int, float] = {}
    top = 0.0
    for row in sorted(rows):
        above = {members: [places[at] for at in feeding.get(members[0], ()) if at in places] for members in rows[row]}
        ordered = sorted(rows[row], key=lambda members: sum(above[members]) / max(len(above[members]), 1))
        texts = [_text(architecture, members) for members in ordered]
        height = max(map(_height, texts))
        sizes = [max(_width_inches(line, _POINTS) for line in text.splitlines()) + 0.2 for text in texts]
        left = -(sum(sizes) + BESIDE_INCHES * (len(sizes) - 1)) / 2
        for members, text, width in zip(ordered, texts, sizes, strict=True):
            kind = architecture.blocks[members[0]].kind
            box = Box(row, left + width / 2, top + height / 2, width / 2, _height(text) / 2, text, kind, members)
            boxes.append(box)
            places |= dict.fromkeys(members, box.x)
            left += width + BESIDE_INCHES
        top += height + GAP_INCHES
    return boxes


def arrows_of(architecture: Architecture, boxes: Sequence[Box]) -> list[Route]:
    """The edges between boxes, each routed around all of them; equal ones are drawn once."""
    home = {member: box for box in boxes for member in box.members}
    pairs = dict.fromkeys((home[edge.source], home[edge.target]) for edge in architecture.edges)
    return routes_of(boxes, list(pairs), GAP_INCHES)


def plot(architecture: Architecture, title: str, path: Path, kinds: Sequence[str] = ()) -> list[Path]:
    """Draws the graph; edges that go back up are dashed.

    Args:
        architecture: the architecture of any domain.
        title: the title of the picture, shown whole.
        path: the file name without suffix; its folder is created.
        kinds: the kinds of blocks that the domain has, from which each has its own colour.

    Returns:
        The files written, `.png` and `.svg`.
    """
    boxes = boxes_of(architecture)
    routes = arrows_of(architecture, boxes)
    lines = title.split("\n")
    head = 0.16 * len(lines) + 0.16
    half = max(extent(boxes, routes), *(_width_inches(line, _TITLE_POINTS) / 2 for line in lines)) + 0.25
    bottom = max((box.y + box.half_height for box in boxes), default=1.0) + GAP_INCHES
    scale = min(1.0, _MOST_INCHES / max(2 * half, bottom + head))
    figure, axis = subplots(1, 1, (2 * half * scale, (bottom + head) * scale))
    figure.set_layout_engine("none")  # one unit of the axes is an inch, so that boxes are as large as their text
    axis.set_position((0, 0, 1, 1))
    axis.set(xlim=(-half, half), ylim=(bottom, -head))
    axis.axis("off")
    styles = styled((box.kind for box in boxes), kinds)
    for box in boxes:
        _draw_box(axis, box, styles[box.kind], scale)
    for route in routes:
        _draw_route(axis, route, scale)
    axis.text(0, 0.1 - head, title, ha="center", va="top", fontsize=_TITLE_POINTS * scale, linespacing=1.3)
    return save(figure, path)


def _text(architecture: Architecture, members: Sequence[int]) -> str:
    kind, _, attributes = label_of(architecture.blocks[members[0]]).partition(" ")
    first = (f"{len(members)} x " if len(members) > 1 else "") + kind
    return "\n".join([first, *textwrap.wrap(attributes, _LINE_LETTERS)])


def _height(text: str) -> float:
    return (text.count("\n") + 1) * LINE_INCHES + 0.1


@lru_cache(maxsize=1 << 12)
def _width_inches(line: str, points: float) -> float:
    """The width of a line of text as it is drawn."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(line, FontProperties(size=points), ismath=False)
    return float(width) / 72


def _draw_box(axis: Any, box: Box, style: Style, scale: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    left, top = box.x - box.half_width, box.y - box.half_height
    shape: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.05",
        "edgecolor": style.colour,
        "linestyle": style.line,
    }
    shape["facecolor"] = mixed(style.colour, 0.16) if style.tinted else "white"
    frame = FancyBboxPatch(
        (left, top), 2 * box.half_width, 2 * box.half_height, linewidth=1.4 * scale, zorder=3, **shape
    )
    axis.add_patch(frame)
    axis.text(box.x, box.y, box.text, ha="center", va="center", fontsize=_POINTS * scale, zorder=4)


def _draw_route(axis: Any, route: Route, scale: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Outline

    codes = [1, *(code for piece in route.pieces for code in [len(piece) + 1] * len(piece))]
    corners = [route.start, *(point for piece in route.pieces for point in piece)]
    style: dict[str, Any] = {
        "arrowstyle": "-|>",
        "mutation_scale": 7 * scale,
        "color": "#555555",
        "linewidth": 0.8 * scale,
    }
    dashes = (0, (4, 2)) if route.back else "-"
    axis.add_patch(FancyArrowPatch(path=Outline(corners, codes), linestyle=dashes, zorder=2, **style))
