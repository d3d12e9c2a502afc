"""Options of the optimisers, by name; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.options import Flag, checked
from graphdb.errors import InputError


class OptimiserName(StrEnum):
    """Optimisers that a recipe can use."""

    DEFAULT = "default"
    BOSHNAS = "boshnas"
    BOSHCODE = "boshcode"
    BREATHE = "breathe"
    G_BREATHE = "g-breathe"
    EVOLUTION = "evolution"
    LOCAL_SEARCH = "local-search"
    RANDOM = "random"


class Options(BaseModel):
    """Options of an optimiser, as users give them."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DefaultOptions(Options):
    """Options of the default optimiser."""

    initial: int = Field(5, ge=2, description="Number of random designs before the first surrogate.")
    pool: int = Field(500, ge=1, description="Number of random designs among which each choice looks.")
    local_search: bool = Field(True, description="Whether neighbours are climbed from the best of these designs.")
    gradients: bool = Field(True, description="Whether continuous entries follow the gradient of the acquisition.")
    believer: bool = Field(
        True, description="Whether designs under way count as measured with their predicted outputs."
    )
    outputs: bool = Field(
        True,
        description="Whether each output is learnt by itself, and what is known of it used, instead of the values.",
    )


class GradientOptions(Options):
    """Options that the published searches over vectors share."""

    initial: int = Field(10, ge=2, description="Number of designs before the first surrogate.")
    exploration: float = Field(0.5, ge=0, description="Factor of the deviation that is subtracted from the loss.")
    uncertainty: float = Field(0.1, ge=0, le=1, description="Share of the proposals where the surrogate knows least.")
    diversity: float = Field(0.1, ge=0, le=1, description="Share of the proposals that are random.")
    second_order: bool = Field(True, description="Whether steps divide by curvature; otherwise plain descent.")
    heteroscedastic: bool = Field(
        True, description="Whether mean and noise come from a natural-parameter network; otherwise the mean alone."
    )
    legality_forcing: bool = Field(
        True, description="Whether repaired designs are scored again; otherwise the points before the repair count."
    )
    one_sample: bool = Field(
        False, description="Whether networks train as published, on one sample per step; slow, and weaker."
    )


class BoshcodeOptions(GradientOptions):
    """Options of BOSHCODE."""

    starts: int = Field(10, ge=1, description="Number of random designs from which the surrogate is descended.")
    patience: int = Field(
        10, ge=1, description="Number of optimising proposals without progress before the noise counts, and again as "
        "many before the search has converged."
    )  # fmt: skip


class BoshnasOptions(BoshcodeOptions):
    """Options of BOSHNAS."""

    patience: int = Field(
        5, ge=1, description="Number of optimising proposals without progress before the noise counts, and again as "
        "many before the search has converged."
    )  # fmt: skip


class BreatheOptions(GradientOptions):
    """Options of V-BREATHE."""

    starts: int = Field(16, ge=1, description="Number of designs from which the surrogate is descended.")
    patience: int = Field(
        20, ge=1, description="Number of optimising proposals without progress before the search has converged."
    )
    chebyshev: bool = Field(
        False, description="Whether objectives are joined by the augmented Chebyshev norm; otherwise by their sum."
    )
    hypervolume: bool = Field(
        False, description="Whether designs are chosen by the hypervolume that they would add; otherwise by weights."
    )
    penalty: bool = Field(
        False, description="Whether limits add penalties; otherwise the probability that they hold counts."
    )


class GraphBreatheOptions(Options):
    """Options of G-BREATHE."""

    initial: int = Field(10, ge=1, description="Number of random designs before the first surrogate.")
    exploration: float = Field(0.5, ge=0, description="Factor of the deviation that is subtracted from the loss.")
    crossover: float = Field(0.5, ge=0, le=1, description="Probability that a child has two parents.")
    gradients: bool = Field(True, description="Whether the best children walk along gradients of the surrogate.")
    neighbours: bool = Field(True, description="Whether the neighbours of the best children are looked at too.")


class EvolutionOptions(Options):
    """Options of regularised evolution."""

    population: int = Field(20, ge=1, description="Number of the latest designs that may be parents.")
    tournament: int = Field(5, ge=1, description="Number of designs that compete to be a parent.")
    spread: float = Field(
        0.15, gt=0, description="Deviation of a child where designs have no neighbours, as a share of the box."
    )


class LocalOptions(Options):
    """Options of local search."""

    initial: int = Field(5, ge=1, description="Number of random designs before the first climb.")


class NoOptions(Options):
    """Options of an optimiser that has none."""


OPTIONS: Mapping[OptimiserName, type[Options]] = MappingProxyType(
    {
        OptimiserName.DEFAULT: DefaultOptions,
        OptimiserName.BOSHNAS: BoshnasOptions,
        OptimiserName.BOSHCODE: BoshcodeOptions,
        OptimiserName.BREATHE: BreatheOptions,
        OptimiserName.G_BREATHE: GraphBreatheOptions,
        OptimiserName.EVOLUTION: EvolutionOptions,
        OptimiserName.LOCAL_SEARCH: LocalOptions,
        OptimiserName.RANDOM: NoOptions,
    }
)
"""Optimiser -> its options."""


class SearchSettings(BaseModel):
    """The settings by which a recipe chooses designs; models of recipes' settings inherit them."""

    optimiser: OptimiserName = Field(
        OptimiserName.DEFAULT,
        strict=False,
        description="Optimiser that chooses the designs: default, a published one, or a simple one for comparison.",
    )
    batch: int = Field(4, ge=1, le=64, description="Number of proposals requested at a time.")
    ahead: int = Field(
        0,
        ge=0,
        le=64,
        description="Number of trials that may still be under way when the next proposals are requested.",
    )
    cold: bool = Field(False, description="Begin with nothing learnt from earlier measurements in the database.")
    front: bool = Field(
        False, description="Search for the Pareto front of the objective's terms instead of their weighted sum."
    )
    fixed: Annotated[dict[str, str], Flag(internal=True)] = Field(
        default_factory=dict, description="Role -> key of the architecture that is held fixed in it."
    )
    search: Annotated[dict[str, Any], Flag(internal=True)] = Field(
        default_factory=dict, description="Options of the optimiser that differ from their defaults."
    )

    @property
    def recalls(self) -> bool:
        """Whether a study begins with what was measured before: only the default optimiser learns from it."""
        return not self.cold and self.optimiser is OptimiserName.DEFAULT


SINGLE = frozenset({OptimiserName.BOSHNAS, OptimiserName.BOSHCODE})
"""Optimisers that search by one value, and so for no front."""


def with_search(given: Mapping[str, Any], fields: Container[str], name: str) -> dict[str, Any]:
    """Settings of a recipe in which those that are options of the optimiser are under `search`.

    Args:
        given: a user's settings.
        fields: names of the recipe's own settings, which are never options.
        name: name of the recipe, for messages.

    Raises:
        InputError: the optimiser is unknown or searches for no front, or an option is unknown or not allowed.
    """
    read = checked(SearchSettings, {key: given[key] for key in SearchSettings.model_fields if key in given}, name)
    if read.front and read.optimiser in SINGLE:
        raise InputError(
            f"The setting front of {name} needs an optimiser of several objectives; {read.optimiser} searches by one."
        )
    options = OPTIONS[read.optimiser]
    picked = {key: value for key, value in given.items() if key in options.model_fields and key not in fields}
    search = {**read.search, **picked}
    checked(options, search, f"the optimiser {read.optimiser}")
    rest = {key: value for key, value in given.items() if key not in picked}
    return rest | ({"search": search} if search else {})
