"""Crossover of two Transformers: the models of a finer level between them, as in FlexiBERT's hierarchical search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer import registry
from explorer.contracts.space import Choices
from explorer.domains.transformer.hierarchy import LEVELS, between
from explorer.domains.transformer.model import choices_of, layers_of
from explorer.domains.transformer.transfer import overlap
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.store import Store

HOW = "crossover"
_PARENTS = 2  # may be among what is drawn, and are left out


@dataclass(frozen=True)
class Crossing:
    """What lies between two parents.

    Attributes:
        parents: keys.
        size: models between them, the parents themselves included where they are.
        children: some of them, none twice, and no parent.
        overlaps: child key -> for each parent, the share of the child's weights that it could set.
    """

    parents: tuple[str, str]
    size: int
    children: Sequence[Architecture]
    overlaps: dict[str, tuple[float, float]]


def cross(
    first: Architecture, second: Architecture, level: int, count: int, generator: np.random.Generator
) -> Crossing:
    """Random models of a level between two parents of the level before it.

    Level 1 has stacks of two layers, level 2 single layers, level 3 feed-forward widths that differ within a layer.

    Args:
        first, second: Transformers.
        level: of the children, 2 or 3.
        count: of children, fewer where there are not so many.
        generator: of the choice.

    Raises:
        InputError: a parent is no Transformer, there is no such level, or a depth has no stacks of two.
    """
    for parent in (first, second):
        if parent.domain != "transformer":
            raise InputError(f"The design {parent.key[:12]} is of the domain {parent.domain}; allowed: transformer.")
    if not 2 <= level <= len(LEVELS):
        raise InputError(f"The level is {level}; allowed: 2 to {len(LEVELS)}.")
    coarse, fine = LEVELS[level - 2], LEVELS[level - 1]
    library = between(layers_of(first.choices), layers_of(second.choices), coarse, fine)
    known = {parent.choices_json for parent in (first, second)}
    children = [_built(choices_of(layers), first, second) for layers in library.draw(count + _PARENTS, generator)]
    children = [child for child in children if child.choices_json not in known][:count]
    return Crossing(
        (first.key, second.key),
        library.size,
        children,
        {
            child.key: (
                overlap(first.choices, child.choices, "ordered"),
                overlap(second.choices, child.choices, "ordered"),
            )
            for child in children
        },
    )


def store_crossing(store: Store, crossing: Crossing) -> int:
    """Keep the children, each as derived from both parents; how many were new."""
    added = store.architectures.add(crossing.children)
    for child in crossing.children:
        for parent, ratio in zip(crossing.parents, crossing.overlaps[child.key], strict=True):
            store.architectures.add_derived(child.key, parent, HOW, {"ratio": ratio})
    return added


def _built(choices: Choices, first: Architecture, second: Architecture) -> Architecture:
    """In the space of the parents where both are of one that has the child, else as a free Transformer."""
    if first.space == second.space:
        space = registry.space(first.space)
        if not space.violations(choices):
            return space.build(choices)
    return registry.space("transformer_free").build(choices)
