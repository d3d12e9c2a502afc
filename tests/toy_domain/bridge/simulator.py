"""The simulator: mass, deflection and cost of a bridge by textbook formulas for beams on two supports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bridge.domain import LoadOptions, Traffic
from bridge.space import SPANS

from explorer.contracts.learning_task import LearningTask
from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.contracts.simulator import Role, Roles, Simulator

LENGTH_M, WIDTH_M = 10.0, 2.0
DENSITY_KG_PER_M3 = MappingProxyType({"timber": 500.0, "steel": 7850.0})
STIFFNESS_PA = MappingProxyType({"timber": 11e9, "steel": 210e9})
LOAD_N_PER_M = MappingProxyType({Traffic.WALKERS: 1e4, Traffic.LORRIES: 6e4})
MEASURES = catalogue(
    Measure("mass_kg", "mass", "kg", Direction.MINIMISE, logarithmic=True, description="mass of all beams"),
    Measure("deflection_m", "deflection", "m", Direction.MINIMISE, logarithmic=True, description="of the worst span"),
    Measure("span_cost", "cost", "", Direction.MINIMISE, description="in thousands"),
)


class LoadingSimulator(Simulator):
    """A uniform load and a wind on every span; the worst deflection is that of the thinnest beam."""

    name = "loading"
    version = "1"
    roles = MappingProxyType({"bridge": Role("bridge")})
    measures = MEASURES
    options = LoadOptions

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        choices = architectures["bridge"].choices
        material, depths_m = choices["material"], [choices[f"depth_{span}_cm"] / 100 for span in range(SPANS)]
        load = LOAD_N_PER_M[Traffic(settings["traffic"])] + 10.0 * settings["wind_m_per_s"] ** 2
        stiffness = STIFFNESS_PA[material] * WIDTH_M * min(depths_m) ** 3 / 12
        mass_kg = DENSITY_KG_PER_M3[material] * LENGTH_M * WIDTH_M * sum(depths_m)
        return {
            "mass_kg": mass_kg,
            "deflection_m": 5 / 384 * load * LENGTH_M**4 / stiffness,
            "span_cost": mass_kg / 1000 * (3.0 if material == "steel" else 1.0),
        }


TASKS = (LearningTask("bridges", ("bridge",), tuple(MEASURES.values()), embeds={"bridge": "bridge"}),)
