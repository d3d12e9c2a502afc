"""The design space of ELECTOR: 14,850,000 AccelTran accelerators.

Source: `design_space_accelerator.yaml` of transcode, including the non-linearity (ReLU or GeLU).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.contracts.space import Choices
from explorer.domains.accelerator.elector.graph import block_graph
from explorer.domains.accelerator.elector.hardware import HYPERPARAMETERS
from explorer.toolkit.option_space import OptionSpace
from explorer.toolkit.reading import among, key_violations, refused
from graphdb.architecture import Architecture

NAMES = (
    "tile_b",
    "tile_x",
    "tile_y",
    "pe",
    "lanes_per_pe",
    "mac_per_lane",
    "softmax_per_pe",
    "batch_size",
    "activation_buffer_mb",
    "weight_buffer_mb",
    "mask_buffer_mb",
    "memory",
    "non_linearity",
)
"""The keys of the choices: the columns of the published table, buffers in MiB. `tile_y` always equals `tile_x`."""


class ElectorSpace(OptionSpace):
    """AccelTran accelerators: tiles, processing elements, MAC lanes, softmax units, batch, buffers and main memory.

    The vector form has 12 entries, one for each decision in the order of `hardware.HYPERPARAMETERS`: the index of its
    value. As nearly every value is twice the previous one, an index is a logarithm, and a step means the same
    everywhere; the published form holds raw values, which crowds small values together.
    """

    name = "elector"
    domain = "accelerator"

    def __init__(self, options: Mapping[str, tuple[Any, ...]] = HYPERPARAMETERS) -> None:
        """
        Args:
            options: decision -> values that it may take.
        """
        super().__init__(options)

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal."""
        faults = key_violations(choices, NAMES)
        if faults:
            return faults
        faults = self.refusals(choices)
        if not among(choices["tile_y"], [choices["tile_x"]]):
            faults.append(refused("tile_y", choices["tile_y"], "the value of tile_x"))
        return faults

    def normalise(self, choices: Choices) -> Choices:
        """The keys in their order; legal choices have only one form."""
        return {name: choices[name] for name in NAMES}

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph of units and data paths."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(choices))

    def choices_at(self, indices: list[int]) -> Choices:
        """The design with these indices of values, including `tile_y`."""
        picked = super().choices_at(indices)
        return {name: picked["tile_x" if name == "tile_y" else name] for name in NAMES}

    def summary(self, choices: Choices) -> Mapping[str, str]:
        """Column -> text, for tables of many designs."""
        buffers = (choices[f"{name}_buffer_mb"] for name in ("activation", "weight", "mask"))
        return {
            "PE x lane x MAC": " x ".join(str(choices[name]) for name in ("pe", "lanes_per_pe", "mac_per_lane")),
            "softmax": str(choices["softmax_per_pe"]),
            "tile": str(choices["tile_x"]),
            "batch": str(choices["batch_size"]),
            "buffers (MiB)": "/".join(f"{size:g}" for size in buffers),
            "memory": choices["memory"],
            "function": choices["non_linearity"],
        }
