"""Baseline searches, which follow no gradient and learn no surrogate."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Generic, cast

import numpy as np

from explorer.contracts.optimiser import (
    Candidates,
    D,
    Inputs,
    Observation,
    Optimiser,
    Proposal,
    VectorCandidates,
    undominated,
)
from graphdb.errors import InputError

_TOURNAMENTS = 10  # before a random design replaces a child


class RandomSearch(Optimiser[D], Generic[D]):
    """Random untried designs, for any kind of design and any number of objectives."""

    objectives: ClassVar[int | None] = None

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        generator = self._generator(len(self._observations))
        return [Proposal(design, "random") for design in self._fresh(generator, count, self._keys(pending))]


class RegularisedEvolution(Optimiser[D], Generic[D]):
    """Evolution in which the oldest die: Real and others 2019, "Regularized Evolution for Image Classifier Search".

    The population is the latest designs told. A parent is the best of a random few of them; with several objectives it
    is the first of those few that no other dominates. Its child is a random neighbour or, if vector candidates have no
    neighbours, the legal design nearest to a perturbed parent.
    """

    objectives: ClassVar[int | None] = None

    def __init__(
        self, candidates: Candidates[D], seed: int, population: int = 20, tournament: int = 5, spread: float = 0.15
    ) -> None:
        """
        Args:
            candidates: legal designs.
            seed: seed of all random choices, not negative.
            population: number of initial random designs, and of the latest designs that may be parents.
            tournament: number of designs that compete to be a parent.
            spread: standard deviation of a perturbation, as a share of the box.

        Raises:
            InputError: 1 <= tournament <= population does not hold, or the spread is not positive.
        """
        super().__init__(candidates, seed)
        if not 1 <= tournament <= population:
            raise InputError(
                f"A tournament takes 1 to population designs, found tournament {tournament}, population {population}."
            )
        if spread <= 0:
            raise InputError(f"The spread of a perturbation must be positive, found {spread}.")
        self._population, self._tournament, self._spread = population, tournament, spread

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        done = len(self._observations)
        generator = self._generator(done, *self._under_way(pending))
        taken = self._keys(pending)
        first = done + len(pending)
        proposals: list[Proposal[D]] = []
        for index in range(first, first + count):
            child = self._child(generator, taken) if index >= self._population and done else None
            origin = "initial" if child is None else "evolution"
            design = next(iter(self._fresh(generator, 1, taken)), None) if child is None else child
            if design is None:
                break
            taken.add(self.candidates.key(design))
            proposals.append(Proposal(design, origin))
        return proposals

    def _child(self, generator: np.random.Generator, taken: set[Hashable]) -> D | None:
        """An untried child of a tournament's winner; None if no tournament yields one."""
        living = self._observations[-self._population :]
        for _ in range(_TOURNAMENTS):
            drawn = generator.choice(len(living), size=min(self._tournament, len(living)), replace=False)
            parent = undominated([living[int(rival)] for rival in drawn])[0]
            children = self.candidates.neighbours(parent.design) or self._perturbed(parent.design, generator)
            keys = [self.candidates.key(child) for child in children]
            untried = [i for i, key in enumerate(keys) if key not in taken and key not in self._evaluated]
            if untried:
                return children[untried[int(generator.integers(len(untried)))]]
        return None

    def _perturbed(self, design: D, generator: np.random.Generator) -> list[D]:
        """The legal design nearest to a perturbed one; none if designs are not vectors."""
        if not isinstance(self.candidates, VectorCandidates):
            return []
        point = tuple(
            vector + self._spread * (high - low) * generator.standard_normal(len(vector))
            for vector, (low, high) in zip(cast(Inputs, design), self.candidates.bounds(), strict=True)
        )
        return cast(list[D], self.candidates.snap([point]))


class LocalSearch(Optimiser[D], Generic[D]):
    """Hill climbing that moves to the first better neighbour, and starts again at random on a hilltop.

    White, Nolen and Savani 2021, "Exploring the Loss Landscape in Neural Architecture Search", find it to be a strong
    simple baseline. The first climb starts at the best of a few random designs; with several objectives, one design is
    better than another if it dominates it. Neighbours that were tried in an earlier climb are not tried again. Without
    neighbours, all designs are random.
    """

    objectives: ClassVar[int | None] = None

    def __init__(self, candidates: Candidates[D], seed: int, initial: int = 5) -> None:
        """
        Args:
            candidates: legal designs.
            seed: seed of all random choices, not negative.
            initial: number of random designs before the first climb.

        Raises:
            InputError: `initial` or the seed is not allowed.
        """
        super().__init__(candidates, seed)
        if initial < 1:
            raise InputError(f"A local search needs at least 1 initial design, found {initial}.")
        self._initial = initial

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        done = len(self._observations)
        generator = self._generator(done, *self._under_way(pending))
        taken = self._keys(pending)
        untried = {key: design for key, design in self._untried().items() if key not in taken}
        starting = min(count, max(0, self._initial - done - len(pending)))
        order = generator.permutation(len(untried))[: count - starting]
        near = [list(untried.values())[int(place)] for place in order]
        taken |= {self.candidates.key(design) for design in near}
        missing = count - len(near)
        starts = self._fresh(generator, missing, taken) if missing else []
        # Neighbours come first: when a new start is told, it is known whether the climb has ended.
        return [*(Proposal(design, "neighbour") for design in near), *(Proposal(design, "start") for design in starts)]

    def _untried(self) -> dict[Hashable, D]:
        """The untried neighbours of the design that the current climb has reached."""
        top: Observation[D] | None = None
        untried: dict[Hashable, D] = {}
        tried: set[Hashable] = set()
        for observation in self._observations:
            tried.add(observation.key)
            is_near = untried.pop(observation.key, None) is not None
            ended = not untried and not is_near
            if top is None or ended or observation.dominates(top):
                top = observation
                near = {self.candidates.key(design): design for design in self.candidates.neighbours(top.design)}
                untried = {key: design for key, design in near.items() if key not in tried}
        return untried
