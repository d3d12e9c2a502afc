"""The hardware choices of an AccelTran accelerator: the values that ELECTOR allows, and main memories.

Sources: `design_space_accelerator.yaml` of transcode and `config/` of acceltran (both BSD-3-Clause).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer.domains.accelerator.memory import UserMemory

MEBIBYTE = 1 << 20
FIFO_ELEMENTS = 32
BUFFER_BANDWIDTH_BYTES_PER_S = 370e9


@dataclass(frozen=True, slots=True)
class MainMemory:
    """A main memory option. Its technology determines its bandwidth: 25.6 GB/s for DRAM, 256 GB/s for the others."""

    technology: str
    banks: int
    ranks: int
    channels: int

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Nominal bandwidth."""
        return 25.6e9 if self.technology == "dram" else 256e9


def _memory(name: str) -> MainMemory:
    technology, banks, ranks, channels = name.split("_")
    return MainMemory(technology, int(banks), int(ranks), int(channels))


PUBLISHED_MEMORIES = (
    "rram_16_2_2",
    "rram_8_2_4",
    "rram_4_2_8",
    "rram_2_2_16",
    "rram_32_2_1",
    "rram_1_2_32",
    "dram_16_2_2",
    "dram_8_2_4",
    "dram_32_2_1",
    "dram_16_4_1",
    "hbm_32_1_4",
)
"""`<technology>_<banks>_<ranks>_<channels>` in the order of the published memory index."""

MAIN_MEMORIES = MappingProxyType({name: _memory(name) for name in PUBLISHED_MEMORIES})


def main_memory(choice: str | Mapping[str, Any]) -> MainMemory | UserMemory:
    """The main memory that legal choices name or define."""
    return MAIN_MEMORIES[choice] if isinstance(choice, str) else UserMemory.of(choice)


HYPERPARAMETERS = MappingProxyType(
    {
        "tile_b": (1, 4),
        "tile_x": (8, 16, 32),
        "pe": (64, 128, 256, 512, 1024),
        "lanes_per_pe": (8, 16, 32, 64, 128),
        "mac_per_lane": (1, 16),
        "softmax_per_pe": (2, 4, 8, 16, 32, 64),
        "batch_size": (4, 16, 32),
        "activation_buffer_mb": (4, 8, 16, 32, 64),
        "weight_buffer_mb": (8, 16, 32, 64, 128),
        "mask_buffer_mb": (1, 2, 4, 8, 16),
        "memory": (
            "dram_8_2_4",
            "dram_16_2_2",
            "dram_16_4_1",
            "dram_32_2_1",
            "rram_1_2_32",
            "rram_2_2_16",
            "rram_4_2_8",
            "rram_8_2_4",
            "hbm_32_1_4",
            "rram_16_2_2",
            "rram_32_2_1",
        ),
        "non_linearity": ("relu", "gelu"),
    }
)
"""The free decisions of ELECTOR, each in ascending order; `tile_y` always equals `tile_x`.

Memories are ordered by rising bandwidth, then by falling energy of an access.
"""

LOOP_ORDERS = tuple("_".join(order) for order in itertools.permutations("bijk"))
"""The 24 dataflows, outermost loop first."""
DEFAULT_LOOP_ORDER = "b_i_j_k"


def default_issue_width(pe: int) -> int:
    """Default number of tiles that the scheduler issues at once: a quarter of the processing elements."""
    return max(1, pe // 4)
