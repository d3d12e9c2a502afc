"""Settings of a study among trained networks; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.domains.cnn.nasbench.options import DEVICE, Device
from explorer.search.options import OptimiserName


class Space(StrEnum):
    """Spaces whose networks were all trained."""

    NASBENCH201 = "nasbench201"
    NASBENCH_MACRO = "nasbench_macro"


class Aim(StrEnum):
    """What a search is for."""

    WEIGHTED = "weighted"
    FRONT = "front"


class NasBenchSettings(BaseModel):
    """The settings that the trials of a study depend on, besides its seed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    objective: Aim = Field(
        Aim.WEIGHTED,
        strict=False,
        description="Aim of the search: the best weighted sum, or the front of all terms that have a weight.",
    )
    weights: dict[str, float] = Field(
        default_factory=dict, description="Weights of accuracy, latency, parameters and multiplications."
    )
    constraints: list[str] = Field(
        default_factory=list, description="Limits on measures: max:measure=value or min:measure=value."
    )
    space: Space = Field(Space.NASBENCH201, strict=False, description="Space of the networks.")
    device: Device | None = Field(None, strict=False, description=DEVICE)
    optimiser: OptimiserName = Field(
        OptimiserName.DEFAULT, strict=False, description="Optimiser that chooses the networks."
    )
    cold: bool = Field(False, description="Learn from no measurement that was stored before the study began.")
    batch: int = Field(1, ge=1, le=64, description="Number of proposals requested at a time.")
    ahead: int = Field(
        0, ge=0, le=64, description="Number of evaluations that may still run when the next networks are chosen."
    )
    search: Annotated[dict[str, Any], Flag(internal=True)] = Field(
        default_factory=dict, description="Options of the optimiser."
    )
