"""The models of a TransCODE study in a space too large to list, most of whose accuracies take a while to predict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from explorer.contracts.description import Entry, Nature
from explorer.contracts.optimiser import Vector
from explorer.contracts.space import DesignSpace
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.domains.transformer.spaces.steps import Steps
from explorer.learning.known import KnownValues
from explorer.recipes.transcode.models import LegalModels
from graphdb.architecture import Architecture

_NEAREST = 40


class SpaceModels(LegalModels):
    """The models of a layered space in its vector form, and those of a space within it that is drawn from as often.

    They are described by the logarithm of the weights of all matrix products, on which most costs depend, and by the
    decisions of the layered space; what a model lacks is NaN. The accuracies of measured models and of the inner space
    are known. To predict that of another takes a hundred times as long as to look at a pair, so a search learns it from
    its trials, as it learns the costs.
    """

    def __init__(self, space: LayeredSpace, accuracies: KnownValues, inner: DesignSpace | None = None) -> None:
        """
        Args:
            space: space of the models.
            accuracies: measured accuracies, and predictions for the inner space.
            inner: a space of few models, all of which lie in `space` too, that half of the random models are drawn
                from; such a model is stored as a design of that space.
        """
        self.space = space
        self.spaces = (space.name,) if inner is None else (inner.name, space.name)
        self._steps = Steps(space)
        self._hidden = np.array(space.options.hidden, dtype=np.float64)
        self._inner: dict[bytes, Architecture] = {}
        self._inner_vectors = np.zeros((0, space.dimensions))
        self._known = dict(self._measured(accuracies))
        if inner is not None:
            models = [inner.graph_of(choices) for choices in inner.enumerate()]
            self._inner_vectors = np.stack([space.to_vector(model.choices) for model in models])
            self._inner = {vector.tobytes(): model for vector, model in zip(self._inner_vectors, models, strict=True)}
            self._known = dict(zip(self._inner, accuracies.many(models).tolist(), strict=True)) | self._known
        low, high = (float(self._weights(vector[None, :])[0]) for vector in self._extremes())
        self.entries = [Entry("log10 of the weights", Nature.CONTINUOUS, low, high), *space.entries]

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """The box of the vector form."""
        return self.space.bounds

    def sample(self, generator: np.random.Generator, count: int) -> Sequence[Vector]:
        """Models of the space, each equally likely, or in half of the draws those of the inner space."""
        drawn = self.space.sample_vectors(generator, count)
        if len(self._inner_vectors):
            inner = self._inner_vectors[generator.integers(len(self._inner_vectors), size=count)]
            drawn = np.where(generator.random(count)[:, None] < 0.5, inner, drawn)
        return list(drawn)

    def near(self, vector: Vector) -> Sequence[Vector]:
        """Models one step away."""
        return list(self._steps.near(vector, _NEAREST))

    def snap(self, vector: Vector) -> Vector:
        """The legal model nearest to a point."""
        return self.space.to_vector(self.space.from_vector(vector))

    def cross(self, first: Vector, second: Vector, generator: np.random.Generator) -> Vector:
        """The depth of one parent, and attributes of layers from either."""
        parents = [self.space.from_vector(vector) for vector in (first, second)]
        return self.space.to_vector(self.space.crossover(parents[0], parents[1], generator))

    def describe(self, vectors: Sequence[Vector]) -> Vector:
        """The logarithm of the weights, and the decisions."""
        stacked = self._stacked(vectors)
        return np.hstack([self._weights(stacked)[:, None], self.space.describe_vectors(stacked)])

    def accuracy(self, vectors: Sequence[Vector]) -> Vector:
        """The accuracies that are known, NaN for other models."""
        return np.array([self._known.get(vector.tobytes(), np.nan) for vector in vectors])

    def first_hidden(self, vectors: Sequence[Vector]) -> Vector:
        """The widths of the first layers."""
        return np.array([self._hidden[int(vector[1])] for vector in vectors])

    def architecture(self, vector: Vector) -> Architecture:
        """The architecture of a model, in the inner space if it lies in it."""
        inner = self._inner.get(vector.tobytes())
        return self.space.graph_of(self.space.from_vector(vector)) if inner is None else inner

    def vector(self, architecture: Architecture) -> Vector:
        """The vector form of a model of either space.

        Raises:
            KeyError: it lies in neither.
        """
        if self.space.violations(architecture.choices):
            raise KeyError(architecture.key)
        vector = self.space.to_vector(self.space.normalise(architecture.choices))
        if self.architecture(vector).key != architecture.key:  # the same model, stored as a design of another space
            raise KeyError(architecture.key)
        return vector

    def _measured(self, accuracies: KnownValues) -> Iterator[tuple[bytes, float]]:
        """The measured models of the space, with their accuracies."""
        for text, accuracy in accuracies.measured.items():
            choices = json.loads(text)
            if not self.space.violations(choices):
                yield self.space.to_vector(self.space.normalise(choices)).tobytes(), accuracy

    def _stacked(self, vectors: Sequence[Vector]) -> Vector:
        return np.array(vectors).reshape(len(vectors), self.space.dimensions)

    def _weights(self, vectors: Vector) -> Vector:
        """The logarithm of the number of weights of the matrix products of all layers, biases left out, `(n,)`."""
        first, inner, last = self._products
        indices = vectors[:, 1:].astype(np.intp).reshape(len(vectors), -1, 3)
        hidden, stack = self._hidden[indices[:, :, 0]], indices[:, :, 1]
        weights = 4.0 * hidden**2 + hidden * (first[stack] + last[stack]) + inner[stack]
        depths = np.array(self.space.options.depths)[vectors[:, 0].astype(np.intp)]
        present = np.arange(weights.shape[1])[None, :] < depths[:, None]
        total: Vector = np.log10(np.where(present, weights, 0.0).sum(axis=1))
        return total

    @cached_property
    def _products(self) -> tuple[Vector, Vector, Vector]:
        """For every feed-forward stack its first width, the products of adjacent widths, and its last width."""
        stacks = self.space.options.feed_forwards
        inner = [sum(a * b for a, b in pairwise(stack)) for stack in stacks]
        return (
            np.array([stack[0] for stack in stacks], dtype=np.float64),
            np.array(inner, dtype=np.float64),
            np.array([stack[-1] for stack in stacks], dtype=np.float64),
        )

    def _extremes(self) -> tuple[Vector, Vector]:
        """The models of fewest and of most weights."""
        options = self.space.options
        index = options.feed_forward_index
        narrow = index[(min(options.widths),) * min(options.stacks)]
        wide = index[(max(options.widths),) * max(options.stacks)]
        small, large = np.zeros(self.space.dimensions), np.zeros(self.space.dimensions)
        small[2::3] = narrow
        large[0], large[1::3], large[2::3] = len(options.depths) - 1, len(options.hidden) - 1, wide
        return small, large
