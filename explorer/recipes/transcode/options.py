"""What a TransCODE study and its simulator may be told; read at every start, so nothing heavy is imported here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.domains.accelerator.acceltran.settings.run import RunSettings

NAME = "transcode"
"""Of the recipe and of its simulator, for messages too."""


class Scales(StrEnum):
    """How the objective counts costs."""

    DECADES = "decades"
    PUBLISHED = "published"


class Models(StrEnum):
    """Which models take part."""

    ALL = "all"
    MEASURED = "measured"


class SearchBy(StrEnum):
    """What chooses the pairs."""

    BOSHCODE = "boshcode"
    RANDOM = "random"


class AccuracySource(StrEnum):
    """Whether an accuracy was measured or is predicted."""

    MEASURED = "measured"
    PREDICTED = "predicted"


class TransCodeSettings(BaseModel):
    """All that the trials of a study depend on, besides its seed and the data in the database."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    objective: Scales = Field(
        Scales.DECADES,
        strict=False,
        description="How costs count: decades by their powers of ten, published by the constants of TransCODE.",
    )
    weights: dict[str, float] = Field(
        default_factory=dict, description="Weights of terms of the objective, in place of the published ones."
    )
    constraints: list[str] = Field(
        default_factory=list, description="Limits of measures: max:measure=value or min:measure=value."
    )
    models: Models = Field(
        Models.ALL,
        strict=False,
        description="Models to choose from: all 2,037 of the space, or the 660 whose accuracy was measured.",
    )
    optimiser: SearchBy = Field(
        SearchBy.BOSHCODE, strict=False, description="What chooses the pairs: boshcode, or random to compare with."
    )
    batch: int = Field(4, ge=1, le=64, description="Proposals asked for at a time; 4 in the published search.")
    simulation: Annotated[dict[str, Any], Flag(internal=True)] = Field(
        default_factory=dict, description="Settings of the simulator, all of them."
    )


class TransCodeRun(RunSettings):
    """Settings of one measurement: those of AccelTran, and the accuracy that stands beside its costs."""

    accuracy: float = Field(ge=0, le=1, description="Accuracy of the model, as a share of 1.")
    accuracy_source: AccuracySource = Field(
        strict=False, description="Whether that accuracy was measured or is predicted."
    )
