"""Summaries of an architecture that need no measurement, as targets for embeddings before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gnn.data import Vocabulary
from gnn.positions import depth_of, relative_depths
from graphdb.architecture import Architecture, Block

Array = NDArray[np.float64]


def structural_targets(architectures: Sequence[Architecture], vocabulary: Vocabulary | None = None) -> dict[str, Array]:
    """Summaries of every graph, each an array of shape `(n,)`.

    They are the numbers of blocks and edges, the depth, the frequency of every kind and category, and the sum of every
    numeric attribute in units of its smallest value, all as log(1 + v); each is also weighted with the relative depth
    of the blocks, so that the same blocks in another order give other targets.

    Args:
        architectures: the graphs.
        vocabulary: defines the kinds and attributes; by default the vocabulary of `architectures`.
    """
    vocabulary = vocabulary or Vocabulary.of(architectures)
    rows = [_summary(architecture, vocabulary) for architecture in architectures]
    return {name: np.array([row[name] for row in rows]) for name in structural_names(vocabulary)}


def structural_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The names of the structural targets that a vocabulary gives."""
    counted = [f"kind:{kind}" for kind in vocabulary.kinds]
    counted += [f"{column.name}={value}" for column in vocabulary.blocks.categories for value in column.values]
    counted += [f"sum:{column.name}" for column in vocabulary.blocks.numeric]
    return ("blocks", "edges", "depth", *(f"{name}{suffix}" for name in counted for suffix in ("", "@depth")))


def _summary(architecture: Architecture, vocabulary: Vocabulary) -> dict[str, float]:
    totals = dict.fromkeys(structural_names(vocabulary), 0.0)
    units = {column.name: column.unit for column in vocabulary.blocks.numeric}
    for block, place in zip(architecture.blocks, relative_depths(architecture), strict=True):
        for name, amount in _contributions(block, units).items():
            if name in totals:
                totals[name] += amount
                totals[f"{name}@depth"] += amount * float(place)
    totals |= {"blocks": len(architecture.blocks), "edges": len(architecture.edges), "depth": depth_of(architecture)}
    return {name: float(np.sign(total) * np.log1p(abs(total))) for name, total in totals.items()}


def _contributions(block: Block, units: Mapping[str, float]) -> dict[str, float]:
    amounts = {f"kind:{block.kind}": 1.0}
    for name, value in block.attributes.items():
        if isinstance(value, bool | str):
            amounts[f"{name}={str(value).lower() if isinstance(value, bool) else value}"] = 1.0
        elif name in units:
            amounts[f"sum:{name}"] = float(value) / units[name]
    return amounts
