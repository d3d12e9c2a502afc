"""The legal pairs of a TransCODE study: models in vector form times the space of accelerators."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.contracts.description import Entry
from explorer.contracts.optimiser import Box, Inputs, Vector, VectorCandidates
from explorer.recipes.transcode.models import LegalModels
from explorer.search.space_candidates import LIBRARY
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture

Needed = Callable[[float], float]
"""Width of a model's first layer -> MiB that it needs of an accelerator's weight buffer."""

_TRIES = 100  # draws for each pair that is wanted


@dataclass(frozen=True)
class Fixed:
    """A role that is held fixed.

    Attributes:
        architecture: what plays it.
        vector: its vector; for an accelerator outside the space, zeros.
        inside: whether it lies in the space of its role.
    """

    architecture: Architecture
    vector: Vector
    inside: bool = True


class PairCandidates(VectorCandidates):
    """Fitting pairs of a model and an accelerator from a space.

    A point of the box snaps to the nearest model and to the accelerator that the space's repair gives; if the two do
    not fit, the nearest fitting neighbour replaces the accelerator. Accuracy and area are known of every pair.
    """

    def __init__(
        self,
        models: LegalModels,
        accelerators: OptionSpace,
        needed: Needed,
        areas: Callable[[Vector], Vector] | None = None,
        fixed: Mapping[str, Fixed] | None = None,
    ) -> None:
        """
        Args:
            models: candidate models.
            accelerators: space of accelerators, which is searched as a whole.
            needed: function from the width of a model's first layer to the weight buffer that it needs in MiB.
            areas: function from accelerators in vector form to their areas in mm2, if there is a formula.
            fixed: role -> what is held fixed in it.
        """
        self.models = models
        self.accelerators = accelerators
        self._needed = needed
        self._areas = areas
        self._fixed = dict(fixed or {})
        self._buffer = list(accelerators.options).index("weight_buffer_mb")
        self._mebibytes = np.array(accelerators.options["weight_buffer_mb"], dtype=np.float64)
        self._known_needs: dict[float, float] = {}

    def bounds(self) -> Box:
        """The boxes of the models and of the accelerators; a fixed role has a point for a box."""
        model, accelerator = self._fixed.get("model"), self._fixed.get("accelerator")
        return (
            self.models.bounds if model is None else (model.vector, model.vector),
            self.accelerators.bounds if accelerator is None else (accelerator.vector, accelerator.vector),
        )

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """The decisions of the model, and those of the accelerator."""
        return [*self.models.entries, *self.accelerators.entries]

    def describe(self, designs: Sequence[Inputs]) -> Vector:
        """The decisions of n pairs, shape `(n, d)`; NaN for those of an accelerator outside the space."""
        decided = self.accelerators.describe_vectors(self._accelerators(designs))
        if not self._inside:
            decided = np.full_like(decided, np.nan)
        return np.hstack([self.models.describe([model for model, _ in designs]), decided])

    def known(self, designs: Sequence[Inputs]) -> Mapping[str, Vector]:
        """The accuracy of each model and, by formula, the area of each accelerator."""
        outputs: dict[str, Vector] = {"accuracy": self.models.accuracy([model for model, _ in designs])}
        if self._areas is not None and self._inside:
            outputs["area_mm2"] = self._areas(self._accelerators(designs))
        return outputs

    def library(self) -> Sequence[Inputs] | None:
        """All fitting pairs, if one role is fixed and the other has at most 20,000 designs."""
        return self._library

    @cached_property
    def _library(self) -> Sequence[Inputs] | None:
        model, accelerator = self._fixed.get("model"), self._fixed.get("accelerator")
        if accelerator is None:
            return None
        models = self.models.library() if model is None else [model.vector]
        return None if models is None or len(models) > LIBRARY else self._with_models(models, accelerator.vector)

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        """Pairs drawn uniformly from those that fit; fewer than `count` if fitting ones are rare."""
        fitting: list[Inputs] = []
        drawn, size = 0, count
        while len(fitting) < count and drawn < _TRIES * count:
            fitting += self._drawn(generator, size)
            drawn += size
            size = min(2 * size, 4096)
        return fitting[:count]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        """The nearest fitting pair of each point."""
        return [self._snapped(point) for point in points]

    def key(self, design: Inputs) -> Hashable:
        """The bytes of both vectors."""
        return design[0].tobytes(), design[1].tobytes()

    def neighbours(self, design: Inputs) -> list[Inputs]:
        """The same model on every accelerator one decision away, and the models close to it on the same accelerator."""
        model, accelerator = design
        pairs: list[Inputs] = []
        if "accelerator" not in self._fixed:
            pairs += self._with_accelerators(model, self.accelerators.near(accelerator))
        if "model" not in self._fixed:
            pairs += self._with_models(self.models.near(model), accelerator)
        return pairs

    def crossover(self, first: Inputs, second: Inputs, generator: np.random.Generator) -> Inputs | None:
        """A pair with decisions of both; None if it does not fit."""
        model = first[0] if "model" in self._fixed else self.models.cross(first[0], second[0], generator)
        accelerator = np.where(generator.integers(2, size=len(first[1])) == 0, first[1], second[1])
        return next(iter(self._with_models([model], accelerator)), None)

    def design_of(self, architectures: Mapping[str, Architecture]) -> Inputs:
        """The vectors of a stored pair.

        Raises:
            KeyError: it is no pair of these candidates.
        """
        model, accelerator = architectures["model"], architectures["accelerator"]
        for role, fixed in self._fixed.items():
            if architectures[role].key != fixed.architecture.key:
                raise KeyError(role)
        stays = self._fixed.get("accelerator")
        return (
            self._fixed["model"].vector if "model" in self._fixed else self.models.vector(model),
            self.accelerators.to_vector(accelerator.choices) if stays is None else stays.vector,
        )

    def architectures_of(self, design: Inputs) -> dict[str, Architecture]:
        """The pair of architectures of the vectors."""
        model, accelerator = self._fixed.get("model"), self._fixed.get("accelerator")
        return {
            "model": self.models.architecture(design[0]) if model is None else model.architecture,
            "accelerator": self.accelerators.build(self.accelerators.from_vector(design[1]))
            if accelerator is None
            else accelerator.architecture,
        }

    @property
    def _inside(self) -> bool:
        """Whether the accelerators are designs of their space."""
        fixed = self._fixed.get("accelerator")
        return fixed is None or fixed.inside

    def _accelerators(self, designs: Sequence[Inputs]) -> Vector:
        """The vectors of the accelerators of n pairs, shape `(n, d)`."""
        width = self.accelerators.dimensions
        if not designs:
            return np.zeros((0, width))
        return np.concatenate([accelerator for _, accelerator in designs]).reshape(len(designs), width)

    def _drawn(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        """The fitting ones of random pairs."""
        model, accelerator = self._fixed.get("model"), self._fixed.get("accelerator")
        models = self.models.sample(generator, count) if model is None else [model.vector] * count
        if accelerator is not None:
            return self._with_models(models, accelerator.vector)
        accelerators = self.accelerators.sample_vectors(generator, count)
        good = self._needs(models) <= self._capacities(accelerators)
        return [(models[row], accelerators[row]) for row in np.flatnonzero(good).tolist()]

    def _with_models(self, models: Sequence[Vector], accelerator: Vector) -> list[Inputs]:
        """The fitting pairs of some models and one accelerator; one outside the space is left to the simulator."""
        if not self._inside or not models:
            return [(model, accelerator) for model in models]
        good = self._needs(models) <= self._capacities(accelerator[None, :])
        return [(model, accelerator) for model, fits in zip(models, good, strict=True) if fits]

    def _with_accelerators(self, model: Vector, accelerators: Vector) -> list[Inputs]:
        """The fitting pairs of one model and some accelerators."""
        good = self._needs([model]) <= self._capacities(accelerators)
        return [(model, accelerators[row]) for row in np.flatnonzero(good).tolist()]

    def _capacities(self, accelerators: Vector) -> Vector:
        """The weight buffers of n accelerators in MiB, shape `(n,)`."""
        return self._mebibytes[accelerators[:, self._buffer].astype(np.intp)]

    def _needs(self, models: Sequence[Vector]) -> Vector:
        """What n models need of the weight buffer in MiB, shape `(n,)`."""
        return np.array([self._need(float(width)) for width in self.models.first_hidden(models)])

    def _need(self, first_hidden: float) -> float:
        if first_hidden not in self._known_needs:
            self._known_needs[first_hidden] = self._needed(first_hidden)
        return self._known_needs[first_hidden]

    def _snapped(self, point: Inputs) -> Inputs:
        frozen, stays = self._fixed.get("model"), self._fixed.get("accelerator")
        model = self.models.snap(point[0]) if frozen is None else frozen.vector
        if stays is not None:
            return model, stays.vector
        wanted = self.accelerators.to_vector(self.accelerators.from_vector(point[1]))
        near = np.vstack([wanted, self.accelerators.near(wanted)])
        fitting = [accelerator for _, accelerator in self._with_accelerators(model, near)]
        if not fitting or np.array_equal(fitting[0], wanted):
            # if no single decision repairs it, the simulator gives the reason, and the trial counts as failed
            return model, wanted
        return model, min(fitting, key=lambda one: float(np.abs(one - point[1]).sum()))
