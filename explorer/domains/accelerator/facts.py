"""What follows from an accelerator without a simulation: its area and its multipliers."""

from __future__ import annotations

from math import fsum

from explorer.domains.accelerator.acceltran.chip.area import areas
from explorer.domains.accelerator.acceltran.chip.components import components
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.measures import MULTIPLIERS
from graphdb.architecture import Architecture


def facts(architecture: Architecture) -> dict[str, float]:
    """Measure -> value; the area is that of a simulation with the default settings."""
    choices = architecture.choices
    chip = components(choices, training=False)
    return {
        MULTIPLIERS.name: choices["pe"] * choices["lanes_per_pe"] * choices["mac_per_lane"],
        "area_mm2": fsum(areas(chip, RunSettings().switches).values()),
    }
