"""Tiles and cycles of operations, for many operations at once.

The order of the floating-point operations is that of AccelTran's published `simulate_fast`, so that no cycle is rounded
another way. Its faults are kept: the contraction axis counts twice in the number of tiles, and a convolution multiplies
`tile_y - kernel` times, which is negative for kernels longer than a tile (all of those in training), so such an
operation takes negative time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


class Shapes(NamedTuple):
    """Sizes of operations of one kind and of the accelerators that run them; arrays of one length.

    Attributes:
        batch: number of sequences.
        x, y, z: sizes as in `operations.RowKind`.
        tile_b, tile: sizes of the tile along the batch and along x and y.
    """

    batch: Integers
    x: Integers
    y: Integers
    z: Integers
    tile_b: Integers
    tile: Integers


def product_tiles(shapes: Shapes) -> Integers:
    """Number of tile operations of a product of (x, y) and (y, z)."""
    return plane_tiles(shapes) * _ceil_divided(shapes.y, shapes.tile) * _ceil_divided(shapes.z, shapes.tile)


def plane_tiles(shapes: Shapes) -> Integers:
    """Number of tile operations over (x, y) of convolutions, softmax, normalisation and non-linearity."""
    tiles = _ceil_divided(shapes.batch, shapes.tile_b) * _ceil_divided(shapes.x, shapes.tile)
    return tiles * _ceil_divided(shapes.y, shapes.tile)


def product_cycles(shapes: Shapes, tiles: Integers, multipliers: Numbers, density: Numbers) -> Integers:
    """Cycles on the MAC lanes.

    Args:
        shapes: shapes of the products.
        tiles: number of tiles of each.
        multipliers: number of multipliers of the whole chip.
        density: share of multiplications that are not skipped.
    """
    return _ceil(tiles * (shapes.tile_b * shapes.tile**3) / multipliers * density)


def convolution_cycles(shapes: Shapes, tiles: Integers, multipliers: Numbers, density: Numbers) -> Integers:
    """Cycles on the MAC lanes, below zero for a kernel longer than a tile.

    Args:
        shapes: shapes of the convolutions.
        tiles: number of tiles of each.
        multipliers: number of multipliers of the whole chip.
        density: share of multiplications that are not skipped.
    """
    return _ceil(tiles * (shapes.tile_b * shapes.tile * (shapes.tile - shapes.z)) / multipliers * density)


def rowwise_cycles(shapes: Shapes, tiles: Integers, modules: Numbers, density: float) -> Integers:
    """Cycles of softmax or layer normalisation.

    Args:
        shapes: shapes of the operations.
        tiles: number of tiles of each.
        modules: number of modules of the whole chip.
        density: share of elements that are not skipped.
    """
    return _ceil(tiles * shapes.tile_b * (shapes.tile + shapes.tile) * density / modules)


def transfer_cycles(elements: Integers, bits: float, bandwidth: Numbers) -> Integers:
    """Cycles of a transfer.

    Args:
        elements: number of elements that move.
        bits: number of bits of an element.
        bandwidth: bandwidth in bits per cycle.
    """
    return _ceil(elements * bits / bandwidth)


def work_bound(shapes: Shapes) -> Numbers:
    """Upper bound, in floating point, of the multiplications, tiles and elements of each operation."""
    batch, x, y, z, tile_b, tile = (array.astype(np.float64) for array in shapes)
    # Each axis is padded to a whole tile, and the contraction axis counts once more.
    return (batch + tile_b) * (x + tile) * (y + tile) ** 2 * (z + tile)


def _ceil_divided(size: Integers, tile: Integers) -> Integers:
    return -(-size // tile)


def _ceil(cycles: Numbers) -> Integers:
    return np.ceil(cycles).astype(np.int64)
