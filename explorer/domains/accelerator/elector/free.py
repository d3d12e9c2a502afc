"""`FreeAccelTranSpace`: AccelTran accelerators of any size, for presets and users' files."""

from __future__ import annotations

from typing import Any

from explorer.contracts.space import Choices
from explorer.domains.accelerator.elector.graph import block_graph
from explorer.domains.accelerator.elector.hardware import (
    DEFAULT_LOOP_ORDER,
    HYPERPARAMETERS,
    LOOP_ORDERS,
    PUBLISHED_MEMORIES,
    default_issue_width,
)
from explorer.domains.accelerator.elector.space import NAMES
from explorer.domains.accelerator.memory import UserMemory, user_memory_violations
from explorer.toolkit.open_space import OpenSpace
from explorer.toolkit.reading import among, is_integer, is_number, key_violations, listed, refused
from graphdb.architecture import Architecture

MOST_UNITS = 1 << 16
LARGEST_BUFFER_MB = 1 << 16

_OPTIONS: dict[str, tuple[Any, ...]] = {
    # Synthesised modules exist only in these sizes.
    "tile_x": HYPERPARAMETERS["tile_x"],
    "mac_per_lane": HYPERPARAMETERS["mac_per_lane"],
    "non_linearity": HYPERPARAMETERS["non_linearity"],
    "loop_order": LOOP_ORDERS,
}
_COUNTS = ("tile_b", "pe", "lanes_per_pe", "softmax_per_pe", "batch_size", "issue_width")
_BUFFERS = ("activation_buffer_mb", "weight_buffer_mb", "mask_buffer_mb")


class FreeAccelTranSpace(OpenSpace):
    """Accelerators with the keys of ELECTOR, any positive counts and buffer sizes, and two optional keys.

    The optional keys are `issue_width`, the number of tiles that the scheduler issues at once (default: a quarter of
    the processing elements), and `loop_order`, the nesting of the loops over a matrix product's tiles, outermost first
    (default: b_i_j_k). The memory may also be user-defined (see `memory.UserMemory`).
    """

    name = "acceltran_free"
    domain = "accelerator"

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal."""
        faults = key_violations(choices, NAMES, ("issue_width", "loop_order"))
        if faults:
            return faults
        for name, value in choices.items():
            if name in _COUNTS and not (is_integer(value) and 1 <= value <= MOST_UNITS):
                faults.append(refused(name, value, f"an integer from 1 to {MOST_UNITS}"))
            elif name in _BUFFERS and not (is_number(value) and 0 < value <= LARGEST_BUFFER_MB):
                faults.append(refused(name, value, f"a number of MiB above 0 and up to {LARGEST_BUFFER_MB}"))
            elif name in _OPTIONS and not among(value, _OPTIONS[name]):
                faults.append(refused(name, value, listed(_OPTIONS[name])))
            elif name == "memory":
                faults += _memory_violations(value)
        if not among(choices["tile_y"], [choices["tile_x"]]):
            faults.append(refused("tile_y", choices["tile_y"], "the value of tile_x"))
        return faults

    def normalise(self, choices: Choices) -> Choices:
        """All keys, with defaults filled in."""
        filled = {"issue_width": default_issue_width(choices["pe"]), "loop_order": DEFAULT_LOOP_ORDER, **choices}
        if not isinstance(filled["memory"], str):
            filled["memory"] = UserMemory.of(filled["memory"]).choice()
        return {name: filled[name] for name in (*NAMES, "issue_width", "loop_order")}

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph of units and data paths."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(choices))


def _memory_violations(value: object) -> list[str]:
    if isinstance(value, dict):
        return user_memory_violations(value)
    return [] if among(value, PUBLISHED_MEMORIES) else [refused("memory", value, listed(PUBLISHED_MEMORIES))]
