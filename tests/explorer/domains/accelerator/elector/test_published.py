"""The YAML files of AccelTran's publication: accelerators and design spaces."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from explorer import registry
from explorer.cli.space import named_space
from explorer.services.references import read_architecture
from graphdb.errors import InputError

EDGE: dict[str, Any] = {
    "tile": {"tile_b": 1, "tile_x": 16, "tile_y": 16},
    "non_linearity": "gelu",
    "pe": 64,
    "lanes_per_pe": 16,
    "mac_per_lane": 16,
    "softmax_per_pe": 4,
    "batch_size": 4,
    "activation_buffer_size": 4,
    "weight_buffer_size": 8,
    "mask_buffer_size": 1,
    "loop_unrolling": "b_i_j_k",
    "main_memory": {"type": "dram", "mode": "lb", "banks": 32, "ranks": 2, "channels": 1},
    "scheduler": {
        "compute_ops": {"tiled": True, "batch_size": 8},
        "memory_ops": {"tiled": False, "batch_size": 1},
    },
}
MEMORIES = {
    "rram": [(16, 2, 2), (8, 2, 4), (4, 2, 8), (2, 2, 16), (32, 2, 1), (1, 2, 32)],
    "dram": [(16, 2, 2), (8, 2, 4), (32, 2, 1), (16, 4, 1)],
    "hbm": [(32, 1, 4)],
}
SPACE: dict[str, Any] = {
    "tile": {"tile_b": [1, 4], "tile_x": [8, 16, 32], "tile_y": [8, 16, 32]},
    "non_linearity": ["relu", "gelu"],
    "pe": [64, 128, 256, 512, 1024],
    "lanes_per_pe": [8, 16, 32, 64, 128],
    "mac_per_lane": [1, 16],
    "softmax_per_pe": [2, 4, 8, 16, 32, 64],
    "batch_size": [4, 16, 32],
    "activation_buffer_size": [4, 8, 16, 32, 64],
    "weight_buffer_size": [8, 16, 32, 64, 128],
    "mask_buffer_size": [1, 2, 4, 8, 16],
    "main_memory_config": {
        name: [dict(zip(("banks", "ranks", "channels"), parts, strict=True)) for parts in variants]
        for name, variants in MEMORIES.items()
    },
}


def written(folder: Path, value: object) -> Path:
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump(value, sort_keys=False))
    return file


def changed(value: dict[str, Any], path: str, entry: object) -> dict[str, Any]:
    copy = deepcopy(value)
    *outer, last = path.split(".")
    part = copy
    for name in outer:
        part = part[name]
    part[last] = entry
    return copy


def test_the_published_file_of_the_edge_accelerator_is_the_preset(tmp_path: Path) -> None:
    assert read_architecture(written(tmp_path, EDGE)) == registry.preset("edge")


@pytest.mark.parametrize(
    ("path", "entry", "words"),
    [
        ("main_memory.mode", "hb", "The mode of main_memory is 'hb'; allowed: lb"),
        ("main_memory.banks", 5, "memory is 'dram_5_2_1'; allowed: rram_16_2_2"),
        ("scheduler.memory_ops.tiled", True, "tiled in memory_ops of scheduler is True; allowed: false"),
        ("scheduler.memory_ops.batch_size", 2, "batch_size in memory_ops of scheduler is 2; allowed: 1"),
        ("tile", 16, "tile is 16; allowed: a mapping with the keys tile_b, tile_x, tile_y"),
        ("colour", "red", "The file: The key 'colour' is unknown"),
        ("pe", "many", "pe is 'many'"),
    ],
)
def test_what_an_accelerator_file_cannot_ask_for(tmp_path: Path, path: str, entry: object, words: str) -> None:
    file = written(tmp_path, changed(EDGE, path, entry))
    with pytest.raises(InputError) as refused:
        read_architecture(file)
    assert words in str(refused.value)
    assert str(refused.value).startswith(str(file))


def test_the_published_space_is_elector_and_a_wider_one_a_space_of_its_own(tmp_path: Path) -> None:
    published, wider = (
        named_space(str(written(tmp_path, value)))
        for value in (SPACE, changed(SPACE, "mask_buffer_size", [0.5, 1, 2, 4, 8, 16]))
    )
    assert (published.name, published.size) == ("elector", registry.space("elector").size)
    assert (wider.name, wider.size) == ("acceltran_free", 17_820_000)
    drawn = wider.sample(np.random.default_rng(0))
    assert wider.build(drawn) == registry.space("acceltran_free").build(drawn)


@pytest.mark.parametrize(
    ("path", "entry", "words"),
    [
        ("pe", [], "pe is []; allowed: a list"),
        ("pe", [64, 64], "each value counts once"),
        ("pe", [0], "pe is 0; allowed: an integer"),
        ("tile.tile_y", [8], "tile_y is [8]; allowed: the values of tile_x"),
        ("tile.tile_x", [8, 7, 32], "tile_y is"),
        ("main_memory_config.dram", 3, "main_memory_config is"),
        ("main_memory_config.dram", [{"banks": 1}], "The key ranks is missing"),
        ("softmax_per_pe", {}, "softmax_per_pe is {}"),
    ],
)
def test_a_space_file_with_faults_is_refused_in_one_sentence(
    tmp_path: Path, path: str, entry: object, words: str
) -> None:
    file = written(tmp_path, changed(SPACE, path, entry))
    with pytest.raises(InputError) as refused:
        named_space(str(file))
    assert words in str(refused.value)
    assert str(refused.value).startswith(str(file))
