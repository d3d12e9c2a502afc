"""Searches to compare with: they know nothing of gradients."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Proposal
from graphdb.errors import InputError


class RandomSearch(Optimiser):
    """Random untried designs."""

    def ask(self, count: int) -> list[Proposal]:
        generator = self._generator(len(self._observations))
        return [Proposal(inputs, "random") for inputs in self._fresh(generator, count, set())]


class RegularisedEvolution(Optimiser):
    """Evolution in which the oldest die: Real and others 2019, "Regularized Evolution for Image Classifier Search".

    The population is the latest designs told. A parent is the best of a random few of them; its child a random
    neighbour, or, where the candidates name none, the legal design nearest to a perturbed parent.
    """

    def __init__(
        self, candidates: Candidates, seed: int, population: int = 20, tournament: int = 5, spread: float = 0.15
    ) -> None:
        """
        Args:
            candidates: the legal designs.
            seed: of all random choices, not negative.
            population: random designs at first, and how many of the latest may be parents.
            tournament: how many of them compete to be one.
            spread: standard deviation of a perturbation, as a share of the box.

        Raises:
            InputError: not 1 <= tournament <= population, or a spread that is not positive.
        """
        super().__init__(candidates, seed)
        if not 1 <= tournament <= population:
            raise InputError(
                f"A tournament takes 1 to population designs, found tournament {tournament}, population {population}."
            )
        if spread <= 0:
            raise InputError(f"The spread of a perturbation must be positive, found {spread}.")
        self._population, self._tournament, self._spread = population, tournament, spread

    def ask(self, count: int) -> list[Proposal]:
        done = len(self._observations)
        generator = self._generator(done)
        taken: set[Hashable] = set()
        proposals = []
        for index in range(done, done + count):
            child = self._child(generator, taken) if index >= self._population and done else None
            origin = "initial" if child is None else "evolution"
            inputs = next(iter(self._fresh(generator, 1, taken)), None) if child is None else child
            if inputs is None:
                break
            taken.add(self.candidates.key(inputs))
            proposals.append(Proposal(inputs, origin))
        return proposals

    def _child(self, generator: np.random.Generator, taken: set[Hashable]) -> Inputs | None:
        """An untried child of some tournament's winner; None where ten of them have none left."""
        living = self._observations[-self._population :]
        for _ in range(10):
            rivals = generator.choice(len(living), size=min(self._tournament, len(living)), replace=False)
            parent = max((living[int(rival)] for rival in rivals), key=lambda observation: observation.rank)
            children = self.candidates.neighbours(parent.inputs) or self._perturbed(parent.inputs, generator)
            keys = [self.candidates.key(child) for child in children]
            untried = [i for i, key in enumerate(keys) if key not in taken and key not in self._evaluated]
            if untried:
                return children[untried[int(generator.integers(len(untried)))]]
        return None

    def _perturbed(self, inputs: Inputs, generator: np.random.Generator) -> list[Inputs]:
        point = tuple(
            vector + self._spread * (high - low) * generator.standard_normal(len(vector))
            for vector, (low, high) in zip(inputs, self.candidates.bounds(), strict=True)
        )
        return self.candidates.snap([point])
