"""V-BREATHE: contract, constraints, fronts."""

from __future__ import annotations

from explorer.contracts.optimiser import Inputs, Optimiser
from explorer.search.breathe import Breathe, BreatheSettings
from explorer.search.candidates import TableCandidates
from explorer.search.descent import GobiSettings
from explorer.search.surrogate import EnsembleSettings
from tests.explorer.contracts.optimiser import OptimiserContract

QUICK = BreatheSettings(
    initial=5, starts=8, pool=60, surrogate=EnsembleSettings(epochs=20), gobi=GobiSettings(iterations=20)
)


class TestBreathe(OptimiserContract):
    objectives = None

    def make(self, candidates: TableCandidates, seed: int) -> Optimiser[Inputs]:
        return Breathe(candidates, seed, QUICK)
