"""The graph of an architecture as PNG and SVG: sources at the top, one layer per row."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.report.drawing import groups_of, label_of, layers_of
from explorer.report.figure import coloured, save, subplots
from graphdb.architecture import Architecture

LINE_INCHES, COLUMN_INCHES, GAP_INCHES = 0.135, 2.5, 0.3
_LINE_LETTERS = 36
_LETTER_INCHES = 0.058  # average width of a letter of 7-point type
_MOST_INCHES = 120.0
"""Longest side of a picture; common viewers show at most 18,000 pixels."""


@dataclass(frozen=True)
class Box:
    """Blocks that are drawn as one.

    Attributes:
        row: the row, counted from the top.
        x: the middle of the box, in inches from the middle of the picture.
        y: the middle of the box, in inches from the top.
        text: the lines of text: the kind, then the attributes.
        kind: the kind of the blocks.
        members: the positions of the blocks.
    """

    row: int
    x: float
    y: float
    text: str
    kind: str
    members: tuple[int, ...]

    @property
    def half_height(self) -> float:
        """Half the height, in inches."""
        return _height(self.text) / 2

    @property
    def half_width(self) -> float:
        """Half the approximate width, in inches."""
        return max(map(len, self.text.splitlines())) * _LETTER_INCHES / 2 + 0.07


def boxes_of(architecture: Architecture) -> list[Box]:
    """The boxes from the top, those of a row side by side around the middle.

    Blocks with the same kind, attributes and neighbours share a box with their number.
    """
    layers = layers_of(architecture)
    rows: dict[int, list[tuple[int, ...]]] = {}
    for members in groups_of(architecture, layers):
        rows.setdefault(layers[members[0]], []).append(members)
    boxes, top = [], 0.0
    for row in sorted(rows):
        texts = [_text(architecture, members) for members in rows[row]]
        height = max(map(_height, texts))
        for place, (members, text) in enumerate(zip(rows[row], texts, strict=True)):
            x = (place - (len(texts) - 1) / 2) * COLUMN_INCHES
            boxes.append(Box(row, x, top + height / 2, text, architecture.blocks[members[0]].kind, members))
        top += height + GAP_INCHES
    return boxes


def plot(architecture: Architecture, title: str, path: Path) -> list[Path]:
    """Draws the graph; edges that skip rows are arcs on the right of their boxes, edges that go back up on the left.

    Args:
        architecture: the architecture of any domain.
        title: the title of the picture.
        path: the file name without suffix; its folder is created.

    Returns:
        The files written, `.png` and `.svg`.
    """
    boxes = boxes_of(architecture)
    half = max((abs(box.x) + box.half_width for box in boxes), default=1.0) + 0.8
    bottom = max((box.y + box.half_height for box in boxes), default=1.0)
    figure, axis = subplots(1, 1, (min(2 * half, _MOST_INCHES), min(bottom + 0.6, _MOST_INCHES)))
    colours = coloured(box.kind for box in boxes)
    for box in boxes:
        _draw_box(axis, box, colours[box.kind])
    for source, target in _arrows(architecture, boxes):
        between = [box for box in boxes if min(source.row, target.row) < box.row < max(source.row, target.row)]
        _draw_arrow(axis, source, target, between)
    axis.set(xlim=(-half, half), ylim=(bottom + 0.1, -0.1))
    axis.axis("off")
    figure.suptitle(title, fontsize="small")
    return save(figure, path)


def _text(architecture: Architecture, members: Sequence[int]) -> str:
    kind, _, attributes = label_of(architecture.blocks[members[0]]).partition(" ")
    first = (f"{len(members)} x " if len(members) > 1 else "") + kind
    return "\n".join([first, *textwrap.wrap(attributes, _LINE_LETTERS)])


def _height(text: str) -> float:
    return (text.count("\n") + 1) * LINE_INCHES + 0.1


def _arrows(architecture: Architecture, boxes: Sequence[Box]) -> list[tuple[Box, Box]]:
    home = {member: box for box in boxes for member in box.members}
    return list(dict.fromkeys((home[edge.source], home[edge.target]) for edge in architecture.edges))


def _draw_box(axis: Any, box: Box, colour: str) -> None:
    frame = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": colour, "linewidth": 1.4}
    axis.text(box.x, box.y, box.text, ha="center", va="center", fontsize=7, zorder=3, bbox=frame)


def _draw_arrow(axis: Any, source: Box, target: Box, between: Sequence[Box]) -> None:
    if target.row == source.row + 1:
        start, end, bend = (source.x, source.y + source.half_height), (target.x, target.y - target.half_height), 0.0
    else:
        side = 1 if target.row > source.row else -1
        start, end = (source.x + side * source.half_width, source.y), (target.x + side * target.half_width, target.y)
        wide = max((box.half_width for box in between), default=0.0) - (source.half_width + target.half_width) / 2
        bend = -2 * (max(wide, 0.0) + 0.25) / math.dist(start, end)  # an arc bulges half its bend times its length
    style = {"arrowstyle": "-|>", "color": "#666666", "linewidth": 0.8, "shrinkA": 2, "shrinkB": 2}
    arrow = style | {"connectionstyle": f"arc3,rad={bend}"}
    axis.annotate("", xy=end, xytext=start, zorder=1, arrowprops=arrow)
