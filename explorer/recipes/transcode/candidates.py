"""The legal pairs of a TransCODE study: models in vector form times the space of accelerators."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry
from explorer.contracts.optimiser import Box, Inputs, Vector, VectorCandidates
from explorer.recipes.transcode.models import Models
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
        models: Models,
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
        models, accelerators = self._stacked(designs)
        decided = self.accelerators.describe_vectors(accelerators)
        fixed = self._fixed.get("accelerator")
        if fixed is not None and not fixed.inside:
            decided = np.full_like(decided, np.nan)
        return np.hstack([self.models.describe(models), decided])

    def known(self, designs: Sequence[Inputs]) -> Mapping[str, Vector]:
        """The accuracy of each model and, by formula, the area of each accelerator."""
        models, accelerators = self._stacked(designs)
        outputs: dict[str, Vector] = {"accuracy": self.models.accuracy(models)}
        fixed = self._fixed.get("accelerator")
        if self._areas is not None and (fixed is None or fixed.inside):
            outputs["area_mm2"] = self._areas(accelerators)
        return outputs

    def library(self) -> Sequence[Inputs] | None:
        """All fitting pairs, if one role is fixed and the other has at most 20,000 designs."""
        return self._library

    @cached_property
    def _library(self) -> Sequence[Inputs] | None:
        model, accelerator = self._fixed.get("model"), self._fixed.get("accelerator")
        if accelerator is not None:
            models = self.models.library() if model is None else model.vector[None, :]
            return (
                None if models is None or len(models) > LIBRARY else self._paired(models, accelerator.vector[None, :])
            )
        return None

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        """Pairs drawn uniformly from those that fit; fewer than `count` if fitting ones are rare."""
        fitting: list[Inputs] = []
        drawn, size = 0, count
        while len(fitting) < count and drawn < _TRIES * count:
            models, accelerators = self._drawn(generator, size)
            good = self._fits(models, accelerators)
            fitting += zip(models[good], accelerators[good], strict=True)
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
            pairs += self._paired(model[None, :], self.accelerators.near(accelerator))
        if "model" not in self._fixed:
            pairs += self._paired(self.models.near(model), accelerator[None, :])
        return pairs

    def crossover(self, first: Inputs, second: Inputs, generator: np.random.Generator) -> Inputs | None:
        """A pair with decisions of both; None if it does not fit."""
        model = first[0] if "model" in self._fixed else self.models.cross(first[0], second[0], generator)
        accelerator = np.where(generator.integers(2, size=len(first[1])) == 0, first[1], second[1])
        return next(iter(self._paired(model[None, :], accelerator[None, :])), None)

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

    def _stacked(self, designs: Sequence[Inputs]) -> tuple[Vector, Vector]:
        """The models and the accelerators of n pairs, as two arrays."""
        (low, _), (other, _) = self.bounds()
        if not designs:
            return np.zeros((0, len(low))), np.zeros((0, len(other)))
        models, accelerators = zip(*designs, strict=True)
        return np.array(models), np.array(accelerators)

    def _drawn(self, generator: np.random.Generator, count: int) -> tuple[Vector, Vector]:
        model, accelerator = self._fixed.get("model"), self._fixed.get("accelerator")
        models = self.models.sample(generator, count) if model is None else np.tile(model.vector, (count, 1))
        if accelerator is not None:
            return models, np.tile(accelerator.vector, (count, 1))
        return models, self.accelerators.sample_vectors(generator, count)

    def _paired(self, models: Vector, accelerators: Vector) -> list[Inputs]:
        """The fitting pairs of models and accelerators, of which one may stand for all."""
        count = max(len(models), len(accelerators)) if len(models) and len(accelerators) else 0
        if not count:
            return []
        models = np.broadcast_to(models, (count, models.shape[1]))
        accelerators = np.broadcast_to(accelerators, (count, accelerators.shape[1]))
        good = self._fits(models, accelerators)
        return [(models[row], accelerators[row]) for row in np.flatnonzero(good)]

    def _fits(self, models: Vector, accelerators: Vector) -> NDArray[np.bool_]:
        """Whether each model fits its accelerator; an accelerator outside the space is left to the simulator."""
        fixed = self._fixed.get("accelerator")
        if fixed is not None and not fixed.inside:
            return np.ones(len(models), dtype=np.bool_)
        needs = np.array([self._need(float(width)) for width in self.models.first_hidden(models)])
        enough: NDArray[np.bool_] = needs <= self._mebibytes[accelerators[:, self._buffer].astype(np.intp)]
        return enough

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
        fitting = near[self._fits(np.broadcast_to(model, (len(near), len(model))), near)]
        if not len(fitting) or np.array_equal(fitting[0], wanted):
            # if no single decision repairs it, the simulator gives the reason, and the trial counts as failed
            return model, wanted
        return model, fitting[int(np.abs(fitting - point[1]).sum(axis=1).argmin())]
