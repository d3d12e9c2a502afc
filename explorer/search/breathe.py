"""V-BREATHE: constrained search by any number of objectives over vectors, along gradients of a surrogate.

Source: Tuli and Jha 2023 (arXiv 2308.08666). Its constants are not public; those of BOSHNAS, from which it grew, stand
in for them. docs/published-searches.md says what is published and what is chosen here.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import moocore
import numpy as np
from scipy.stats import qmc

from explorer.contracts.goal import Goal
from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Proposal, Vector, VectorCandidates
from explorer.search.breathe_labels import REFERENCE, labels_of
from explorer.search.breathe_query import Query
from explorer.search.descent import GobiSettings
from explorer.search.options import BreatheOptions
from explorer.search.origins import INITIAL, OPTIMISE, UNCERTAINTY, check_shares, origin_of
from explorer.search.surrogate import EnsembleSettings
from explorer.search.unit_box import UnitBox, vectors_of
from graphdb.errors import InputError


@dataclass(frozen=True)
class BreatheSettings:
    """Constants of the search.

    Attributes:
        initial: number of Sobol points, made legal, before the first surrogate.
        starts: number of starts of GOBI for each proposal: a quarter are the best designs, a quarter the best ones with
            jitter, and half random legal ones.
        jitter: standard deviation of the jitter, as a share of the box.
        uncertainty, diversity: shares of the proposals that explore.
        exploration: factor of the deviation in the acquisition.
        chebyshev: whether objectives are joined by the augmented Chebyshev norm instead of a weighted sum.
        hypervolume: whether the results of GOBI are chosen by the hypervolume that they would add to the front, times
            the probability that they are feasible, instead of by the acquisition.
        penalty: whether a limit adds what the optimistic bound lacks, instead of the probability that it holds.
        distance: smallest mean difference, as a share of the box, between the designs of a round.
        patience: number of optimising proposals without progress after which the search has converged; after half of
            them the noise is added to the deviation.
        least: number of designs after the initial ones without which the search has not converged.
        pool: number of random untried designs among which the uncertainty is largest; if GOBI gives none that is
            untried, the best of them is taken.
        distilled: number of them at which the student also learns.
        legality_forcing: whether designs are ranked by the acquisition of the legal design, and not by that of the
            point from which it was repaired.
        surrogate: settings for training the networks.
        gobi: settings for the walk of the inputs.
    """

    initial: int = 10
    starts: int = 16
    jitter: float = 0.1
    uncertainty: float = 0.1
    diversity: float = 0.1
    exploration: float = 0.5
    chebyshev: bool = False
    hypervolume: bool = False
    penalty: bool = False
    distance: float = 0.02
    patience: int = 20
    least: int = 50
    pool: int = 500
    distilled: int = 100
    legality_forcing: bool = True
    surrogate: EnsembleSettings = field(default_factory=EnsembleSettings)
    gobi: GobiSettings = field(default_factory=GobiSettings)

    @classmethod
    def of(cls, options: BreatheOptions) -> BreatheSettings:
        """The settings that a user's options ask for."""
        return cls(
            initial=options.initial,
            starts=options.starts,
            uncertainty=options.uncertainty,
            diversity=options.diversity,
            exploration=options.exploration,
            chebyshev=options.chebyshev,
            hypervolume=options.hypervolume,
            penalty=options.penalty,
            patience=options.patience,
            legality_forcing=options.legality_forcing,
            surrogate=EnsembleSettings.of(options),
            gobi=GobiSettings(second_order=options.second_order),
        )

    def __post_init__(self) -> None:
        for name, least in (("initial", 2), ("starts", 1), ("pool", 1), ("patience", 1)):
            if getattr(self, name) < least:
                raise InputError(f"BreatheSettings.{name} must be at least {least}, found {getattr(self, name)}.")
        check_shares(self.uncertainty, self.diversity)


