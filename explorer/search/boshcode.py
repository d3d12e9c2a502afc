"""BOSHCODE: search over tuples of designs, one per role; with a single role it is BOSHNAS."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Proposal, Vector, VectorCandidates
from explorer.search.descent import GobiSettings, by_differences, walk
from explorer.search.npn import Array
from explorer.search.options import BoshcodeOptions
from explorer.search.origins import INITIAL, OPTIMISE, UNCERTAINTY, check_shares, origin_of
from explorer.search.surrogate import EnsembleSettings, Function, Surrogate, optimistic
from explorer.search.targets import losses, normalised_by_initial, normalised_by_range
from explorer.search.unit_box import UnitBox, vectors_of
from graphdb.errors import InputError


@dataclass(frozen=True)
class BoshcodeSettings:
    """Constants of the search, as published unless stated otherwise; docs/published-searches.md lists the differences.

    Attributes:
        initial: number of random designs before the first surrogate.
        starts: number of random legal designs from which GOBI starts.
        uncertainty, diversity: shares of the proposals that explore.
        exploration: factor of the deviation in the acquisition.
        patience: number of consecutive optimising proposals without progress after which the aleatoric deviation is
            added.
        aleatoric_patience: number of further such proposals after which the search has converged.
        pool: number of random untried designs among which the uncertainty is largest, and that are ranked if GOBI and
            its neighbourhood give too few untried designs (published: all designs).
        penalty: amount that a relative violation of 1 adds to the loss of an infeasible design.
        initial_normaliser: whether to divide losses by the largest initial one, as published, instead of by their
            range.
        distilled: number of random untried designs at which the student also learns (published: none).
        legality_forcing: whether designs are ranked by the acquisition of the legal design, and not by that of the
            point from which it was repaired.
        surrogate: settings for training the networks.
        gobi: settings for the walk of the inputs.
    """

    initial: int = 10
    starts: int = 10
    uncertainty: float = 0.1
    diversity: float = 0.1
    exploration: float = 0.5
    patience: int = 10
    aleatoric_patience: int = 10
    pool: int = 500
    penalty: float = 1.0
    initial_normaliser: bool = False
    distilled: int = 100
    legality_forcing: bool = True
    surrogate: EnsembleSettings = field(default_factory=EnsembleSettings)
    gobi: GobiSettings = field(default_factory=GobiSettings)

    @classmethod
    def published(cls, roles: int) -> BoshcodeSettings:
        """The constants of BOSHNAS for one role, and of BOSHCODE for several."""
        patience = 5 if roles == 1 else 10
        return cls(patience=patience, aleatoric_patience=patience)

    @classmethod
    def of(cls, options: BoshcodeOptions) -> BoshcodeSettings:
        """The settings that a user's options ask for."""
        return cls(
            initial=options.initial,
            starts=options.starts,
            uncertainty=options.uncertainty,
            diversity=options.diversity,
            exploration=options.exploration,
            patience=options.patience,
            aleatoric_patience=options.patience,
            legality_forcing=options.legality_forcing,
            surrogate=EnsembleSettings.of(options),
            gobi=GobiSettings(second_order=options.second_order),
        )

    def __post_init__(self) -> None:
        for name, least in (("initial", 2), ("starts", 1), ("pool", 1), ("patience", 1), ("aleatoric_patience", 0)):
            if getattr(self, name) < least:
                raise InputError(f"BoshcodeSettings.{name} must be at least {least}, found {getattr(self, name)}.")
        check_shares(self.uncertainty, self.diversity)


