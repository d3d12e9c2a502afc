"""Options of a TransCODE study and its simulator; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.contracts.skill import Source
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.search.options import SearchSettings

NAME = "transcode"
"""Name of the recipe and of its simulator, also used in messages."""


class Scales(StrEnum):
    """Scales by which the objective counts costs."""

    DECADES = "decades"
    PUBLISHED = "published"


class Models(StrEnum):
    """Set of models that take part."""

    ALL = "all"
    MEASURED = "measured"
    FLEXIBERT2 = "flexibert2"
    MIXED = "mixed"


BEYOND = frozenset({Models.FLEXIBERT2, Models.MIXED})
"""Sets with models unlike the measured ones."""


class TransCodeSettings(SearchSettings):
    """The settings that the trials of a study depend on, besides its seed and the data in the database."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    objective: Scales = Field(
        Scales.DECADES,
        strict=False,
        description="Scales of the costs: decades counts powers of ten, published uses the constants of TransCODE.",
    )
    weights: dict[str, float] = Field(
        default_factory=dict, description="Weights of terms of the objective, which replace the published ones."
    )
    constraints: list[str] = Field(
        default_factory=list, description="Limits on measures: max:measure=value or min:measure=value."
    )
    models: Models = Field(
        Models.ALL,
        strict=False,
        description="Models to choose from: all 2,037 of the early space, the 660 of them whose accuracy was measured, "
        "the 1.7e88 of flexibert2 with predictions without demonstrated skill, or a mixture of both spaces.",
    )
    simulation: Annotated[dict[str, Any], Flag(internal=True)] = Field(
        default_factory=dict, description="All settings of the simulator."
    )


class TransCodeRun(RunSettings):
    """Settings of one measurement: those of AccelTran, and the accuracy of the model."""

    accuracy: float = Field(ge=0, le=1, description="Accuracy of the model, from 0 to 1.")
    accuracy_source: Source = Field(
        strict=False,
        description="Whether the accuracy was measured, is predicted, or is extrapolated for a model unlike the "
        "measured ones.",
    )
