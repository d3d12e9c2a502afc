"""The design space: beams in a row, each of some depth and material, as blocks of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.contracts.metric import Metric
from explorer.contracts.space import Choices
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture, Block, Edge

SPANS = 4
OPTIONS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {f"depth_{span}_cm": (20, 40, 80, 160) for span in range(SPANS)} | {"material": ("timber", "steel")}
)


class BeamBridgeSpace(OptionSpace):
    """Four beams between two banks: 512 bridges."""

    name = "beam_bridge"
    domain = "bridge"

    def __init__(self, options: Mapping[str, tuple[Any, ...]] = OPTIONS) -> None:
        super().__init__(options)

    def graph_of(self, choices: Choices) -> Architecture:
        """A bank, the beams, a bank."""
        beams = [
            Block("beam", {"depth_cm": choices[f"depth_{span}_cm"], "material": choices["material"]})
            for span in range(SPANS)
        ]
        blocks = [Block("bank"), *beams, Block("bank")]
        edges = [Edge(place, place + 1) for place in range(len(blocks) - 1)]
        return Architecture.of(self.domain, self.name, choices, blocks, edges)


def preset(name: str) -> Architecture:
    """The bridge of that name; there is one."""
    assert name == "footbridge"
    return BeamBridgeSpace().build({f"depth_{span}_cm": 40 for span in range(SPANS)} | {"material": "timber"})


def place(block: Block) -> float:
    """Where a block stands on the line of labels: a bank at 1, a beam higher the deeper it is, steel above timber."""
    if block.kind == "bank":
        return 1.0
    return 2.0 + int(block.attributes["depth_cm"]).bit_length() + 10.0 * (block.attributes["material"] == "steel")


METRIC = Metric(place, ("beam_bridge",))
