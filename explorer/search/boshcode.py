"""BOSHCODE: search over tuples of designs, one per role; with a single role it is BOSHNAS."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Proposal, Vector, VectorCandidates
from explorer.search.gobi import GobiSettings, gobi
from explorer.search.surrogate import EnsembleSettings, Surrogate
from explorer.search.targets import losses, normalised_by_initial, normalised_by_range
from explorer.search.threads import one_thread
from graphdb.errors import InputError

INITIAL, OPTIMISE, UNCERTAINTY, DIVERSITY = "initial", "optimise", "uncertainty", "diversity"


@dataclass(frozen=True)
class BoshcodeSettings:
    """Constants of the search; the defaults are the published ones unless stated otherwise.

    Attributes:
        initial: number of random designs before the first surrogate.
        starts: number of starting points of GOBI.
        uncertainty, diversity: shares of the proposals that explore.
        patience: number of consecutive optimising proposals without progress after which the aleatoric deviation is
            added (published: 10 for several roles, 5 for one).
        aleatoric_patience: number of further such proposals after which the search has converged (published: 10 for
            several roles, 5 for one).
        pool: number of random untried designs that are ranked by the acquisition along with the results of GOBI.
        penalty: amount that a relative violation of 1 adds to the loss of an infeasible design.
        initial_normaliser: whether to divide losses by the largest initial one, as published, instead of by their
            range.
        distilled: number of random untried designs at which the student also learns (published: none).
        surrogate: settings for training the networks.
        gobi: settings for the walk of the inputs.
    """

    initial: int = 10
    starts: int = 10
    uncertainty: float = 0.1
    diversity: float = 0.1
    patience: int = 10
    aleatoric_patience: int = 10
    pool: int = 500
    penalty: float = 1.0
    initial_normaliser: bool = False
    distilled: int = 100
    surrogate: EnsembleSettings = field(default_factory=EnsembleSettings)
    gobi: GobiSettings = field(default_factory=GobiSettings)

    @classmethod
    def published(cls) -> BoshcodeSettings:
        """The published normaliser and training, for comparison: slow, and weaker with few observations."""
        return cls(initial_normaliser=True, distilled=0, surrogate=EnsembleSettings.published())

    def __post_init__(self) -> None:
        for name, least in (("initial", 2), ("starts", 1), ("pool", 1), ("patience", 1), ("aleatoric_patience", 0)):
            if getattr(self, name) < least:
                raise InputError(f"BoshcodeSettings.{name} must be at least {least}, found {getattr(self, name)}.")
        if min(self.uncertainty, self.diversity) < 0 or self.uncertainty + self.diversity > 1:
            raise InputError(
                "The shares of uncertainty and diversity sampling must not be negative and sum to at most 1, "
                f"found {self.uncertainty} and {self.diversity}."
            )


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
            settings: settings of the search, `BoshcodeSettings()` by default.

        Raises:
            InputError: the seed is negative, or the candidates are not vectors.
        """
        if not isinstance(candidates, VectorCandidates):
            raise InputError(
                f"Boshcode follows gradients and was given {type(candidates).__name__}; allowed: vector candidates."
            )
        super().__init__(candidates, seed)
        self.settings = settings or BoshcodeSettings()
        bounds = candidates.bounds()
        self._sizes = [len(low) for low, _ in bounds]
        self._low = np.concatenate([low for low, _ in bounds])
        self._width = np.concatenate([high - low for low, high in bounds])

    def ask(self, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        with one_thread():
            return self._ask(count, pending)

    def _ask(self, count: int, pending: Sequence[Inputs]) -> list[Proposal[Inputs]]:
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
        lot = self._generator(0, index).random()
        if lot < self.settings.diversity:
            return DIVERSITY
        return UNCERTAINTY if lot < self.settings.diversity + self.settings.uncertainty else OPTIMISE

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

    def scaled(self, designs: list[Inputs]) -> Tensor:
        """Designs as an `n x D` tensor within the unit box; an entry that never varies is 0."""
        rows = np.stack([np.concatenate(design) for design in designs]) - self._low
        return torch.from_numpy(rows / np.where(self._width > 0, self._width, 1.0)).float()

    def unscaled(self, points: Tensor) -> list[Inputs]:
        """Points of the unit box, `n x D`, in the units of the vectors."""
        cuts = np.cumsum(self._sizes)[:-1]
        rows = points.double().numpy() * self._width + self._low
        return [tuple(np.split(row, cuts)) for row in rows]

    @property
    def frozen(self) -> Tensor:
        """`D` truth values: the entries that never vary."""
        return torch.from_numpy(self._width <= 0)

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
        self._search = search
        self._torch = torch.Generator().manual_seed(int(generator.integers(2**62)))
        self._pool = search._fresh(generator, search.settings.pool, set())
        self._numpy = generator
        self._surrogate = Surrogate(search._sizes, search.settings.surrogate, self._torch)
        known = search.scaled([observation.design for observation in search.observations])
        targets = torch.from_numpy(search.targets()).float()
        distilled = self._pool[: search.settings.distilled]
        extra = search.scaled(distilled) if distilled else None
        self._surrogate.fit(known, targets, extra)

    @cached_property
    def by_acquisition(self) -> list[Inputs]:
        """Untried designs from GOBI, its neighbourhood and the pool, best acquisition first."""
        search = self._search
        aleatoric = search.aleatoric

        def acquisition(points: Tensor) -> Tensor:
            return self._surrogate.acquisition(points, aleatoric)

        starts = search.scaled(self._starts())
        points = gobi(acquisition, starts, search.settings.gobi, self._torch, search.frozen)
        snapped = search.candidates.snap(search.unscaled(points))
        near = [neighbour for design in snapped for neighbour in search.candidates.neighbours(design)]
        return self._ranked([*snapped, *near, *self._pool], acquisition)

    @cached_property
    def by_deviation(self) -> list[Inputs]:
        """Untried designs of the pool, largest epistemic deviation first."""
        return self._ranked(self._pool, lambda points: -self._surrogate.deviation(points))

    def _starts(self) -> list[Inputs]:
        """Starting points: half are the best known designs, the others random legal ones (published: all random)."""
        search = self._search
        count = search.settings.starts
        known = sorted(search.observations, key=lambda observation: observation.rank, reverse=True)
        best = [observation.design for observation in known[: count // 2]]
        return [*best, *search.candidates.sample(self._numpy, count - len(best))]

    def _ranked(self, designs: list[Inputs], function: Callable[[Tensor], Tensor]) -> list[Inputs]:
        search = self._search
        untried: dict[Hashable, Inputs] = {}
        for design in designs:
            key = search.candidates.key(design)
            if key not in search._evaluated:
                untried.setdefault(key, design)
        if not untried:
            return []
        distinct = list(untried.values())
        with torch.no_grad():
            order = function(search.scaled(distinct)).argsort(stable=True)
        return [distinct[index] for index in order.tolist()]