class Breathe(Optimiser[Inputs]):
    """Second-order search for the best design, or for the Pareto front, under constraints that only a run reveals.

    One surrogate learns every output, violation and failure by itself, so that each proposal can have weights of its
    own: the first of several objectives alone, then the second, and so on, then random ones. Proposals are optimising
    ones (80 %), the design whose targets are least known (10 %), and random ones (10 %).
    """

    objectives: ClassVar[int | None] = None
    candidates: VectorCandidates

    def __init__(
        self,
        candidates: Candidates[Inputs],
        seed: int,
        settings: BreatheSettings | None = None,
        goal: Goal | None = None,
    ) -> None:
        """
        Args:
            candidates: legal designs, which must be vectors.
            seed: of all random choices, not negative.
            settings: settings of the search, `BreatheSettings()` by default.
            goal: how values follow from measured outputs, which are then learnt in their place.

        Raises:
            InputError: the seed is negative, or the candidates are not vectors.
        """
        super().__init__(vectors_of(candidates, "Breathe"), seed)
        self.settings = settings or BreatheSettings()
        self.goal = goal
        self.box = UnitBox(self.candidates)
        self.legality_step: float | None = None
        """The mean step, as a share of the box, by which the latest ask moved GOBI's results to be legal."""

    def ask(self, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        done = len(self._observations)
        first = done + len(pending)
        origins = [self.origin(first + offset) if done >= 2 else INITIAL for offset in range(count)]
        generator = self._generator(1, done, *self._under_way(pending))
        taken = self._keys(pending)
        guided = [first + place for place, origin in enumerate(origins) if origin in (OPTIMISE, UNCERTAINTY)]
        query: Query | None = None
        if guided:
            optimising = [index for index in guided if self.origin(index) == OPTIMISE]
            weights = np.array([self.weights(index) for index in optimising]).reshape(len(optimising), -1)
            query = Query(self, self._fresh(generator, self.settings.pool, set()), weights, pending, generator)
        sobol = self._sobol() if INITIAL in origins else []
        proposals: list[Proposal[Inputs]] = []
        for origin in origins:
            design: Inputs | None = None
            if origin == INITIAL:
                design = next((one for one in sobol if not self._is_taken(one, taken)), None)
            elif query is not None and origin == OPTIMISE:
                design = query.best(taken)
            elif query is not None and origin == UNCERTAINTY:
                design = query.least_known(taken)
            if design is None:
                design = next(iter(self._fresh(generator, 1, taken)), None)
            if design is None:
                break
            taken.add(self.candidates.key(design))
            proposals.append(Proposal(design, origin))
        if query is not None:
            self.legality_step = query.legality_step
        return proposals

    def origin(self, index: int) -> str:
        """The kind of proposal of trial `index`, fixed by the seed so that a resumed search knows it."""
        later = index - self.settings.initial
        if later < 0:
            return INITIAL
        if self._count > 1 and later < self._count:
            return OPTIMISE
        return origin_of(self._generator(0, index).random(), self.settings.uncertainty, self.settings.diversity)

    def weights(self, index: int) -> Vector:
        """The weights of the m objectives in trial `index`: unit vectors first, then uniform over all that sum to 1."""
        later = index - self.settings.initial
        if 0 <= later < self._count:
            unit: Vector = np.eye(self._count)[later]
            return unit
        return self._generator(2, index).dirichlet(np.ones(self._count))

    @property
    def _count(self) -> int:
        return len(self._observations[0].outcome.values) if self._observations else 1

    @property
    def stagnation(self) -> int:
        """Number of optimising proposals since the best value, or the hypervolume, improved by more than a 10,000th."""
        unchanged = 0
        for index, improved in enumerate(self._improvements()):
            if improved:
                unchanged = 0
            elif self.origin(index) == OPTIMISE:
                unchanged += 1
        return unchanged

    @property
    def aleatoric(self) -> bool:
        """Whether the search is near convergence, so that the noise is added to the deviation."""
        return 2 * self.stagnation >= self.settings.patience

    @property
    def converged(self) -> bool:
        if len(self._observations) < self.settings.initial + self.settings.least:
            return False
        return self.stagnation >= self.settings.patience

    def _improvements(self) -> list[bool]:
        """Whether each observation was progress: the least violation so far, or more hypervolume of the feasible."""
        if not self._observations:
            return []
        labels = labels_of(self._observations, None)
        volume, least = 0.0, np.inf
        front = np.empty((0, self._count))
        improved = []
        for one, losses, feasible in zip(self._observations, labels.losses, labels.feasible, strict=True):
            if not feasible:
                nearer = one.outcome.measured and not len(front) and one.violation < least
                least = min(least, one.violation) if nearer else least
                improved.append(bool(nearer))
                continue
            if len(front) and (front <= losses).all(axis=1).any():
                improved.append(False)
                continue
            front = np.vstack([front[~(losses <= front).all(axis=1)], losses])
            before, volume = volume, float(moocore.hypervolume(front, ref=np.full(self._count, REFERENCE)))
            improved.append(volume > before * (1 + 1e-4) or len(front) == 1)
        return improved

    def _sobol(self) -> list[Inputs]:
        """The first designs: Sobol points of the box, scrambled by the seed, made legal."""
        sequence = qmc.Sobol(len(self.box.frozen), rng=self._generator(3))
        points = sequence.random_base2(math.ceil(math.log2(self.settings.initial)))  # balanced only for powers of 2
        return self.candidates.snap(self.box.inputs(points[: self.settings.initial]))

    def _is_taken(self, design: Inputs, taken: set[Hashable]) -> bool:
        key = self.candidates.key(design)
        return key in taken or key in self._evaluated
