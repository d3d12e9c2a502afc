"""All measures of accelerators, from AccelTran's simulator and from published data."""

from __future__ import annotations

from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.domains.accelerator.acceltran.measures import MEASURES as ACCELTRAN
from explorer.domains.accelerator.acceltran.measures import energy_part

MULTIPLIERS = Measure(
    "multipliers",
    "multipliers",
    "",
    Direction.MAXIMISE,
    logarithmic=True,
    whole=True,
    description="multipliers on the chip: the largest number of multiplications in a cycle",
)

MEASURES = catalogue(
    ACCELTRAN.values(),
    MULTIPLIERS,
    (
        energy_part(f"layernorm_{kind}", f"{kind} energy of the layer-norm modules, as published")
        for kind in ("dynamic", "leakage")
    ),
)
"""Name -> measure."""
