"""Routes of edges around the boxes of a layered picture, in the manner of Sugiyama, Tagawa and Toda (1981).

An edge moves sideways only in the bands between two rows of boxes; it passes the rows that it skips in a lane beside
all of their boxes. So no edge crosses a box, however many boxes there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
_CLEAR_INCHES, _LANE_INCHES = 0.2, 0.13
_PORT = 0.55
"""Where long edges meet a box, as a share of half its width from the middle."""


@dataclass(frozen=True)
class Box:
    """Blocks that are drawn as one.

    Attributes:
        row: the row, counted from the top.
        x: the middle of the box, in inches from the middle of the picture.
        y: the middle of the box, in inches from the top.
        half_width, half_height: half its width and height, in inches.
        text: the lines of text: the kind, then the attributes.
        kind: the kind of the blocks.
        members: the positions of the blocks.
    """

    row: int
    x: float
    y: float
    half_width: float
    half_height: float
    text: str
    kind: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class Route:
    """The course of an edge.

    Attributes:
        source, target: the boxes that it joins.
        start: its first point, on the rim of the source.
        pieces: what follows: one point for a straight line, three for a cubic Bézier curve with its two controls.
        back: whether it goes back up, or stays in its row.
    """

    source: Box
    target: Box
    start: Point
    pieces: Sequence[Sequence[Point]]
    back: bool

    @property
    def end(self) -> Point:
        """The last point, on the rim of the target."""
        return self.pieces[-1][-1]


@dataclass(frozen=True)
class _Lane:
    """A lane beside the rows from `first` to `last`, on the right (`side` 1) or left (-1) of their boxes."""

    first: int
    last: int
    side: int
    x: float


def routes_of(boxes: Sequence[Box], pairs: Sequence[tuple[Box, Box]], gap_inches: float) -> list[Route]:
    """A route for each edge, in their order.

    Args:
        boxes: the boxes.
        pairs: the source and target of each edge.
        gap_inches: the height of the bands between rows.
    """
    tops, bottoms = _rims(boxes)
    lanes = _lanes(boxes, pairs)
    routes = []
    for at, (source, target) in enumerate(pairs):
        if source.row == target.row:
            routes.append(_within_row(source, target, bottoms[source.row], gap_inches))
            continue
        back = source.row > target.row
        upper, lower = (target, source) if back else (source, target)
        lane = lanes.get(at)
        side = lane.side if lane else -1 if back else 0
        first = (upper.x + side * _PORT * upper.half_width, upper.y + upper.half_height)
        last = (lower.x + side * _PORT * lower.half_width, lower.y - lower.half_height)
        corners = [first, (first[0], bottoms[upper.row])]
        if lane:
            corners += [(lane.x, tops[upper.row + 1]), (lane.x, bottoms[lower.row - 1])]
        corners += [(last[0], tops[lower.row]), last]
        if back:
            corners.reverse()
        routes.append(Route(source, target, corners[0], _smooth(corners), back))
    return routes


def extent(boxes: Sequence[Box], routes: Sequence[Route]) -> float:
    """How far boxes and routes reach from the middle of the picture, in inches."""
    corners = [point[0] for route in routes for piece in route.pieces for point in piece]
    return max([abs(box.x) + box.half_width for box in boxes] + [abs(x) for x in corners], default=1.0)


def _rims(boxes: Sequence[Box]) -> tuple[dict[int, float], dict[int, float]]:
    """The top and the bottom of each row."""
    tops: dict[int, float] = {}
    bottoms: dict[int, float] = {}
    for box in boxes:
        tops[box.row] = min(tops.get(box.row, box.y), box.y - box.half_height)
        bottoms[box.row] = max(bottoms.get(box.row, box.y), box.y + box.half_height)
    return tops, bottoms


def _lanes(boxes: Sequence[Box], pairs: Sequence[tuple[Box, Box]]) -> dict[int, _Lane]:
    """The lane of each edge that skips rows, by its position; short edges have the inner lanes."""
    reach: dict[tuple[int, int], float] = {}
    for box in boxes:
        for side in (-1, 1):
            reach[box.row, side] = max(reach.get((box.row, side), 0.0), side * box.x + box.half_width)
    skipping = [at for at, (source, target) in enumerate(pairs) if abs(source.row - target.row) > 1]
    lanes: dict[int, _Lane] = {}
    for at in sorted(skipping, key=lambda at: abs(pairs[at][0].row - pairs[at][1].row)):
        source, target = pairs[at]
        first, last = min(source.row, target.row) + 1, max(source.row, target.row) - 1
        middle = source.x + target.x
        side = (1 if middle > 0 else -1) if abs(middle) > 0.1 else -1 if source.row > target.row else 1
        away = max(reach[row, side] for row in range(first, last + 1)) + _CLEAR_INCHES
        beside = [one for one in lanes.values() if one.side == side and one.first <= last and first <= one.last]
        for taken in sorted(side * one.x for one in beside):
            if abs(away - taken) < _LANE_INCHES - 1e-9:
                away = taken + _LANE_INCHES
        lanes[at] = _Lane(first, last, side, side * away)
    return lanes


def _within_row(source: Box, target: Box, bottom: float, gap_inches: float) -> Route:
    """An edge within a row: down from the source, through the band below, and up to the target."""
    start = (source.x + _PORT * source.half_width, source.y + source.half_height)
    end = (target.x - _PORT * target.half_width, target.y + target.half_height)
    low = bottom + 0.9 * gap_inches
    curve = [(start[0], low), (end[0], low), (end[0], bottom)]
    pieces = [[(start[0], bottom)], curve, [end]]
    return Route(source, target, start, [piece for piece in pieces if len(piece) > 1 or piece[0] != start], back=True)


def _smooth(corners: Sequence[Point]) -> list[list[Point]]:
    """Straight lines where a route goes up or down, and curves that begin and end upright where it moves sideways."""
    pieces: list[list[Point]] = []
    for (x, y), (after_x, after_y) in pairwise(corners):
        if abs(after_x - x) > 1e-9:
            half = (y + after_y) / 2
            pieces.append([(x, half), (after_x, half), (after_x, after_y)])
        elif abs(after_y - y) > 1e-9:
            pieces.append([(after_x, after_y)])
    return pieces
