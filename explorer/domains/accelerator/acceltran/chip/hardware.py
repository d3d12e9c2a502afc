"""`Hardware`: an accelerator's checked choices, with its powers, energies, bandwidths and area.

Source: AccelTran's published `accelerator.py`, `pe.py`, `buffer.py` and constants. Main memory, interconnect and
control are not part of the area.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from explorer.domains.accelerator.acceltran.chip.constants import (
    Overlay,
    Quantities,
    constants,
    memory_constants,
    variants,
)
from explorer.domains.accelerator.memory import UserMemory, user_memory_violations
from graphdb.errors import InputError

COUNTS = ("tile_b", "tile_x", "tile_y", "pe", "lanes_per_pe", "mac_per_lane", "softmax_per_pe", "batch_size")
BUFFERS = ("activation_buffer_mb", "weight_buffer_mb", "mask_buffer_mb")
NAMES = (*COUNTS, *BUFFERS, "memory", "non_linearity")
IGNORED = ("issue_width", "loop_order")
"""Choices that do not affect the fast engine."""
MOST_UNITS = 1 << 16


class Hardware(NamedTuple):
    """One accelerator; energies in nJ, powers of all units of the chip in mW, bandwidths in bits per cycle.

    `sparsity_*` and `others_*` are the powers of all pre- and post-sparsity modules, and of one DMA, FIFO and dataflow
    module per processing element (with stochastic rounding in training), as the published fast engine takes them.
    """

    tile_b: int
    tile: int
    pe: int
    multipliers: int
    softmax_modules: int
    batch_size: int
    weight_buffer_mb: float
    area_mm2: float
    memory_bandwidth: float
    memory_nj: float
    buffer_bandwidth: float
    activation_nj: float
    weight_nj: float
    mac_dynamic: float
    mac_leakage: float
    softmax_dynamic: float
    softmax_leakage: float
    layer_norm_dynamic: float
    layer_norm_leakage: float
    sparsity_dynamic: float
    sparsity_leakage: float
    others_dynamic: float
    others_leakage: float


def hardware(choices: Mapping[str, Any], training: bool, overlay: Overlay = ()) -> Hardware:
    """The accelerator that `choices` describe.

    Args:
        choices: choices of an accelerator; its memory may be user-defined.
        training: whether stochastic rounding is included.
        overlay: constants of a user's library that replace published ones.

    Raises:
        InputError: a choice is missing, or the tables of constants do not cover it.
    """
    values = {"non_linearity": "gelu", **choices}
    missing = [name for name in NAMES if name not in values]
    unknown = [name for name in values if name not in NAMES + IGNORED]
    if missing or unknown:
        raise InputError(
            f"The accelerator has {'no' if missing else 'an unknown'} choice {(missing or unknown)[0]!r:.60}; "
            f"allowed: {', '.join(NAMES + IGNORED)}."
        )
    if isinstance(values["memory"], Mapping):
        violations = user_memory_violations(values["memory"])
        if violations:
            raise InputError(f"The accelerator's {violations[0]}")
        values["memory"] = UserMemory.of(values["memory"])
    elif not isinstance(values["memory"], str):
        _refuse("memory", values["memory"], "a name, or a user-defined memory")
    if not isinstance(values["non_linearity"], str):
        _refuse("non_linearity", values["non_linearity"], "a name")
    for name in COUNTS + BUFFERS:
        if not isinstance(values[name], int | float):
            _refuse(name, values[name], "a number")
    # Types are part of the cache key: True and 1 are equal, but one of them is refused.
    return _hardware(tuple((name, type(values[name]), values[name]) for name in NAMES), training, overlay)


@lru_cache(maxsize=8192)
def _hardware(values: tuple[tuple[str, type, Any], ...], training: bool, overlay: Overlay) -> Hardware:
    c = {name: value for name, _, value in values}
    _check(c)
    module = constants(overlay)
    lane = module["mac_lane", f"{c['mac_per_lane']}_{c['non_linearity']}"]
    softmax, layer_norm = module["softmax", str(c["tile_x"])], module["layer_norm", str(c["tile_x"])]
    others = [module[name, ""] for name in ("dma", "fifo", "dataflow")]
    sparsity = [module[name, ""] for name in ("pre_sparsity", "post_sparsity")]
    if training:
        others.append(module["stochastic_rounding", ""])
    lanes, softmax_modules = c["pe"] * c["lanes_per_pe"], c["pe"] * c["softmax_per_pe"]
    memory = memory_constants(c["memory"], overlay)
    return Hardware(
        tile_b=c["tile_b"],
        tile=c["tile_x"],
        pe=c["pe"],
        multipliers=lanes * c["mac_per_lane"],
        softmax_modules=softmax_modules,
        batch_size=c["batch_size"],
        weight_buffer_mb=c["weight_buffer_mb"],
        area_mm2=_area_um2(c, training, overlay) / 1e6,
        memory_bandwidth=memory["bandwidth"],
        memory_nj=memory["energy"] / module["main_memory", ""]["block"],
        buffer_bandwidth=module["activation_buffer", ""]["bandwidth"],
        activation_nj=_element_nj("activation", c, overlay),
        weight_nj=_element_nj("weight", c, overlay),
        mac_dynamic=lane["dynamic"] * lanes,
        mac_leakage=lane["leakage"] * lanes,
        softmax_dynamic=softmax["dynamic"] * softmax_modules,
        softmax_leakage=softmax["leakage"] * softmax_modules,
        layer_norm_dynamic=layer_norm["dynamic"] * c["pe"],
        layer_norm_leakage=layer_norm["leakage"] * c["pe"],
        sparsity_dynamic=_sum("dynamic", sparsity) * lanes,
        sparsity_leakage=_sum("leakage", sparsity) * lanes,
        others_dynamic=_sum("dynamic", others) * c["pe"],
        others_leakage=_sum("leakage", others) * c["pe"],
    )


def _area_um2(c: Mapping[str, Any], training: bool, overlay: Overlay) -> float:
    module = constants(overlay)
    per_lane = [module["mac_lane", f"{c['mac_per_lane']}_{c['non_linearity']}"]]
    per_lane += [module[name, ""] for name in ("pre_sparsity", "post_sparsity", "fifo")]
    if training:
        per_lane.append(module["stochastic_rounding", ""])
    element = (
        c["lanes_per_pe"] * _sum("area", per_lane)
        + c["softmax_per_pe"] * module["softmax", str(c["tile_x"])]["area"]
        + module["layer_norm", str(c["tile_x"])]["area"]
        + module["dataflow", ""]["area"]
        + module["dma", ""]["area"]
    )
    buffers = sum(module[name.removesuffix("_mb"), ""]["area"] * c[name] for name in BUFFERS)
    return float(c["pe"] * element + buffers)


def _element_nj(buffer: str, c: Mapping[str, Any], overlay: Overlay) -> float:
    """Energy of moving one element into `buffer`. An access moves a block of elements or of bytes at the same cost."""
    quantities = constants(overlay)[f"{buffer}_buffer", ""]
    return quantities["energy"] * math.sqrt(c[f"{buffer}_buffer_mb"]) / quantities["block"]


def _sum(quantity: str, modules: list[Quantities]) -> float:
    return sum(module[quantity] for module in modules)


def _check(c: Mapping[str, Any]) -> None:
    for name in COUNTS:
        if type(c[name]) is not int or not 1 <= c[name] <= MOST_UNITS:
            _refuse(name, c[name], f"an integer from 1 to {MOST_UNITS}")
    for name in BUFFERS:
        if type(c[name]) not in (int, float) or not 0 < c[name] <= MOST_UNITS:
            _refuse(name, c[name], f"a number of MiB above 0 and up to {MOST_UNITS}")
    tiles = variants("softmax")
    if str(c["tile_x"]) not in tiles:
        _refuse("tile_x", c["tile_x"], ", ".join(tiles))
    if c["tile_y"] != c["tile_x"]:
        _refuse("tile_y", c["tile_y"], f"the value of tile_x, {c['tile_x']}")
    if c["tile_b"] > c["batch_size"]:
        _refuse("tile_b", c["tile_b"], f"at most the batch_size, {c['batch_size']}")
    lanes = [variant.split("_") for variant in variants("mac_lane")]
    for name, options in zip(
        ("mac_per_lane", "non_linearity"), map(dict.fromkeys, zip(*lanes, strict=True)), strict=True
    ):
        if str(c[name]) not in options:
            _refuse(name, c[name], ", ".join(options))
    memories = tuple(name for name in variants("main_memory") if "_" in name)
    if isinstance(c["memory"], str) and c["memory"] not in memories:
        _refuse("memory", c["memory"], ", ".join(memories))


def _refuse(name: str, value: object, allowed: str) -> None:
    raise InputError(f"The accelerator's {name} is {value!r:.60}; allowed: {allowed}.")
