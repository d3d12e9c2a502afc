"""`Components`: the modules, buffers and main memory of an accelerator, with their areas, powers and energies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from explorer.domains.accelerator.acceltran.chip.constants import (
    MEBIBYTE_BITS,
    Constants,
    Overlay,
    constants,
    memory_constants,
)
from explorer.domains.accelerator.acceltran.chip.hardware import hardware
from explorer.domains.accelerator.memory import UserMemory

BUFFERS = ("activation", "weight", "mask")
_PER_LANE = ("mac", "pre_sparsity", "post_sparsity", "fifo", "stochastic_rounding")


class Module(StrEnum):
    """Class of modules that tiles occupy."""

    MAC_LANE = "mac"
    SOFTMAX = "softmax"
    LAYER_NORM = "layer_norm"


@dataclass(frozen=True, slots=True)
class Component:
    """A kind of module on the chip.

    Attributes:
        count: number of such modules.
        area_um2, dynamic_mw, leakage_mw: area, dynamic and leakage power of one module.
    """

    count: int
    area_um2: float
    dynamic_mw: float
    leakage_mw: float


@dataclass(frozen=True, slots=True)
class OnChipBuffer:
    """An on-chip buffer.

    Attributes:
        bits: capacity.
        area_um2, leakage_mw: area and leakage power of the whole buffer.
        access_nj: energy of moving a byte into or out of it.
    """

    bits: float
    area_um2: float
    leakage_mw: float
    access_nj: float


@dataclass(frozen=True, slots=True)
class Components:
    """The components that energy and area are computed from.

    Attributes:
        modules: name -> module; `stochastic_rounding` in training only.
        buffers: `activation`, `weight` and `mask`.
        memory_access_nj: energy of moving a byte into or out of main memory.
        background_mw, refresh_mw: powers of the main memory while it waits.
        batch_size, tile_b, tile: number of sequences, and sizes of a tile.
        loop_order: order of the loops over the tiles of products, outermost first.
        fifo_depth: number of elements that a FIFO takes in a cycle.
        bank_bits: size of the banks that a buffer can switch off separately.
        break_even_cycles: energy of waking a module up, as cycles of its leakage.
        control_dynamic, control_area: clock tree, control and interconnect, as a share of everything else on the chip.
    """

    modules: Mapping[str, Component]
    buffers: Mapping[str, OnChipBuffer]
    memory_access_nj: float
    background_mw: float
    refresh_mw: float
    batch_size: int
    tile_b: int
    tile: int
    loop_order: str
    fifo_depth: int
    bank_bits: float
    break_even_cycles: float
    control_dynamic: float
    control_area: float

    def module(self, kind: Module) -> Component:
        """The component whose modules tiles of this class occupy."""
        return self.modules[kind.value]

    @property
    def lanes(self) -> int:
        """Number of MAC lanes of the chip."""
        return self.modules["mac"].count


def components(choices: Mapping[str, Any], training: bool, overlay: Overlay = ()) -> Components:
    """The components of the accelerator that `choices` describe.

    Args:
        choices: choices of an accelerator; its memory may be user-defined.
        training: whether stochastic rounding is included.
        overlay: constants of a user's library that replace published ones.

    Raises:
        InputError: a choice is missing, or the tables of constants do not cover it.
    """
    hardware(choices, training, overlay)
    c: dict[str, Any] = {"non_linearity": "gelu", "loop_order": "b_i_j_k", **choices}
    table = constants(overlay)
    memory = c["memory"] if isinstance(c["memory"], str) else UserMemory.of(c["memory"])
    memory_figures = memory_constants(memory, overlay)
    control = table["control", ""]
    return Components(
        modules=_modules(c, training, table),
        buffers=MappingProxyType({name: _buffer(name, c[f"{name}_buffer_mb"], table) for name in BUFFERS}),
        memory_access_nj=memory_figures["energy"] / table["main_memory", ""]["block"],
        background_mw=memory_figures["background"],
        refresh_mw=memory_figures["refresh"],
        batch_size=c["batch_size"],
        tile_b=c["tile_b"],
        tile=c["tile_x"],
        loop_order=c["loop_order"],
        fifo_depth=int(table["fifo", ""]["depth"]),
        bank_bits=table["buffer_bank", ""]["size"] * (8 << 10),
        break_even_cycles=table["power_gating", ""]["break_even"],
        control_dynamic=control["dynamic_share"],
        control_area=control["area_share"],
    )


def stacked(chips: Sequence[Components]) -> Components:
    """Chips whose components are columns, with one entry for each of `chips` (see `columns`).

    What the tables of constants give to all accelerators, and the loop order, which must be the same, stay as they are.
    """
    import numpy as np  # here, as modules that are imported at every start import this one

    def column(value: Callable[[Any], float], of: Sequence[Any] = chips) -> Any:
        return np.array([value(one) for one in of], dtype=np.float64)

    def columns(kind: type, names: Sequence[str], of: Callable[[Components], Mapping[str, Any]]) -> Mapping[str, Any]:
        return {
            part: kind(*(column(attrgetter(name), [of(chip)[part] for chip in chips]) for name in names))
            for part in of(chips[0])
        }

    return replace(
        chips[0],
        modules=columns(Component, ("count", "area_um2", "dynamic_mw", "leakage_mw"), attrgetter("modules")),
        buffers=columns(OnChipBuffer, ("bits", "area_um2", "leakage_mw", "access_nj"), attrgetter("buffers")),
        **{name: column(attrgetter(name)) for name in _OF_AN_ACCELERATOR},
    )


_OF_AN_ACCELERATOR = ("memory_access_nj", "background_mw", "refresh_mw", "batch_size", "tile_b", "tile")


def _modules(c: Mapping[str, Any], training: bool, table: Constants) -> Mapping[str, Component]:
    lane, tile = f"{c['mac_per_lane']}_{c['non_linearity']}", str(c["tile_x"])
    rows = {
        "mac": ("mac_lane", lane),
        "softmax": ("softmax", tile),
        "layer_norm": ("layer_norm", tile),
        **{name: (name, "") for name in ("pre_sparsity", "post_sparsity", "fifo", "dataflow", "dma")},
    }
    if training:
        rows["stochastic_rounding"] = ("stochastic_rounding", "")
    per_element = dict.fromkeys(_PER_LANE, c["lanes_per_pe"]) | {"softmax": c["softmax_per_pe"]}
    made = {}
    for name, row in rows.items():
        figures = table[row]
        count = c["pe"] * per_element.get(name, 1)
        made[name] = Component(count, figures["area"], figures["dynamic"], figures["leakage"])
    return MappingProxyType(made)


def _buffer(name: str, mebibytes: float, table: Constants) -> OnChipBuffer:
    figures = table[f"{name}_buffer", ""]
    return OnChipBuffer(
        bits=mebibytes * MEBIBYTE_BITS,
        area_um2=figures["area"] * mebibytes,
        leakage_mw=figures["leakage"] * mebibytes,
        access_nj=figures["energy"] * math.sqrt(mebibytes) / figures["block"],
    )
