"""Crossover of two Transformers: models of a finer level between them, as in FlexiBERT's hierarchical search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.contracts.session import Descent
from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.transformer.hierarchy import LEVELS, between
from explorer.domains.transformer.model import choices_of, sorted_layers_of
from explorer.domains.transformer.transfer import overlap
from graphdb.architecture import Architecture
from graphdb.errors import InputError

HOW = "crossover"
_PARENTS = 2  # may be drawn too, and are left out


@dataclass(frozen=True)
class Crossing:
    """The models between two parents.

    Attributes:
        parents: the two models.
        size: number of models between the parents, including the parents if they are among them.
        children: some of these models, without duplicates and without the parents.
    """

    parents: tuple[Architecture, Architecture]
    size: int
    children: Sequence[Architecture]

    def descents(self) -> Iterator[Descent]:
        """The descent of every child from each of its parents."""
        for child in self.children:
            for parent in self.parents:
                yield crossed(child, parent)


def crossed(child: Architecture, parent: Architecture) -> Descent:
    """The descent of a model from one of its parents, with the share of its weights that the parent could set."""
    return Descent(child, parent, HOW, {"ratio": overlap(parent.choices, child.choices, "ordered")})


def cross(
    first: Architecture,
    second: Architecture,
    spaces: Sequence[DesignSpace],
    level: int,
    count: int,
    generator: np.random.Generator,
) -> Crossing:
    """Random models of a level between two parents of the level before it.

    Level 1 has stacks of two layers, level 2 single layers, level 3 feed-forward widths that differ within a layer.

    Args:
        first, second: Transformers.
        spaces: spaces of the children: each child is built in the first one in which it is legal; the last admits any
            Transformer.
        level: level of the children, 2 or 3.
        count: number of children; fewer if there are not as many.
        generator: random generator for the choice.

    Returns:
        The children, and the number of possible ones.

    Raises:
        InputError: a parent is not a Transformer, the level does not exist, or a depth cannot be split into stacks of
        two.
    """
    for parent in (first, second):
        if parent.domain != "transformer":
            raise InputError(f"The design {parent.key[:12]} is of the domain {parent.domain}; allowed: transformer.")
    if not 2 <= level <= len(LEVELS):
        raise InputError(f"The level is {level}; allowed: 2 to {len(LEVELS)}.")
    coarse, fine = LEVELS[level - 2], LEVELS[level - 1]
    library = between(sorted_layers_of(first.choices), sorted_layers_of(second.choices), coarse, fine)
    known = {parent.choices_json for parent in (first, second)}
    drawn = (_built(choices_of(layers), spaces) for layers in library.draw(count + _PARENTS, generator))
    children = [child for child in drawn if child.choices_json not in known][:count]
    return Crossing((first, second), library.size, children)


def _built(choices: Choices, spaces: Sequence[DesignSpace]) -> Architecture:
    for space in spaces:
        if not space.violations(choices):
            return space.build(choices)
    raise InputError(
        "A model between the two is not legal in any of the spaces; the last one must admit any Transformer."
    )
