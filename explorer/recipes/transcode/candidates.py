"""The legal pairs of a TransCODE study: a table of embedded models times the space of accelerators."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np

from explorer.contracts.optimiser import Box, Inputs, Vector, VectorCandidates
from explorer.contracts.space import Choices, DesignSpace
from graphdb.architecture import Architecture

Fits = Callable[[Choices, Choices], bool]


class PairCandidates(VectorCandidates):
    """Fitting pairs of a model from a list and an accelerator from a space.

    A model is given by its graph embedding, an accelerator by the vector form of its space. A point of the box snaps to
    the model with the smallest mean absolute difference and to the accelerator that the space's repair gives; if the
    two do not fit, the nearest fitting neighbour replaces the accelerator.
    """

    def __init__(
        self, models: Sequence[Architecture], embeddings: Vector, accelerators: DesignSpace, fits: Fits
    ) -> None:
        """
        Args:
            models: candidate models.
            embeddings: embeddings of the models, of shape `(len(models), d)`.
            accelerators: space of accelerators, which is searched as a whole.
            fits: function that tells whether the choices of a model and of an accelerator can be simulated together.
        """
        self.models = list(models)
        self.accelerators = accelerators
        self._embeddings = embeddings
        self._fits = fits
        self._row = {model.key: row for row, model in enumerate(self.models)}
        self._row_of_vector = {vector.tobytes(): row for row, vector in enumerate(embeddings)}

    def bounds(self) -> Box:
        """The box of the embeddings and the box of the accelerators' vectors."""
        return (self._embeddings.min(axis=0), self._embeddings.max(axis=0)), self.accelerators.bounds

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        """Pairs drawn uniformly from those that fit; fewer than `count` if fitting ones are rare."""
        fitting: list[Inputs] = []
        for _ in range(100 * count):
            row = int(generator.integers(len(self.models)))
            accelerator = self.accelerators.sample(generator)
            if self._fits(self.models[row].choices, accelerator):
                fitting.append(self._design(row, accelerator))
                if len(fitting) == count:
                    break
        return fitting

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        """The nearest fitting pair of each point."""
        return [self._snapped(point) for point in points]

    def key(self, design: Inputs) -> Hashable:
        """The row of the model and the vector of the accelerator."""
        return self.row(design), design[1].tobytes()

    def neighbours(self, design: Inputs) -> list[Inputs]:
        """The same model on every accelerator one decision away, and the nearest models on the same accelerator."""
        row = self.row(design)
        choices = self.accelerators.from_vector(design[1])
        pairs = [(row, other) for other in self.accelerators.neighbours(choices)]
        pairs += [(other, choices) for other in self._nearest_models(self._embeddings[row], 9) if other != row]
        return [
            self._design(model, accelerator)
            for model, accelerator in pairs
            if self._fits(self.models[model].choices, accelerator)
        ]

    def row(self, design: Inputs) -> int:
        """The position of the model in the list."""
        return self._row_of_vector[design[0].tobytes()]

    def design_of(self, architectures: Mapping[str, Architecture]) -> Inputs:
        """The vectors of a stored pair."""
        return self._design(self._row[architectures["model"].key], architectures["accelerator"].choices)

    def architectures_of(self, design: Inputs) -> dict[str, Architecture]:
        """The pair of architectures of the vectors."""
        return {
            "model": self.models[self.row(design)],
            "accelerator": self.accelerators.build(self.accelerators.from_vector(design[1])),
        }

    def _design(self, row: int, accelerator: Choices) -> Inputs:
        return self._embeddings[row], self.accelerators.to_vector(accelerator)

    def _snapped(self, point: Inputs) -> Inputs:
        row = self._nearest_models(point[0], 1)[0]
        wanted = self.accelerators.from_vector(point[1])
        if self._fits(self.models[row].choices, wanted):
            return self._design(row, wanted)
        fitting = [n for n in self.accelerators.neighbours(wanted) if self._fits(self.models[row].choices, n)]
        if not fitting:  # no single decision repairs it: the simulator gives the reason, and the trial counts as failed
            return self._design(row, wanted)
        vectors = [self.accelerators.to_vector(choices) for choices in fitting]
        nearest = int(np.argmin([np.abs(vector - point[1]).sum() for vector in vectors]))
        return self._design(row, fitting[nearest])

    def _nearest_models(self, vector: Vector, count: int) -> list[int]:
        distances = np.abs(self._embeddings - vector).mean(axis=1)
        return [int(row) for row in np.argsort(distances, kind="stable")[:count]]
