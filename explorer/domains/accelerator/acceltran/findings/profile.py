"""Power over time, and energy by group of parts, for pictures of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ
from explorer.domains.accelerator.acceltran.findings.charges import DYNAMIC, LEAKAGE, OFF_CHIP, PARTS, Charge

Numbers = npt.NDArray[np.float64]
_BUFFERS = ("activation_buffer", "weight_buffer", "mask_buffer")
_MODULES = ("mac", "softmax", "layer_norm", "sparsity", "rounding", "fifo", "dataflow", "dma")


def _group(part: str) -> str:
    if part in OFF_CHIP:
        return "main memory"
    name = next((name for name in (*_BUFFERS, *_MODULES) if part.startswith(f"{name}_")), part)
    return name.replace("_", " ")


GROUPS: Mapping[str, str] = MappingProxyType({part: _group(part) for part in PARTS})
"""Part of the energy -> the module, buffer or memory that spends it, in words."""


def energy_breakdown(measures: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Group -> `dynamic` and `leakage` energy in J, from the measures of a run; they add up to its total energy."""
    groups: dict[str, dict[str, float]] = {group: {"dynamic": 0.0, "leakage": 0.0} for group in GROUPS.values()}
    for kind, parts in (("dynamic", DYNAMIC), ("leakage", LEAKAGE)):
        for part in parts:
            groups[GROUPS[part]][kind] += measures[f"energy_{part}_j"]
    return groups


@dataclass(frozen=True, slots=True)
class PowerProfile:
    """Power over time, constant between edges.

    Attributes:
        edges_cycles: `n + 1` cycles in ascending order; empty if nothing is spent.
        power_w: part of the energy -> `n` powers; parts with no energy are left out.
    """

    edges_cycles: Numbers
    power_w: Mapping[str, Numbers]

    @property
    def total_w(self) -> Numbers:
        """Total power of all parts: `n` values."""
        return sum(self.power_w.values(), start=np.zeros(max(len(self.edges_cycles) - 1, 0)))

    @property
    def peak_w(self) -> float:
        """Highest total power."""
        return float(self.total_w.max(initial=0.0))

    @property
    def energy_j(self) -> float:
        """Integral of the total power over time."""
        return float(self.total_w @ np.diff(self.edges_cycles)) / CLOCK_HZ

    def means_w(self, edges_cycles: Numbers) -> dict[str, Numbers]:
        """Mean power of each group over other intervals.

        Args:
            edges_cycles: `m + 1` cycles in ascending order.

        Returns:
            Group of `GROUPS` -> `m` powers; groups with no energy are left out.
        """
        powers: dict[str, Numbers] = {}
        for part, power in self.power_w.items():
            spent = np.concatenate([[0.0], np.cumsum(power * np.diff(self.edges_cycles))])
            means = np.diff(np.interp(edges_cycles, self.edges_cycles, spent)) / np.diff(edges_cycles)
            group = GROUPS[part]
            powers[group] = powers[group] + means if group in powers else means
        return powers


def power_profile(spent: Iterable[Charge]) -> PowerProfile:
    """Power over time, each charge spread evenly over its cycles. Its integral is the energy of the charges."""
    spans: dict[str, list[tuple[float, float, float]]] = {}
    for charge in spent:
        for part, joules in charge.joules.items():
            watts = joules * CLOCK_HZ / (charge.end - charge.start)
            spans.setdefault(part, []).append((charge.start, charge.end, watts))
    if not spans:
        return PowerProfile(np.zeros(0), {})
    columns = {part: np.array(rows).T for part, rows in spans.items()}
    edges = np.unique(np.concatenate([rows[:2].ravel() for rows in columns.values()]))
    power = {}
    for part, (starts, ends, watts) in columns.items():
        change = np.zeros(len(edges))
        np.add.at(change, np.searchsorted(edges, starts), watts)
        np.add.at(change, np.searchsorted(edges, ends), -watts)
        # Charges that have ended leave rounding errors behind, which may be below zero.
        power[part] = np.maximum(np.cumsum(change)[:-1], 0.0)
    return PowerProfile(edges, power)
