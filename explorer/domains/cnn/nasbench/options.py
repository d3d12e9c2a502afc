"""Settings of looking up a network; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

NAME = "nasbench"
"""Name of the simulator and of the recipe, also used in messages."""


class Device(StrEnum):
    """Devices on which the latencies of all NAS-Bench-201 networks were measured; a column of the table each."""

    ESSENTIAL_PH_1 = "essential_ph_1"
    GTX_1080_TI_BATCH_1 = "gtx_1080_ti_batch_1"
    GTX_1080_TI_BATCH_32 = "gtx_1080_ti_batch_32"
    GTX_1080_TI_BATCH_256 = "gtx_1080_ti_batch_256"
    PIXEL_3 = "pixel_3"
    RTX_2080_TI_BATCH_1 = "rtx_2080_ti_batch_1"
    RTX_2080_TI_BATCH_32 = "rtx_2080_ti_batch_32"
    RTX_2080_TI_BATCH_256 = "rtx_2080_ti_batch_256"
    SAMSUNG_A50 = "samsung_a50"
    TITAN_RTX_BATCH_32 = "titan_rtx_batch_32"
    TITAN_X_BATCH_1 = "titan_x_batch_1"
    TITAN_X_BATCH_32 = "titan_x_batch_32"
    TITAN_X_BATCH_256 = "titan_x_batch_256"
    TITAN_XP_BATCH_1 = "titan_xp_batch_1"
    TITAN_XP_BATCH_32 = "titan_xp_batch_32"
    TITAN_XP_BATCH_256 = "titan_xp_batch_256"
    XEON_GOLD_6240 = "xeon_gold_6240"
    XEON_SILVER_4114 = "xeon_silver_4114"
    XEON_SILVER_4210R = "xeon_silver_4210r"


DEVICE = "Device whose measured latency is looked up too, for networks of NAS-Bench-201; none by default."


class LookUpSettings(BaseModel):
    """What a look-up depends on besides the network."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    device: Device | None = Field(None, strict=False, description=DEVICE)
