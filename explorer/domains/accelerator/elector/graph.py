"""The block graph of an AccelTran accelerator: units as blocks, data paths as edges.

Source: the organisation described in AccelTran (main memory, three buffers, processing elements of MAC lanes with
sparsity-aware modules) and its simulator's modules.
"""

from __future__ import annotations

import math

from explorer.contracts.space import Choices
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ, DATA_BITS
from explorer.domains.accelerator.elector.hardware import (
    BUFFER_BANDWIDTH_BYTES_PER_S,
    DEFAULT_LOOP_ORDER,
    FIFO_ELEMENTS,
    MEBIBYTE,
    MainMemory,
    default_issue_width,
    main_memory,
)
from explorer.domains.accelerator.memory import UserMemory
from graphdb.architecture import Block, Edge, Scalar

DATA_PATHS = (
    ("dma", "activation_buffer"),
    ("dma", "weight_buffer"),
    ("dma", "mask_buffer"),
    ("activation_buffer", "dataflow"),
    ("weight_buffer", "dataflow"),
    ("mask_buffer", "dataflow"),
    ("control", "dataflow"),
    ("dataflow", "fifo"),
    ("fifo", "pre_sparsity"),
    ("pre_sparsity", "multiplier"),
    ("multiplier", "mac_lane"),
    ("mac_lane", "post_sparsity"),
    ("dataflow", "softmax"),
    ("dataflow", "layer_norm"),
    ("post_sparsity", "activation_buffer"),
    ("post_sparsity", "mask_buffer"),
    ("softmax", "activation_buffer"),
    ("layer_norm", "activation_buffer"),
    ("main_memory", "dma"),
)
"""Data paths between units, including results that are written back to the buffers."""


def block_graph(choices: Choices) -> tuple[list[Block], list[Edge]]:
    """Blocks and edges of canonical choices.

    `count` is the number of such units on the whole chip. Edges at main memory, at a buffer and at the multipliers
    carry `bandwidth_bytes_per_s`: the nominal bandwidth, that of the buffer's port, and that of one pair of operands
    per multiplier and clock cycle.
    """
    units = _units(choices)
    position = {name: index for index, name in enumerate(units)}
    blocks = [Block(name, attributes) for name, attributes in units.items()]
    edges = [Edge(position[source], position[target], _path(source, target, choices)) for source, target in DATA_PATHS]
    return blocks, edges


def _path(source: str, target: str, choices: Choices) -> dict[str, Scalar]:
    memory = main_memory(choices["memory"]).bandwidth_bytes_per_s
    if source == "main_memory":
        return {"bandwidth_bytes_per_s": memory}
    if source == "dma":
        return {"bandwidth_bytes_per_s": min(memory, BUFFER_BANDWIDTH_BYTES_PER_S)}
    if "buffer" in source or "buffer" in target:
        return {"bandwidth_bytes_per_s": BUFFER_BANDWIDTH_BYTES_PER_S}
    if target == "multiplier":
        multipliers = choices["pe"] * choices["lanes_per_pe"] * choices["mac_per_lane"]
        return {"bandwidth_bytes_per_s": multipliers * 2 * DATA_BITS / 8 * CLOCK_HZ}
    return {}


def _units(choices: Choices) -> dict[str, dict[str, Scalar]]:
    memory = main_memory(choices["memory"])
    pe, tile = choices["pe"], choices["tile_x"]
    lanes = pe * choices["lanes_per_pe"]
    return {
        "main_memory": _memory(memory),
        "dma": {"count": pe},
        "activation_buffer": {"capacity_bytes": _bytes(choices["activation_buffer_mb"])},
        "weight_buffer": {"capacity_bytes": _bytes(choices["weight_buffer_mb"])},
        "mask_buffer": {"capacity_bytes": _bytes(choices["mask_buffer_mb"])},
        "control": {
            "batch_size": choices["batch_size"],
            "tile_b": choices["tile_b"],
            "tile_x": tile,
            "tile_y": choices["tile_y"],
            "issue_width": choices.get("issue_width", default_issue_width(pe)),
            "loop_order": choices.get("loop_order", DEFAULT_LOOP_ORDER),
            "clock_hz": CLOCK_HZ,
        },
        "dataflow": {"count": pe},
        "fifo": {"count": lanes, "depth_elements": FIFO_ELEMENTS},
        "pre_sparsity": {"count": lanes},
        "multiplier": {"count": lanes * choices["mac_per_lane"], "width_bits": DATA_BITS},
        "mac_lane": {
            "count": lanes,
            "multipliers": choices["mac_per_lane"],
            "non_linearity": choices["non_linearity"],
        },
        "post_sparsity": {"count": lanes},
        "softmax": {"count": pe * choices["softmax_per_pe"], "tile_elements": tile * tile},
        "layer_norm": {"count": pe, "tile_elements": tile * tile},
    }


def _memory(memory: MainMemory | UserMemory) -> dict[str, Scalar]:
    organised: dict[str, Scalar] = {}
    if isinstance(memory, MainMemory):
        organised = {"banks": memory.banks, "ranks": memory.ranks, "channels": memory.channels}
    return {
        "technology": memory.technology,
        **organised,
        "bandwidth_bytes_per_s": memory.bandwidth_bytes_per_s,
    }


def _bytes(mebibytes: float) -> int:
    return math.ceil(mebibytes * MEBIBYTE)
