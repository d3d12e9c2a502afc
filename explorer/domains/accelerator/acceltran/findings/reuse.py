"""Re-use of operands by the MAC lanes: the number of buffer reads that each order of a product's loops saves.

The tiles of a product run over the batch b, the rows i of the first operand, the columns j of the second and the
contraction k. They are issued in the order of the loops, outermost first, to the lanes in turn; a lane that already has
an operand from its previous tile does not read it again. Tile t therefore re-uses an operand if tile t - lanes has the
same indices on that operand's axes.

Source: AccelTran's published `run_dataflow.py` and `modules.py`. `run_dataflow.py`, which drew the published figure,
treats the second operand as the same if b and k are, whatever j is: the rule `published`. `modules.py` and the rule
`right` compare j too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

from explorer.domains.accelerator.acceltran.columns import Figure, larger, smallest
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.domains.accelerator.acceltran.chip.constants import Overlay


class ReuseRule(StrEnum):
    """Rule for when the second operand of a product counts as the same."""

    PUBLISHED = "published"
    RIGHT = "right"


LOOPS = "bijk"
ORDERS = tuple("".join(order) for order in permutations(LOOPS))
"""All orders of the four loops, outermost first."""
_FIRST = frozenset("bik")
_SECOND = {ReuseRule.PUBLISHED: frozenset("bk"), ReuseRule.RIGHT: frozenset("bkj")}


class Reuse(NamedTuple):
    """Numbers of tiles whose first and second operands were already in the lane."""

    operand_1: int
    operand_2: int


def reuse(
    order: str,
    tiles_b: int,
    tiles_i: int,
    tiles_j: int,
    tiles_k: int,
    lanes: int,
    rule: ReuseRule = ReuseRule.RIGHT,
    shared: tuple[bool, bool] = (False, False),
) -> Reuse:
    """Re-use of both operands of a product, exactly and in constant time; numbers may be columns (see `columns`).

    Args:
        order: order of the loops, outermost first, such as `bijk` or `b_i_j_k`.
        tiles_b, tiles_i, tiles_j, tiles_k: numbers of tiles along each axis.
        lanes: number of MAC lanes, which take tiles in turn.
        rule: rule for when the second operand counts as the same; see the module.
        shared: for each operand, whether the whole batch shares it, as with weights that are loaded once; b is then not
            compared.

    Raises:
        InputError: `order` is not an order of the four loops, the rule is unknown, or a number is below 1.
    """
    loops = _loops(order, LOOPS)
    if rule not in {*ReuseRule}:
        raise InputError(f"The re-use rule is {str(rule)!r:.60}; allowed: {', '.join(ReuseRule)}.")
    sizes: dict[str, Figure] = {"b": tiles_b, "i": tiles_i, "j": tiles_j, "k": tiles_k}
    for name, size in {**{f"tiles_{loop}": size for loop, size in sizes.items()}, "lanes": lanes}.items():
        if smallest(size) < 1:
            raise InputError(f"The number {name} is {size}; allowed: integers from 1.")
    compared = [_FIRST, _SECOND[rule]]
    saved = [
        _same([(sizes[loop], loop in axes and not (once and loop == "b")) for loop in loops], lanes)[0]
        for axes, once in zip(compared, shared, strict=True)
    ]
    return Reuse(*saved)


def convolution_reuse(order: str, tiles_b: int, tiles_i: int, tiles_j: int, lanes: int) -> Reuse:
    """Re-use of a convolution's input and kernel.

    Each tile has its own input, and the kernel stays in a lane until the operation ends, so the six orders of the three
    loops are equivalent.

    Args:
        order: order of the loops, outermost first.
        tiles_b, tiles_i, tiles_j: numbers of tiles along each axis.
        lanes: number of MAC lanes, which take tiles in turn.

    Raises:
        InputError: `order` is not an order of the three loops, with or without k, or a number is below 1.
    """
    _loops(order.replace("k", ""), LOOPS[:-1])
    tiles = tiles_b * tiles_i * tiles_j
    if min(map(smallest, (tiles_b, tiles_i, tiles_j, lanes))) < 1:
        raise InputError(f"The tiles and lanes are {(tiles_b, tiles_i, tiles_j, lanes)}; allowed: integers from 1.")
    return Reuse(0, larger(tiles - lanes, 0))


def _loops(order: str, allowed: str) -> str:
    loops = order.replace("_", "")
    if sorted(loops) != sorted(allowed):
        raise InputError(f"The loop order is {order!r:.60}; allowed: the letters {', '.join(allowed)}, each once.")
    return loops


def _same(loops: list[tuple[Figure, bool]], distance: Figure) -> tuple[Figure, Figure]:
    """Numbers of positions t of nested loops whose fixed indices are the same at t and at t + `distance`.

    A fixed innermost loop keeps its index only over whole turns. A free one of size n passes a distance of q n + r on
    to the loops around it as q, or as q + 1 for the last r of its indices. Both loops therefore need the numbers for
    q and for q + 1, so each level gives the two numbers for its `distance` and for one more.

    Args:
        loops: size of each loop and whether its index is fixed, outermost first.
        distance: distance, not below zero.
    """
    if not loops:
        return (distance == 0) * 1, 0
    *around, (size, fixed) = loops
    turns, rest = divmod(distance, size)
    here, there = _same(around, turns)
    if fixed:
        return (rest == 0) * size * here, (rest == size - 1) * size * there
    return (size - rest) * here + rest * there, (size - rest - 1) * here + (rest + 1) * there


@dataclass(frozen=True, slots=True)
class DataflowRow:
    """The figures of one order of the loops.

    Attributes:
        order: order of the loops, outermost first.
        energy_nj: dynamic energy of the MAC lanes and of reading operands.
        reuse_instances: number of operands that were not read again.
    """

    order: str
    energy_nj: float
    reuse_instances: int


def dataflow_study(
    m: int,
    n: int,
    p: int,
    batch: int = 4,
    tile: int = 16,
    lanes: int = 4,
    rule: ReuseRule = ReuseRule.RIGHT,
    activation_sparsity: float = 0.5,
    buffer_mib: float = 4.0,
    overlay: Overlay = (),
) -> list[DataflowRow]:
    """Dynamic energy and re-use of the product (batch, m, n) by (batch, n, p) under all 24 orders of the loops.

    As in the published study, tiles are `tile` by `tile` of one sequence, on lanes of 16 multipliers with GeLU, and
    both operands are read densely from an activation buffer, each element as a byte.

    Args:
        m, n, p, batch: sizes of the product.
        tile: rows and columns of a tile.
        lanes: number of MAC lanes.
        rule: rule of `reuse`; `published` gives the published figure.
        activation_sparsity: share of the multiplications that are skipped.
        buffer_mib: size of the activation buffer.
        overlay: constants of a user's library.

    Raises:
        InputError: a size is below 1, the sparsity is outside [0, 1), or `reuse` refuses its arguments.
    """
    for name, value in {"m": m, "n": n, "p": p, "batch": batch, "tile": tile}.items():
        if value < 1:
            raise InputError(f"The size {name} of the product is {value}; allowed: integers from 1.")
    if not 0 <= activation_sparsity < 1 or not buffer_mib > 0:
        raise InputError(
            f"The sparsity and buffer of the study are {activation_sparsity} and {buffer_mib} MiB; "
            "allowed: from 0 to below 1, and above 0."
        )
    from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_MHZ, constants

    counts = (batch, -(-m // tile), -(-p // tile), -(-n // tile))
    tiles = math.prod(counts)
    table = constants(overlay)
    buffer, lane = table["activation_buffer", ""], table["mac_lane", "16_gelu"]
    read_nj = buffer["energy"] * math.sqrt(buffer_mib) * tile * tile / buffer["block"]
    tile_nj = lane["dynamic"] / CLOCK_MHZ * math.ceil(tile**3 / 16 * (1 - activation_sparsity))
    rows = []
    for order in ORDERS:
        saved = sum(reuse(order, *counts, lanes=lanes, rule=rule))
        rows.append(DataflowRow(order, tiles * tile_nj + (2 * tiles - saved) * read_nj, saved))
    return rows


def table_rows(rows: list[DataflowRow]) -> list[dict[str, Any]]:
    """The rows for a table or JSON, lowest energy first, with the ratio to the lowest."""
    least = min(row.energy_nj for row in rows)
    return [
        {
            "order": row.order,
            "energy_nj": row.energy_nj,
            "reuse_instances": row.reuse_instances,
            "energy_ratio": row.energy_nj / least,
        }
        for row in sorted(rows, key=lambda row: (row.energy_nj, row.order))
    ]
