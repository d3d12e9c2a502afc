"""Golden figures and designs for the tests of AccelTran."""

from __future__ import annotations

import csv
import json
from typing import Any

from graphdb.architecture import Architecture
from tests import places

DATA = places.DATA / "acceltran"
COUNTS = ("tile_b", "tile_x", "tile_y", "pe", "lanes_per_pe", "mac_per_lane", "softmax_per_pe", "batch_size")
BUFFERS = ("activation_buffer_mb", "weight_buffer_mb", "mask_buffer_mb")
PARTS = ("mac", "softmax", "layer_norm", "sparsity", "others")

EDGE: dict[str, Any] = {
    "tile_b": 1,
    "tile_x": 16,
    "tile_y": 16,
    "pe": 64,
    "lanes_per_pe": 16,
    "mac_per_lane": 16,
    "softmax_per_pe": 4,
    "batch_size": 4,
    "activation_buffer_mb": 4,
    "weight_buffer_mb": 8,
    "mask_buffer_mb": 1,
    "memory": "dram_32_2_1",
    "non_linearity": "gelu",
}
SERVER = {
    **EDGE,
    "pe": 512,
    "lanes_per_pe": 32,
    "softmax_per_pe": 32,
    "activation_buffer_mb": 32,
    "weight_buffer_mb": 64,
    "mask_buffer_mb": 8,
    "memory": "rram_32_2_1",
}


def bert(layers: int, heads: int, width: int, hidden: int, feed_forward: int) -> dict[str, Any]:
    """A homogeneous model dictionary."""
    return {
        "l": layers,
        "o": [[f"sa_sdp_{width}"] * heads] * layers,
        "h": [hidden] * layers,
        "f": [[feed_forward]] * layers,
    }


BERT_NANO, BERT_TINY, BERT_BASE = bert(1, 2, 16, 32, 64), bert(2, 2, 64, 128, 512), bert(12, 12, 64, 768, 3072)


def pair(model: dict[str, Any], accelerator: dict[str, Any]) -> dict[str, Architecture]:
    """Architectures without graphs: the simulator reads choices only."""
    return {
        "model": Architecture.of("transformer", "transformer_free", model, [], []),
        "accelerator": Architecture.of("accelerator", "acceltran_free", accelerator, [], []),
    }


def table(name: str) -> list[dict[str, str]]:
    """Rows of a table of golden figures."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def models() -> dict[str, dict[str, Any]]:
    """Model dictionaries of the published pairs, by id."""
    entries = json.loads((DATA / "pair_transformers.json").read_text(encoding="utf-8"))
    return {key: entry["model_dict"] for key, entry in entries.items()}


def numbers(row: dict[str, str]) -> dict[str, Any]:
    """Counts and buffer sizes of a row."""
    buffers = {name: float(row[name]) if "." in row[name] else int(row[name]) for name in BUFFERS}
    return {name: int(row[name]) for name in COUNTS} | buffers


def energies_j(row: dict[str, str], dynamic: str, leakage: str, scale: float = 1e-9) -> dict[str, float]:
    """Measure -> golden energy; `dynamic` and `leakage` are the column names with `{}` for the part."""
    columns = {f"energy_{part}_dynamic_j": dynamic.format(part) for part in PARTS}
    columns |= {f"energy_{part}_leakage_j": leakage.format(part) for part in PARTS}
    return {measure: float(row[column]) * scale for measure, column in columns.items()}
