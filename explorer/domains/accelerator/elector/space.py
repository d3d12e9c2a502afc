"""The design space of ELECTOR: 14,850,000 AccelTran accelerators.

Source: `design_space_accelerator.yaml` of transcode, with the non-linearity (ReLU or GeLU) counted in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from explorer.contracts.space import Choices, DesignSpace, Vector
from explorer.domains.accelerator.elector.graph import block_graph
from explorer.domains.accelerator.elector.hardware import HYPERPARAMETERS, PUBLISHED_MEMORIES
from explorer.toolkit.counting import digits, uniform_below
from explorer.toolkit.reading import among, finite_vector, key_violations, listed, refused
from graphdb.architecture import Architecture

NAMES = (
    "tile_b",
    "tile_x",
    "tile_y",
    "pe",
    "lanes_per_pe",
    "mac_per_lane",
    "softmax_per_pe",
    "batch_size",
    "activation_buffer_mb",
    "weight_buffer_mb",
    "mask_buffer_mb",
    "memory",
    "non_linearity",
)
"""The keys of the choices: the columns of the published table, buffers in MiB. `tile_y` always equals `tile_x`."""


class ElectorSpace(DesignSpace):
    """AccelTran accelerators: tiles, processing elements, MAC lanes, softmax units, batch, buffers and main memory.

    The vector form has 12 entries, one for each decision in the order of `hardware.HYPERPARAMETERS`: the index of its
    value. As nearly all values double from one to the next, an index is a logarithm, and one step means as much
    everywhere; the published form (`published_vector`) holds raw values, which crowds the small ones.
    """

    name = "elector"
    domain = "accelerator"

    def __init__(self, options: Mapping[str, tuple[Any, ...]] = HYPERPARAMETERS) -> None:
        self.options = options
        self._radices = [len(values) for values in options.values()]

    @property
    def size(self) -> int:
        """14,850,000."""
        return math.prod(self._radices)

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """Zeros, and the highest index of each decision."""
        highest = np.array(self._radices, dtype=np.float64) - 1.0
        return np.zeros_like(highest), highest

    def at(self, number: int) -> Choices:
        """Design `number` in [0, size)."""
        return self._choices(digits(number, self._radices))

    def sample(self, generator: np.random.Generator) -> Choices:
        """A legal design, every design equally likely."""
        return self.at(uniform_below(generator, self.size))

    def violations(self, choices: Choices) -> list[str]:
        """What is illegal about `choices`; any JSON value may be given."""
        found = key_violations(choices, NAMES)
        if found:
            return found
        found = [
            refused(name, choices[name], listed(values))
            for name, values in self.options.items()
            if not among(choices[name], values)
        ]
        if not among(choices["tile_y"], [choices["tile_x"]]):
            found.append(refused("tile_y", choices["tile_y"], "the value of tile_x"))
        return found

    def normalise(self, choices: Choices) -> Choices:
        """The keys in their order; legal choices have one form only."""
        return {name: choices[name] for name in NAMES}

    def graph_of(self, choices: Choices) -> Architecture:
        """Units and data paths."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(choices))

    def to_vector(self, choices: Choices) -> Vector:
        """The 12 indices, shape `(12,)`."""
        return np.array(self._indices(choices), dtype=np.float64)

    def from_vector(self, vector: Vector) -> Choices:
        """The design whose every index is nearest."""
        return self._choices(np.rint(finite_vector(vector, *self.bounds)).astype(int).tolist())

    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """All designs that differ in one decision, whatever its value."""
        indices = self._indices(choices)
        for place, radix in enumerate(self._radices):
            for other in range(radix):
                if other != indices[place]:
                    yield self._choices([*indices[:place], other, *indices[place + 1 :]])

    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """Another value for one decision, the decision drawn first."""
        indices = self._indices(choices)
        place = generator.choice([i for i, radix in enumerate(self._radices) if radix > 1])
        step = generator.integers(1, self._radices[place])
        indices[place] = int((indices[place] + step) % self._radices[place])
        return self._choices(indices)

    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """Every decision from either parent, with equal chance."""
        parents = np.array([self._indices(first), self._indices(second)])
        origins = generator.integers(2, size=len(self._radices))
        return self._choices(parents[origins, np.arange(len(self._radices))].tolist())

    def _indices(self, choices: Choices) -> list[int]:
        return [values.index(choices[name]) for name, values in self.options.items()]

    def _choices(self, indices: list[int]) -> Choices:
        picked = {name: values[i] for (name, values), i in zip(self.options.items(), indices, strict=True)}
        return {name: picked["tile_x" if name == "tile_y" else name] for name in NAMES}


def published_vector(choices: Choices) -> Vector:
    """The 12 entries of the published embedding: raw values, and the index of the memory last; shape `(12,)`."""
    raw = [choices[name] for name in NAMES[:11]]
    return np.array([*raw, PUBLISHED_MEMORIES.index(choices["memory"])], dtype=np.float64)
