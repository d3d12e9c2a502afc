"""Hierarchical search of FlexiBERT: coarse libraries, and the models between two parents on a finer level.

A level states how many consecutive layers are equal (a stack), and whether the feed-forward widths of a layer are
equal. A search goes from coarse to fine: it evaluates models of a level, and the candidates of the next level lie
between the best of them.

Source: `library.py` and `flexibert/hierarchical.py` of txf_design-space. Two of its faults are
left out: crossover among the best models never runs there (its error is swallowed), and only the first feed-forward
width of a parent is considered.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from explorer.domains.transformer.model import Layer, layer
from explorer.domains.transformer.spaces.layered import Options
from explorer.toolkit.counting import digits, uniform_below
from graphdb.errors import InputError

Layers = tuple[Layer, ...]

_DRAWS_PER_MODEL = 20  # up to this size all numbers are shuffled; above it, a number is rarely drawn twice


@dataclass(frozen=True)
class Level:
    """The resolution of a library.

    Attributes:
        layers_per_stack: number of consecutive layers that are equal.
        equal_widths: whether all feed-forward widths of a layer are equal.
    """

    layers_per_stack: int
    equal_widths: bool


LEVELS = (Level(2, True), Level(1, True), Level(1, False))
"""The published levels: stacks of two layers, then single layers, then heterogeneous feed-forward stacks."""


@dataclass(frozen=True)
class Library:
    """A product of choices, numbered from 0; models are built only on request.

    Attributes:
        families: for each family, the possible layers of each stack, and layers that follow unchanged.
        layers_per_stack: number of times that each chosen layer is repeated.
    """

    families: tuple[tuple[tuple[Sequence[Layer], ...], Layers], ...]
    layers_per_stack: int

    @property
    def size(self) -> int:
        """The exact number of models."""
        return sum(math.prod(map(len, stacks)) for stacks, _ in self.families)

    def at(self, number: int) -> Layers:
        """Model `number`.

        Raises:
            InputError: there is no such model.
        """
        if not 0 <= number < self.size:
            raise InputError(f"There is no model {number} in the library; allowed: 0 to {self.size - 1}.")
        for stacks, rest in self.families:
            lengths = [len(stack) for stack in stacks]
            if number < math.prod(lengths):
                chosen = [stack[i] for stack, i in zip(stacks, digits(number, lengths), strict=True)]
                return self._spread(chosen) + rest
            number -= math.prod(lengths)
        raise AssertionError("the number is below the size")

    def __iter__(self) -> Iterator[Layers]:
        for stacks, rest in self.families:
            for chosen in itertools.product(*stacks):
                yield self._spread(chosen) + rest

    def sample(self, generator: np.random.Generator) -> Layers:
        """A random model, each equally likely."""
        return self.at(uniform_below(generator, self.size))

    def draw(self, most: int, generator: np.random.Generator) -> list[Layers]:
        """All models in order if there are at most `most`, otherwise `most` different ones at random."""
        if self.size <= most:
            return list(self)
        if self.size <= _DRAWS_PER_MODEL * most:
            return [self.at(int(number)) for number in generator.permutation(self.size)[:most]]
        drawn: dict[Layers, None] = {}
        while len(drawn) < most:
            drawn[self.sample(generator)] = None
        return list(drawn)

    def _spread(self, chosen: Sequence[Layer]) -> Layers:
        return tuple(one for one in chosen for _ in range(self.layers_per_stack))


class _Layers(Sequence[Layer]):
    """Every layer with these choices, built on request: FlexiBERT 2.0 has 22,502,760."""

    def __init__(self, *choices: Sequence[Any]) -> None:
        self._choices = choices

    def __len__(self) -> int:
        return math.prod(map(len, self._choices))

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> list[Layer]: ...
    def __getitem__(self, index: int | slice) -> Layer | list[Layer]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        places = digits(range(len(self))[index], [len(values) for values in self._choices])
        return layer(*(values[place] for values, place in zip(self._choices, places, strict=True)))


def library(options: Options, level: Level) -> Library:
    """All models of a space on a level; 9,312 of FlexiBERT 1's 3.32e9 models are on the first level.

    Raises:
        InputError: a depth of the space is not a multiple of the number of layers in a stack.
    """
    for depth in options.depths:
        _check_divides(depth, level.layers_per_stack)
    stacks = [s for s in options.feed_forwards if not level.equal_widths or len(set(s)) == 1]
    layers = _Layers(options.hidden, options.attentions, stacks)
    families = (((layers,) * (depth // level.layers_per_stack), ()) for depth in options.depths)
    return Library(tuple(families), level.layers_per_stack)


def between(first: Layers, second: Layers, coarse: Level, fine: Level) -> Library:
    """The models between two parents of a coarser level.

    In each coarse stack the choices of both parents are collected, and each finer stack within it takes any of them:
    hidden width, number and type of heads (the whole multiset if a parent mixes types), number of feed-forward widths
    and the widths themselves. For parents of different depths there are the models of the smaller depth, and the same
    models followed by the remaining layers of the deeper parent.

    Args:
        first, second: models of the coarse level.
        coarse: level of the parents.
        fine: level of the models between them; its stacks divide the coarse ones.

    Raises:
        InputError: the finer stacks do not divide the coarser ones, or the stacks do not divide the depth of a parent.
    """
    size = coarse.layers_per_stack
    if size % fine.layers_per_stack:
        raise InputError(
            f"Stacks of {size} layers cannot be refined to {fine.layers_per_stack}; allowed: a divisor of {size}."
        )
    short, deep = sorted((first, second), key=len)
    for parent in (short, deep):
        _check_divides(len(parent), size)
    stacks: list[Sequence[Layer]] = []
    for start in range(0, len(short), size):
        choices = _combined([*short[start : start + size], *deep[start : start + size]], fine.equal_widths)
        stacks += [choices] * (size // fine.layers_per_stack)
    families: list[tuple[tuple[Sequence[Layer], ...], Layers]] = [(tuple(stacks), ())]
    if len(deep) > len(short):
        families.append((tuple(stacks), deep[len(short) :]))
    return Library(tuple(families), fine.layers_per_stack)


def common_prefix(first: Layers, second: Layers) -> int:
    """Number of blocks, counted from the input, that are the same in both: heads and feed-forwards in sequence."""
    pairs = zip(_labels(first), _labels(second), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def biased_neighbours(
    reference: Layers, models: Sequence[Layers], distances: NDArray[np.float64] | None = None
) -> list[int]:
    """Positions of all other models; those with the longest common beginning come first, as they inherit more weights.

    Args:
        reference: reference model; left out if it is among the models.
        models: n models.
        distances: distances of the embeddings to the reference, `(n,)`, which break ties between equal beginnings; None
            to keep the order of the models.

    Raises:
        InputError: there are not as many distances as models.
    """
    if distances is not None and distances.shape != (len(models),):
        raise InputError(f"The distances have the shape {distances.shape}; allowed: ({len(models)},).")
    prefixes = [common_prefix(reference, model) for model in models]
    ties = np.zeros(len(models)) if distances is None else distances
    others = [position for position, model in enumerate(models) if model != reference]
    return sorted(others, key=lambda position: (-prefixes[position], ties[position], position))


def _check_divides(depth: int, size: int) -> None:
    if size < 1 or depth % size:
        raise InputError(f"A model of {depth} layers has no stacks of {size}; allowed: a divisor of {depth}.")


def _combined(parents: Sequence[Layer], equal_widths: bool) -> tuple[Layer, ...]:
    """Every layer whose choices each come from one of the parents."""
    hidden = dict.fromkeys(parent.hidden for parent in parents)
    depths = dict.fromkeys(len(parent.feed_forward) for parent in parents)
    widths = dict.fromkeys(width for parent in parents for width in parent.feed_forward)
    stacks = [
        stack
        for depth in depths
        for stack in (
            [(width,) * depth for width in widths] if equal_widths else itertools.product(widths, repeat=depth)
        )
    ]
    rows = itertools.product(hidden, _heads(parents), stacks)
    return tuple(dict.fromkeys(layer(*row) for row in rows if row[0] >= len(row[1])))


def _heads(parents: Sequence[Layer]) -> list[tuple[str, ...]]:
    whole = [parent.heads for parent in parents if len(set(parent.heads)) > 1]
    alike = [parent.heads for parent in parents if len(set(parent.heads)) == 1]
    crossed = [(heads[0],) * len(others) for heads in alike for others in alike]
    return list(dict.fromkeys([*whole, *crossed]))


def _labels(layers: Layers) -> Iterator[tuple[object, ...]]:
    for one in layers:
        yield from ((kind, one.head_dimension, one.hidden) for kind in one.heads)
        yield from ((width, one.hidden) for width in one.feed_forward)
