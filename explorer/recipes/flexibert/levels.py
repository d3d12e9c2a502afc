"""The levels of FlexiBERT's hierarchical search, as tables of models with their embeddings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.optimiser import Inputs, Observation, Vector
from explorer.domains.transformer.hierarchy import Layers, Level, between, biased_neighbours, library
from explorer.domains.transformer.measures import PARAMETERS
from explorer.domains.transformer.model import choices_of, layers_of
from explorer.domains.transformer.parameters import parameter_count
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options
from explorer.search.candidates import Described, TableCandidates
from explorer.search.staged import Stage
from graphdb.architecture import Architecture

Pair = tuple[Layers, Layers]
Encode = Callable[[Sequence[Architecture]], NDArray[np.float32]]

PARENTS, NEIGHBOURS = 5, 5
"""Number of best models that are crossed, and of the neighbours that each is crossed with; as published."""
DIMENSIONS = 16
"""Length of the embeddings in which the search takes place; as published."""
_NEAR = 8
_LEAST_PER_TRIAL = 5  # models of a level to choose from, per trial


class NearCandidates(TableCandidates):
    """A table of models, described by their decisions, in which the neighbours of a model are the nearest ones."""

    def __init__(self, table: Vector, described: Described, parameters: Vector) -> None:
        """
        Args:
            table: the embeddings of n models, shape `(n, d)`.
            described: the entries of their descriptions, and the descriptions.
            parameters: the number of weights of each, which needs no measurement, shape `(n,)`.
        """
        super().__init__(table, descriptions=[described])
        self._table = table
        self._parameters = parameters

    def neighbours(self, design: Inputs) -> list[Inputs]:
        """The nearest rows, nearest first."""
        distances = np.square(self._table - design[0]).sum(axis=1)
        order = np.argsort(distances, kind="stable")[: _NEAR + 1]
        return [self.at(int(row)) for row in order if distances[row] > 0]

    def known(self, designs: Sequence[Inputs]) -> Mapping[str, Vector]:
        """The number of weights of each model."""
        rows = np.array([self.indices(design)[0] for design in designs], dtype=np.intp)
        return {PARAMETERS.name: self._parameters[rows]}


@dataclass(frozen=True)
class _Table:
    """n models: their embeddings, their descriptions, and their numbers of weights, each with n rows."""

    models: Sequence[Layers]
    vectors: Vector
    described: Vector
    parameters: Vector


class Levels:
    """Builds the table of each level: all of the first level, then the models between the best of the previous level.

    Everything depends only on the seed and the observations, so a continued search sees the same tables.
    """

    def __init__(
        self,
        space: LayeredSpace,
        options: Options,
        ladder: Sequence[Level],
        encode: Encode,
        *,
        trials: int,
        most: int,
        seed: int,
        earlier: Sequence[Architecture] = (),
    ) -> None:
        """
        Args:
            space: space in which the models are built.
            options: options of the space, or some of them.
            ladder: levels from coarse to fine.
            encode: function from n models to vectors of shape `(n, d)`, in which similar models are close.
            trials: number of trials per level.
            most: largest number of models in a table; larger levels are sampled.
            seed: seed of the samples.
            earlier: models of the space that were measured before; every table has them too.

        Raises:
            InputError: a depth has no stacks of two layers.
        """
        self._space, self._options, self._ladder, self._encode = space, options, ladder, encode
        self._trials, self._most, self._seed = trials, most, seed
        self._earlier = [layers_of(model.choices) for model in earlier]
        self._models: dict[str, Architecture] = {}
        self._vectors: dict[str, Vector] = {}
        self._described: dict[str, Vector] = {}
        self._parameters: dict[str, float] = {}
        self._key_of: dict[bytes, str] = {}
        self._parents: dict[Layers, Pair] = {}
        self._centre: Vector | None = None
        self._axes = np.zeros((0, 0))
        self._table = _Table((), np.zeros((0, DIMENSIONS)), np.zeros((0, len(space.entries))), np.zeros(0))

    def stage(self, number: int, observations: Sequence[Observation[Inputs]]) -> Stage[Inputs]:
        """The stage of a staged search for level `number`, from 0; levels must be requested in order."""
        if number == 0:
            models = self._first()
        else:
            models = [*map(self._layers_of, observations), *self._finer(number, observations)]
        self._table = self._tabled([*models, *self._earlier])
        untried = len({vector.tobytes() for vector in self._table.vectors}) - len(observations)
        table = self._table
        candidates = NearCandidates(table.vectors, (self._space.entries, table.described), table.parameters)
        return Stage(candidates, min(self._trials, untried))

    def architecture_of(self, design: Inputs) -> Architecture:
        """The model of a vector."""
        return self._models[self._key_of[design[0].tobytes()]]

    def design_of(self, architecture: Architecture) -> Inputs:
        """The vector of a model in a table."""
        return (self._vectors[architecture.key],)

    def model(self, key: str) -> Architecture:
        """The model with a key that is in one of the tables."""
        return self._models[key]

    def parents_of(self, architecture: Architecture) -> list[Architecture]:
        """The two models between which it lies; none for a model of the first level."""
        parents = self._parents.get(layers_of(architecture.choices), ())
        return [self._space.graph_of(choices_of(layers)) for layers in parents]

    def _layers_of(self, observation: Observation[Inputs]) -> Layers:
        return layers_of(self.architecture_of(observation.design).choices)

    def _first(self) -> list[Layers]:
        whole = library(self._options, self._ladder[0])
        return whole.draw(self._most, np.random.default_rng([self._seed, 0]))

    def _finer(self, number: int, observations: Sequence[Observation[Inputs]]) -> Iterable[Layers]:
        """Models between the best ones, and between these and their neighbours.

        If the best are so similar that there is little between them, further neighbours are added, and finally random
        models of the level.
        """
        generator = np.random.default_rng([self._seed, number])
        ranked = sorted(observations, key=lambda one: one.rank, reverse=True)[:PARENTS]
        best = [self._layers_of(one) for one in ranked]
        near = [self._neighbours(one, parent) for one, parent in zip(ranked, best, strict=True)]
        pairs = list(itertools.combinations(best, 2))
        pairs += [(parent, other) for parent, others in zip(best, near, strict=True) for other in others[:NEIGHBOURS]]
        crossed = self._crossed(number, pairs, generator)
        wanted = min(self._most, _LEAST_PER_TRIAL * self._trials)
        for place in range(NEIGHBOURS, len(self._table.models)):
            if len(crossed) >= wanted:
                break
            further = [
                (parent, others[place]) for parent, others in zip(best, near, strict=True) if place < len(others)
            ]
            crossed = self._crossed(number, further, generator) | crossed
        self._parents = crossed | self._parents  # a model keeps its first parents
        if len(crossed) >= wanted:
            return crossed
        return [*crossed, *library(self._options, self._ladder[number]).draw(wanted, generator)]

    def _neighbours(self, observation: Observation[Inputs], model: Layers) -> list[Layers]:
        """All other models of the table; those that begin like this one come first."""
        distances = np.sqrt(np.square(self._table.vectors - observation.design[0]).sum(axis=1))
        return [self._table.models[row] for row in biased_neighbours(model, self._table.models, distances)]

    def _crossed(self, number: int, pairs: Sequence[Pair], generator: np.random.Generator) -> dict[Layers, Pair]:
        """About the same number of models for each pair, with the first pair between which each model lies."""
        pair_of: dict[Layers, Pair] = {}
        for pair in pairs:
            there = between(*pair, self._ladder[number - 1], self._ladder[number])
            for model in there.draw(-(-self._most // len(pairs)), generator):
                if model not in pair:
                    pair_of.setdefault(model, pair)
        return pair_of

    def _tabled(self, models: Iterable[Layers]) -> _Table:
        """The table of the models without duplicates; new ones are built and encoded."""
        distinct = list(dict.fromkeys(models))
        built = [self._space.graph_of(choices_of(layers)) for layers in distinct]
        new = [one for one in built if one.key not in self._vectors]
        for one, vector in zip(new, self._flattened(self._encode(new)), strict=True):
            self._vectors[one.key] = vector
            self._models[one.key] = one
            self._described[one.key] = self._space.describe(one.choices)
            self._parameters[one.key] = float(parameter_count(one.choices))
            self._key_of.setdefault(vector.tobytes(), one.key)
        keys = [one.key for one in built]
        return _Table(
            distinct,
            np.stack([self._vectors[key] for key in keys]),
            np.stack([self._described[key] for key in keys]),
            np.array([self._parameters[key] for key in keys]),
        )

    def _flattened(self, vectors: NDArray[np.float32]) -> Vector:
        """Vectors projected to the principal components of the first level, of shape `(n, DIMENSIONS)`."""
        wide = vectors.astype(np.float64)
        if self._centre is None:
            self._centre = wide.mean(axis=0)
            _, _, axes = np.linalg.svd(wide - self._centre, full_matrices=False)
            self._axes = axes[:DIMENSIONS]
        flat: Vector = (wide - self._centre) @ self._axes.T
        return flat
