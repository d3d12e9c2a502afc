"""The energy of many pairs side by side: what is charged for columns, summed for each pair."""

from __future__ import annotations

from math import prod
from typing import cast

import numpy as np

from explorer.domains.accelerator.acceltran.chip.components import Component
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_MHZ
from explorer.domains.accelerator.acceltran.columns import Figure, is_column
from explorer.domains.accelerator.acceltran.engines.outline import Numbers, Positions
from explorer.domains.accelerator.acceltran.findings.charges import PARTS, Account


class Ledger(Account):
    """Energy by part and pair, charged for columns whose rows belong to a pair each.

    Attributes:
        of_pair: pair of each row that is charged.
    """

    def __init__(self, count: int) -> None:
        """
        Args:
            count: number of pairs.
        """
        self._count, self.of_pair = count, np.arange(count)
        # Prices with their amounts, and modules with their cycles: summed at the end, as every sum has its own cost.
        self._added: dict[tuple[str, int], tuple[Figure, list[tuple[Figure, Positions]]]] = {}
        self._worked: dict[tuple[str, int], tuple[Component, list[tuple[Figure, Positions]]]] = {}

    def add(self, part: str, price_nj: Figure, *amounts: Figure) -> None:
        """Add to a part of the energy; see `Account`."""
        self._added.setdefault((part, id(price_nj)), (price_nj, []))[1].append((prod(amounts), self.of_pair))

    def work(self, part: str, module: Component, cycles: Figure) -> None:
        """Charge one module's dynamic and leakage power for a number of cycles; see `Account`."""
        self._worked.setdefault((part, id(module)), (module, []))[1].append((cycles, self.of_pair))

    def joules(self) -> dict[str, Numbers]:
        """Part of the energy -> energy of each pair."""
        joules = {part: np.zeros(self._count) for part in PARTS}
        for (part, _), (price_nj, amounts) in self._added.items():
            joules[part] += price_nj * self._units(amounts) * 1e-9
        for (part, _), (module, amounts) in self._worked.items():
            cycles = self._units(amounts) * 1e-9 / CLOCK_MHZ
            joules[f"{part}_dynamic"] += module.dynamic_mw * cycles
            joules[f"{part}_leakage"] += module.leakage_mw * cycles
        return joules

    def _units(self, amounts: list[tuple[Figure, Positions]]) -> Numbers:
        columns = [np.broadcast_to(amount, of_pair.shape) for amount, of_pair in amounts]
        places = np.concatenate([of_pair for _, of_pair in amounts])
        return sums(np.concatenate(columns), places, self._count)


def sums(amounts: Figure, places: Positions, count: int) -> Numbers:
    """For each place, the sum of its amounts, in their order."""
    if is_column(amounts):
        return cast("Numbers", np.bincount(places, amounts, count))
    return cast("Numbers", amounts * np.bincount(places, minlength=count).astype(np.float64))
