"""What follows from a network without a measurement: its size."""

from __future__ import annotations

from explorer.contracts.space import Choices
from explorer.domains.cnn.measures import MULTIPLICATIONS, PARAMETERS
from explorer.domains.cnn.nasbench import cell_space, macro_space
from explorer.domains.cnn.nasbench.counts import Size, cell_network, macro_network
from graphdb.architecture import Architecture


def facts(architecture: Architecture) -> dict[str, float]:
    """Measure -> value."""
    size = size_of(architecture.choices)
    return {PARAMETERS.name: float(size.parameters), MULTIPLICATIONS.name: float(size.multiplications)}


def size_of(choices: Choices) -> Size:
    """The size of a network of either space, given by its choices."""
    if choices.keys() == set(cell_space.DECISIONS):
        return cell_network(cell_space.operations_of(choices))
    return macro_network(macro_space.blocks_of(choices))
