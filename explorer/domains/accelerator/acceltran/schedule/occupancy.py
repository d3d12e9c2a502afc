"""Modules while a program runs: how many of each class are free, and when the others become free.

Modules of a class are alike, so counting them is enough. As published, a softmax tile takes all free softmax modules of
the first processing element that has one: these are all of its softmax modules, as they are only ever taken together.
"""

from __future__ import annotations

import heapq
from itertools import count

from explorer.domains.accelerator.acceltran.chip.components import Module
from explorer.domains.accelerator.acceltran.schedule.issue import NEVER, Window, Work
from graphdb.errors import InputError


class Occupancy:
    """Free and busy modules of each class.

    Attributes:
        total: number of places for tiles in each class.
        free: number of these places that are free.
        releases: heap of (cycle, order, class, tiles, operation) of busy modules.
    """

    def __init__(self, lanes: int, softmax: int, softmax_per_tile: int, layer_norm: int) -> None:
        """Start with all modules free.

        Args:
            lanes, softmax, layer_norm: number of modules of each class.
            softmax_per_tile: number of softmax modules that a tile takes.
        """
        self.total = {
            Module.MAC_LANE: lanes,
            Module.SOFTMAX: softmax // softmax_per_tile,
            Module.LAYER_NORM: layer_norm,
        }
        self.units = {Module.MAC_LANE: 1, Module.SOFTMAX: softmax_per_tile, Module.LAYER_NORM: 1}
        self.free = dict(self.total)
        self.releases: list[tuple[int, int, Module, int, Work]] = []
        self._order = count()
        self._warm: dict[Module, int] = {}
        self._warm_at = -1

    @property
    def idle(self) -> bool:
        """Whether all modules are free."""
        return not self.releases

    def can_take(self, window: Window) -> bool:
        """Whether enough modules are free for a window.

        Raises:
            InputError: there are enough softmax modules, but on fewer processing elements than there are tiles.
        """
        module = window.module
        if self.free[module] >= window.tiles:
            return True
        if self.free[module] * self.units[module] >= window.tiles:
            raise InputError(
                f"A window of {window.tiles} softmax tiles is issued when {self.free[module]} processing elements have "
                "free softmax modules, and each tile takes one's; allowed: an issue_width that divides pe, or the "
                "correction softmax-units."
            )
        return False

    def take(self, module: Module, tiles: int, now: int) -> int:
        """Take modules for tiles.

        Args:
            module: class of the modules.
            tiles: number of tiles that start.
            now: cycle in which they start.

        Returns:
            The number of these modules that were idle in the cycle before.
        """
        self.free[module] -= tiles
        warm = min(self._warm.get(module, 0), tiles) if self._warm_at == now else 0
        if warm:
            self._warm[module] -= warm
        return (tiles - warm) * self.units[module]

    def release_at(self, cycle: int, work: Work, tiles: int) -> None:
        """Schedule the release of modules.

        Args:
            cycle: cycle in which they become free again.
            work: operation whose tiles they work on.
            tiles: number of tiles.
        """
        heapq.heappush(self.releases, (cycle, next(self._order), work.cost.module, tiles, work))

    def settle(self, now: int) -> bool:
        """Free the modules that are done by now; return whether there are any."""
        if not self.releases or self.releases[0][0] > now:
            return False
        self._warm, self._warm_at = {}, now
        while self.releases and self.releases[0][0] <= now:
            _, _, module, tiles, _ = heapq.heappop(self.releases)
            self.free[module] += tiles
            self._warm[module] = self._warm.get(module, 0) + tiles
        return True

    @property
    def next_release(self) -> int:
        """The cycle in which the next modules become free."""
        return self.releases[0][0] if self.releases else NEVER

    def pass_over(self, cycles: int) -> None:
        """Let cycles pass after which the same modules stay busy for as long as they would now."""
        self.releases = [  # still a heap
            (done + cycles, order, module, tiles, work) for done, order, module, tiles, work in self.releases
        ]
        self._warm_at += cycles

    def busy(self, module: Module) -> bool:
        """Whether any module of a class is busy."""
        return self.free[module] < self.total[module]

    def stop(self, now: int) -> None:
        """Undo work in cycles after the end."""
        for done, _, module, tiles, work in self.releases:
            work.module_cycles -= max(done - 1 - now, 0) * tiles * self.units[module]
