"""Searches to compare with: they know nothing of gradients."""

from __future__ import annotations

from collections.abc import Hashable

from explorer.search.optimiser import Optimiser, Proposal


class RandomSearch(Optimiser):
    """Random untried designs."""

    def ask(self, count: int) -> list[Proposal]:
        generator = self._generator(len(self._observations))
        nothing: set[Hashable] = set()
        return [Proposal(inputs, "random") for inputs in self._fresh(generator, count, nothing)]
