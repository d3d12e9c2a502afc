"""Measured accuracies and latencies in this package; tables/README.txt lists sources, columns and licences."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from explorer.contracts.space import Vector
from explorer.domains.cnn.nasbench.cells import EDGES, OPERATIONS
from explorer.domains.cnn.nasbench.counts import BLOCKS, IDENTITY, LAYERS
from explorer.domains.cnn.nasbench.options import Device


@cache
def cell_accuracies() -> Vector:
    """The accuracies of all cells in the order of the space, 0 to 1: shape `(15625, 5)`, columns as `ACCURACIES`."""
    return _shared(np.round(_table("nasbench201_accuracy")[:, 1:] / 100, 7))


@cache
def cell_indices() -> Vector:
    """The published index of each cell in the order of the space, shape `(15625,)`."""
    return _shared(_table("nasbench201_accuracy")[:, 0])


@cache
def cell_latencies_s(device: Device) -> Vector:
    """The latencies of all cells in the order of the space, shape `(15625,)`.

    Args:
        device: the device; a batch of its latency has the size in its name, otherwise it is one image.
    """
    return _shared(np.round(_table("nasbench201_latency", [device.value])[:, 0] / 1000, 12))


@cache
def macro_accuracies() -> Vector:
    """The accuracies of all networks in the order of the space, 0 to 1: shape `(6561, 3)`, one of each training."""
    return _shared(_table("nasbench_macro_accuracy") / 100)


def cell_number(operations: Sequence[str]) -> int:
    """The place of a cell in the order of the space.

    Args:
        operations: the operation of each edge, in the published order.
    """
    return _number([OPERATIONS.index(one) for one in operations], len(OPERATIONS), len(EDGES))


def macro_number(blocks: Sequence[str]) -> int:
    """The place of a network in the order of the space.

    Args:
        blocks: the block of each layer.
    """
    names = (IDENTITY, *BLOCKS)
    return _number([names.index(one) for one in blocks], len(names), len(LAYERS))


def _number(indices: Sequence[int], radix: int, count: int) -> int:
    return int(np.ravel_multi_index(tuple(indices), (radix,) * count))


def _table(name: str, columns: Sequence[str] | None = None) -> Vector:
    """A table of numbers, or the named columns of it, as an array of shape `(rows, columns)`."""
    place = files("explorer.domains.cnn.nasbench") / "tables" / f"{name}.csv.gz"
    with place.open("rb") as packed, gzip.open(packed, "rt", encoding="ascii") as lines:
        head = lines.readline().strip().split(",")
        taken = None if columns is None else [head.index(column) for column in columns]
        table: Vector = np.loadtxt(lines, delimiter=",", usecols=taken, ndmin=2)
        return table


def _shared(values: Vector) -> Vector:
    """The same array, which nobody can change."""
    values.setflags(write=False)
    return values
