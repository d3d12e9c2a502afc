"""Makes optimisers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from explorer.contracts.goal import Goal
from explorer.contracts.optimiser import Candidates, D, Inputs, Optimiser
from explorer.contracts.options import checked
from explorer.search.baselines import LocalSearch, RandomSearch, RegularisedEvolution
from explorer.search.boshcode import Boshcode, BoshcodeSettings
from explorer.search.breathe import Breathe, BreatheSettings
from explorer.search.options import (
    OPTIONS,
    BoshcodeOptions,
    BreatheOptions,
    DefaultOptions,
    EvolutionOptions,
    GraphBreatheOptions,
    LocalOptions,
    OptimiserName,
)


def make(
    name: OptimiserName,
    options: Mapping[str, Any],
    candidates: Candidates[D],
    seed: int,
    goal: Goal | None = None,
) -> Optimiser[D]:
    """The optimiser with this name.

    Args:
        name: which one.
        options: some of its options by name; the others have their defaults.
        candidates: the legal designs.
        seed: the seed of all random choices, not negative.
        goal: how values follow from measured outputs, for optimisers that learn the outputs one by one.

    Raises:
        InputError: an option is unknown or not allowed, or the optimiser cannot search such candidates.
    """
    read = checked(OPTIONS[name], options, f"the optimiser {name}")
    if isinstance(read, DefaultOptions):
        from explorer.search.default.search import DefaultSearch

        return DefaultSearch(candidates, seed, read, goal)
    if isinstance(read, GraphBreatheOptions):
        from explorer.search.graph_breathe import GraphBreathe, GraphBreatheSettings

        return GraphBreathe(candidates, seed, GraphBreatheSettings.of(read))
    if isinstance(read, EvolutionOptions):
        return RegularisedEvolution(candidates, seed, read.population, read.tournament, read.spread)
    if isinstance(read, LocalOptions):
        return LocalSearch(candidates, seed, read.initial)
    if name is OptimiserName.RANDOM:
        return RandomSearch(candidates, seed)
    vectors = cast(Candidates[Inputs], candidates)
    if isinstance(read, BreatheOptions):
        return cast(Optimiser[D], Breathe(vectors, seed, BreatheSettings.of(read), goal))
    assert isinstance(read, BoshcodeOptions)
    return cast(Optimiser[D], Boshcode(vectors, seed, BoshcodeSettings.of(read)))