class Boshcode(Optimiser[Inputs]):
    """Second-order search over a heteroscedastic surrogate, in one or more roles at once.

    Each proposal after the initial designs is drawn at random to be an optimising one (80 %), the design with the
    largest student deviation (10 %) or a random one (10 %). Tuli and others 2022 (CODEBench) for several roles, Tuli
    and others 2023 (arXiv 2205.11656, BOSHNAS) for one.
    """

    candidates: VectorCandidates

    def __init__(self, candidates: Candidates[Inputs], seed: int, settings: BoshcodeSettings | None = None) -> None:
        """
        Args:
            candidates: legal designs, which must be vectors.
            seed: of all random choices, not negative.
            settings: settings of the search; by default the published ones for this number of roles.

        Raises:
            InputError: the seed is negative, or the candidates are not vectors.
        """
        super().__init__(vectors_of(candidates, "Boshcode"), seed)
        self.box = UnitBox(self.candidates)
        self.settings = settings or BoshcodeSettings.published(len(self.box.sizes))
        self.legality_step: float | None = None
        """The mean step, as a share of the box, by which the latest ask moved GOBI's results to be legal."""

    def ask(self, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        done = len(self._observations)
        first = done + len(pending)
        # A first round larger than the initial designs has nothing to learn from yet.
        origins = [self.origin(first + offset) if done >= 2 else INITIAL for offset in range(count)]
        generator = self._generator(1, done, *self._under_way(pending))
        taken = self._keys(pending)
        query: _Query | None = None
        proposals: list[Proposal[Inputs]] = []
        for origin in origins:
            if origin in (OPTIMISE, UNCERTAINTY) and query is None:
                query = _Query(self, generator)
            design = self._choose(origin, query, taken, generator)
            if design is None:
                break
            taken.add(self.candidates.key(design))
            proposals.append(Proposal(design, origin))
        return proposals

    def origin(self, index: int) -> str:
        """The kind of proposal of trial `index`, fixed by the seed so that a resumed search knows it."""
        if index < self.settings.initial:
            return INITIAL
        return origin_of(self._generator(0, index).random(), self.settings.uncertainty, self.settings.diversity)

    @property
    def stagnation(self) -> int:
        """Number of optimising proposals since the last progress.

        Exploring proposals neither count nor reset it (in BOSHNAS's code each of them resets it, which delays
        convergence at random); progress of any kind resets it (in CODEBench's code nothing does).
        """
        best, unchanged = None, 0
        for index, observation in enumerate(self._observations):
            if best is None or observation.rank > best:
                best, unchanged = observation.rank, 0
            elif self.origin(index) == OPTIMISE:
                unchanged += 1
        return unchanged

    @property
    def aleatoric(self) -> bool:
        """Whether the search is near convergence, so that the aleatoric deviation is added."""
        return self.stagnation >= self.settings.patience

    @property
    def converged(self) -> bool:
        return self.stagnation >= self.settings.patience + self.settings.aleatoric_patience

    def targets(self) -> Vector:
        """The targets of the surrogate: one value from 0 to 1 for each observation; smaller is better."""
        raw = losses(self._observations, self.settings.penalty)
        return (
            normalised_by_initial(raw, self.settings.initial)
            if self.settings.initial_normaliser
            else (normalised_by_range(raw))
        )

    def _choose(
        self, origin: str, query: _Query | None, taken: set[Hashable], generator: np.random.Generator
    ) -> Inputs | None:
        if query is not None and origin in (OPTIMISE, UNCERTAINTY):
            ranked = query.by_acquisition if origin == OPTIMISE else query.by_deviation
            for design in ranked:
                if self.candidates.key(design) not in taken:
                    return design
        return next(iter(self._fresh(generator, 1, taken)), None)


class _Query:
    """One refit of the surrogate, with its ranking of the untried designs."""

    def __init__(self, search: Boshcode, generator: np.random.Generator) -> None:
        self._search, self._generator = search, generator
        self._pool = search._fresh(generator, search.settings.pool, set())
        self._surrogate = Surrogate(search.box.sizes, search.settings.surrogate, generator)
        known = search.box.points([observation.design for observation in search.observations])
        distilled = self._pool[: search.settings.distilled]
        self._surrogate.fit(known, search.targets()[:, None], search.box.points(distilled) if distilled else None)

    @cached_property
    def by_acquisition(self) -> list[Inputs]:
        """Untried designs, best acquisition first: those of GOBI, then their neighbours, then the pool."""
        search, surrogate = self._search, self._surrogate
        bound = optimistic(search.settings.exploration, search.aleatoric)
        starts = search.box.points(search.candidates.sample(self._generator, search.settings.starts))
        derivatives = by_differences(lambda points: surrogate.gradient(points, bound))
        points = walk(derivatives, starts, search.settings.gobi, self._generator, search.box.frozen)
        snapped = search.candidates.snap(search.box.inputs(points))
        legal = search.box.points(snapped)
        search.legality_step = float(np.abs(legal - points).mean())
        near = [neighbour for design in snapped for neighbour in search.candidates.neighbours(design)]
        return [
            *self._ranked(snapped, bound, legal if search.settings.legality_forcing else points),
            *self._ranked(near, bound),
            *self._ranked(self._pool, bound),
        ]

    @cached_property
    def by_deviation(self) -> list[Inputs]:
        """Untried designs of the pool, largest epistemic deviation first."""
        return self._ranked(self._pool, lambda prediction: (-prediction.deviation[:, 0], prediction))

    def _ranked(self, designs: list[Inputs], function: Function, points: Array | None = None) -> list[Inputs]:
        """The untried designs by a function of their points, or of other ones that stand for them, smallest first."""
        search = self._search
        untried: dict[Hashable, int] = {}
        for index, design in enumerate(designs):
            key = search.candidates.key(design)
            if key not in search._evaluated:
                untried.setdefault(key, index)
        if not untried:
            return []
        rows = list(untried.values())
        distinct = [designs[row] for row in rows]
        at = search.box.points(distinct) if points is None else points[rows]
        return [distinct[index] for index in self._surrogate.values(at, function).argsort(kind="stable")]
