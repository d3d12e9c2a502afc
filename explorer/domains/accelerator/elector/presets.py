"""The accelerators that come with AccelTran's simulator."""

from __future__ import annotations

from typing import Any

from explorer.domains.accelerator.elector.free import FreeAccelTranSpace
from graphdb.architecture import Architecture

_COMMON = {
    "tile_b": 1,
    "tile_x": 16,
    "tile_y": 16,
    "mac_per_lane": 16,
    "batch_size": 4,
    "non_linearity": "gelu",
    "loop_order": "b_i_j_k",
}
_EDGE = {
    "pe": 64,
    "lanes_per_pe": 16,
    "softmax_per_pe": 4,
    "memory": "dram_32_2_1",
    "activation_buffer_mb": 4,
    "weight_buffer_mb": 8,
    "mask_buffer_mb": 1,
}
_SERVER = {
    "pe": 512,
    "lanes_per_pe": 32,
    "softmax_per_pe": 32,
    "memory": "rram_32_2_1",
    "activation_buffer_mb": 32,
    "weight_buffer_mb": 64,
    "mask_buffer_mb": 8,
}
_NANO = {
    "pe": 256,
    "lanes_per_pe": 4,
    "softmax_per_pe": 1,
    "memory": "rram_16_2_2",
    "activation_buffer_mb": 1,
    "weight_buffer_mb": 0.125,
    "mask_buffer_mb": 0.5,
}
_PRESETS: dict[str, dict[str, Any]] = {
    "edge": {**_EDGE, "issue_width": 8},
    "edge-lp": {**_EDGE, "issue_width": 2},
    "server": {**_SERVER, "issue_width": 128},
    "nano": {**_NANO, "issue_width": 16},
}


def preset(name: str) -> Architecture:
    """One of `edge`, `edge-lp`, `server` and `nano`.

    `edge` and `server` are AccelTran-Edge and AccelTran-Server; `edge-lp` is the low-power mode, which differs only in
    issuing fewer tiles at once; the weight buffer of `nano` is too small for the embeddings of any preset model.
    """
    return FreeAccelTranSpace().build({**_COMMON, **_PRESETS[name]})
