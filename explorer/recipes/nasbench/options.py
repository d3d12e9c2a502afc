"""Settings of a study among trained networks; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from explorer.domains.cnn.nasbench.options import DEVICE, Device
from explorer.search.options import SearchSettings


class Space(StrEnum):
    """Spaces whose networks were all trained."""

    NASBENCH201 = "nasbench201"
    NASBENCH_MACRO = "nasbench_macro"


class NasBenchSettings(SearchSettings):
    """The settings that the trials of a study depend on, besides its seed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    space: Space = Field(Space.NASBENCH201, strict=False, description="Space of the networks.")
    device: Device | None = Field(None, strict=False, description=DEVICE)
    weights: dict[str, float] = Field(
        default_factory=dict, description="Weights of accuracy, latency, parameters and multiplications."
    )
    constraints: list[str] = Field(
        default_factory=list, description="Limits on measures: max:measure=value or min:measure=value."
    )
    batch: int = Field(1, ge=1, le=64, description="Number of proposals requested at a time.")
