"""What follows from a Transformer without a simulation: its size and its work."""

from __future__ import annotations

from explorer.domains.transformer.measures import MULTIPLICATIONS, PARAMETERS
from explorer.domains.transformer.multiplications import multiplication_count
from explorer.domains.transformer.parameters import parameter_count
from graphdb.architecture import Architecture


def facts(architecture: Architecture) -> dict[str, float]:
    """Measure -> value."""
    model = architecture.choices
    return {PARAMETERS.name: parameter_count(model), MULTIPLICATIONS.name: multiplication_count(model)}
