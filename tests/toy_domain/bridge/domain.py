"""What this package brings to Explorer: imported at every start, so nothing heavy stands here."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.domain import Domain, RecipeEntry, SimulatorEntry


class Traffic(StrEnum):
    """What crosses a bridge."""

    WALKERS = "walkers"
    LORRIES = "lorries"


class LoadOptions(BaseModel):
    """What a loading test depends on besides the bridge."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    traffic: Traffic = Field(default=Traffic.WALKERS, description="What crosses the bridge.")
    wind_m_per_s: float = Field(default=10.0, ge=0, le=80, description="Speed of the wind, in m/s.")


class BridgeSettings(BaseModel):
    """What a search for a bridge depends on besides its seed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    traffic: Traffic = Field(default=Traffic.WALKERS, description="What crosses the bridge.")
    batch: int = Field(default=4, ge=1, le=64, description="Bridges that are proposed at a time.")
    constraints: list[str] = Field(default_factory=list, description="max:measure=value or min:measure=value.")


DOMAIN = Domain(
    name="bridge",
    spaces={"beam_bridge": "bridge.space:BeamBridgeSpace"},
    presets=("footbridge",),
    preset="bridge.space:preset",
    simulators=(
        SimulatorEntry("loading", "Load a bridge.", "bridge.simulator:LoadingSimulator", LoadOptions, title="Loading"),
    ),
    metric="bridge.space:METRIC",
    learning_tasks="bridge.simulator:TASKS",
    kinds=("beam", "bank"),
    measures="bridge.simulator:MEASURES",
    headline=("mass_kg", "deflection_m"),
)
RECIPE = RecipeEntry(
    "bridge",
    "Find bridges that are light and stiff.",
    "bridge.recipe:RECIPE",
    BridgeSettings,
    example="explorer search bridge --budget 40 --max span_cost=900",
    title="Bridge",
)
