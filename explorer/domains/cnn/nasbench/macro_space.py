"""The design space of NAS-Bench-Macro: 6,561 networks of eight layers, each of which was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from explorer.contracts.space import Choices
from explorer.domains.cnn.nasbench.counts import BLOCKS, IDENTITY, LAYERS
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture, Block, Edge

DECISIONS = tuple(f"layer_{place + 1}" for place in range(len(LAYERS)))
OPTIONS: Mapping[str, tuple[Any, ...]] = MappingProxyType(dict.fromkeys(DECISIONS, (IDENTITY, *BLOCKS)))


class NasBenchMacroSpace(OptionSpace):
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


def blocks_of(choices: Choices) -> tuple[str, ...]:
    """The block of each layer."""
    return tuple(choices[name] for name in DECISIONS)


def choices_of(blocks: Sequence[str]) -> Choices:
    """The choices of the block of each layer."""
    return dict(zip(DECISIONS, blocks, strict=True))
