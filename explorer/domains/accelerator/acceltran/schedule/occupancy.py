"""Modules while a program runs: how many of each class are free, and when the others will be.

Modules of a class are alike, so that numbers of them stand for the modules themselves. As published, a softmax tile
takes all softmax modules of the first processing element where one is free: of all that are free there, and so of all
there are, as they have been taken together before.
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
        total: places for tiles of each class.
        free: of them.
        releases: heap of (cycle, order, class, tiles, operation) of what is busy.
    """

    def __init__(self, lanes: int, softmax: int, softmax_per_tile: int, layer_norm: int) -> None:
        """All modules free.

        Args:
            lanes, softmax, layer_norm: modules of each class.
            softmax_per_tile: softmax modules that a tile takes.
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
        """Whether all are free."""
        return not self.releases

    def can_take(self, window: Window) -> bool:
        """Whether enough modules are free for a window.

        Raises:
            InputError: enough softmax modules, but on fewer processing elements than there are tiles.
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
            module: their class.
            tiles: how many tiles begin.
            now: the cycle in which they do.

        Returns:
            How many of the modules had been idle in the cycle before.
        """
        self.free[module] -= tiles
        warm = min(self._warm.get(module, 0), tiles) if self._warm_at == now else 0
        if warm:
            self._warm[module] -= warm
        return (tiles - warm) * self.units[module]

    def release_at(self, cycle: int, work: Work, tiles: int) -> None:
        """Note when modules become free again.

        Args:
            cycle: when.
            work: whose tiles they work on.
            tiles: how many.
        """
        heapq.heappush(self.releases, (cycle, next(self._order), work.cost.module, tiles, work))

    def settle(self, now: int) -> bool:
        """Free what becomes free until then; whether anything does."""
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
        """When the next ones become free."""
        return self.releases[0][0] if self.releases else NEVER

    def pass_over(self, cycles: int) -> None:
        """Let cycles go by after which the same modules are busy for as long as they are now."""
        self.releases = [  # still a heap
            (done + cycles, order, module, tiles, work) for done, order, module, tiles, work in self.releases
        ]
        self._warm_at += cycles

    def busy(self, module: Module) -> bool:
        """Whether any of a class is taken."""
        return self.free[module] < self.total[module]

    def stop(self, now: int) -> None:
        """Take back the work of cycles after the end."""
        for done, _, module, tiles, work in self.releases:
            work.module_cycles -= max(done - 1 - now, 0) * tiles * self.units[module]
