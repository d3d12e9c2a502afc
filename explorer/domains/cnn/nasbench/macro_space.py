"""The design space of NAS-Bench-Macro: 6,561 networks of eight layers, each of which was trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, Vector
from explorer.domains.cnn.nasbench.counts import BLOCKS, IDENTITY, LAYERS, macro_network
from explorer.domains.cnn.nasbench.described_space import DescribedSpace
from graphdb.architecture import Architecture, Block, Edge

DECISIONS = tuple(f"layer_{place + 1}" for place in range(len(LAYERS)))
_NAMES = (IDENTITY, *BLOCKS)
OPTIONS: Mapping[str, tuple[Any, ...]] = MappingProxyType(dict.fromkeys(DECISIONS, _NAMES))
_STAGES = tuple(tuple(place for place, layer in enumerate(LAYERS) if layer.stage == stage) for stage in (1, 2, 3))
"""The places of the layers of each stage."""
_LEAST, _MOST = (macro_network([one] * len(LAYERS)) for one in (IDENTITY, _NAMES[-1]))
ENTRIES = (
    *(Entry(name, Nature.ORDERED, 0.0, len(_NAMES) - 1.0, "layers") for name in DECISIONS),
    *(
        Entry(f"{name} in stage {stage}", Nature.ORDERED, 0.0, len(_STAGES[-1]), "counts")
        for stage in (1, 2, 3)
        for name in BLOCKS
    ),
    Entry("multiplications", Nature.ORDERED, math.log(_LEAST.multiplications), math.log(_MOST.multiplications)),
    Entry("parameters", Nature.ORDERED, math.log(_LEAST.parameters), math.log(_MOST.parameters)),
)
"""The entries of the descriptions of networks."""


class NasBenchMacroSpace(DescribedSpace):
    """Eight layers in stages of 2, 3 and 3, each an identity or one of two inverted bottlenecks.

    Source: Su and others 2021, "Prioritized Architecture Sampling with Monto-Carlo Tree Search". `mb3_k3` widens
    threefold and has a 3 x 3 kernel, `mb6_k5` sixfold with 5 x 5. In the graph an identity is left out, except as the
    first layer of a stage, where it is a pointwise convolution with stride 2: so the 3,969 different networks have
    different graphs.

    Args:
        options: decision -> allowed blocks.
    """

    name = "nasbench_macro"
    domain = "cnn"
    values = _NAMES
    features = ENTRIES

    def __init__(self, options: Mapping[str, tuple[Any, ...]] = OPTIONS) -> None:
        super().__init__(options)

    def graph_of(self, choices: Choices) -> Architecture:
        """A chain: the input, the layers that have an effect, the output."""
        blocks = [Block("input")]
        for layer, name in zip(LAYERS, blocks_of(choices), strict=True):
            shape = {"channels": layer.outputs, "stride": 2 if layer.first else 1}
            if name in BLOCKS:
                expansion, kernel = BLOCKS[name]
                blocks.append(Block("inverted_bottleneck", {"kernel": kernel, "expansion": expansion, **shape}))
            elif layer.first:
                blocks.append(Block("reduction", shape))
        blocks.append(Block("output"))
        edges = [Edge(place, place + 1) for place in range(len(blocks) - 1)]
        return Architecture.of(self.domain, self.name, choices, blocks, edges)

    def summary(self, choices: Choices) -> Mapping[str, str]:
        """The blocks of each stage."""
        blocks = blocks_of(choices)
        return {
            f"stage {stage}": ", ".join(one for one, layer in zip(blocks, LAYERS, strict=True) if layer.stage == stage)
            for stage in (1, 2, 3)
        }

    @staticmethod
    def table() -> Vector:
        """The descriptions of all networks: layers, how many blocks of each kind a stage has, and the size."""
        return _descriptions()


def blocks_of(choices: Choices) -> tuple[str, ...]:
    """The block of each layer."""
    return tuple(choices[name] for name in DECISIONS)


def choices_of(blocks: Sequence[str]) -> Choices:
    """The choices of the block of each layer."""
    return dict(zip(DECISIONS, blocks, strict=True))


@cache
def _descriptions() -> Vector:
    """The descriptions of all networks in order, shape `(6561, entries)`.

    Identities after the first layer of a stage have no effect, so the others move up. The order of the blocks counts:
    they compute more from one to the next, and a Gaussian process predicts better than from mere names.
    """
    rows = []
    for blocks in product(range(len(_NAMES)), repeat=len(LAYERS)):
        layers, counts = [], []
        for first, *later in _STAGES:
            kept = [blocks[place] for place in later if blocks[place]]
            stage = [blocks[first], *kept, *[0] * (len(later) - len(kept))]
            layers += stage
            counts += [stage.count(kind) for kind in range(1, len(_NAMES))]
        size = macro_network([_NAMES[one] for one in blocks])
        rows.append([*layers, *counts, math.log(size.multiplications), math.log(size.parameters)])
    return np.array(rows, dtype=np.float64)
