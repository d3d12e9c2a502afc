"""Options of the optimisers, by name; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field


class OptimiserName(StrEnum):
    """Optimisers that a recipe can use."""

    DEFAULT = "default"
    BOSHNAS = "boshnas"
    BOSHCODE = "boshcode"
    EVOLUTION = "evolution"
    LOCAL_SEARCH = "local-search"
    RANDOM = "random"


class Options(BaseModel):
    """Options of an optimiser, as users give them."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DefaultOptions(Options):
    """Options of the default optimiser."""

    initial: int = Field(5, ge=2, description="Number of random designs before the first surrogate.")
    pool: int = Field(1000, ge=1, description="Number of random designs among which each choice looks.")


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
        OptimiserName.BOSHNAS: NoOptions,
        OptimiserName.BOSHCODE: NoOptions,
        OptimiserName.EVOLUTION: EvolutionOptions,
        OptimiserName.LOCAL_SEARCH: LocalOptions,
        OptimiserName.RANDOM: NoOptions,
    }
)
"""Optimiser -> its options."""
