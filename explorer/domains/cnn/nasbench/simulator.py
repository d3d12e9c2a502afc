"""The simulator of networks that were all trained: it looks them up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.contracts.simulator import Role, Roles, Simulator
from explorer.domains.cnn.measures import ACCURACIES, ACCURACY, LATENCY, MEASURES, MULTIPLICATIONS
from explorer.domains.cnn.nasbench.cell_space import NasBench201Space, operations_of
from explorer.domains.cnn.nasbench.facts import facts
from explorer.domains.cnn.nasbench.macro_space import NasBenchMacroSpace, blocks_of
from explorer.domains.cnn.nasbench.options import NAME, Device, LookUpSettings
from explorer.domains.cnn.nasbench.tables import (
    cell_accuracies,
    cell_latencies_s,
    cell_number,
    macro_accuracies,
    macro_number,
)
from graphdb.errors import InputError


class NasBenchSimulator(Simulator):
    """Accuracies on CIFAR-10 as they were measured, latency on a device if one is named, and the size of the network.

    The accuracies of NAS-Bench-201 networks are those of one training each, which repeat to 0.15 percentage points (the
    standard deviation among cells that are the same network); those of NAS-Bench-Macro are means of three trainings.
    """

    name = NAME
    version = "1"
    roles = MappingProxyType({"network": Role("cnn", (NasBench201Space.name, NasBenchMacroSpace.name))})
    measures = MEASURES
    options = LookUpSettings
    front = (ACCURACY.name, LATENCY.name, MULTIPLICATIONS.name)

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """The measures of one network.

        Args:
            architectures: the network.
            settings: complete and checked.

        Raises:
            InputError: a device is named for a network whose latency was not measured.
        """
        network, device = architectures["network"], settings["device"]
        size = facts(network)
        if network.space == NasBench201Space.name:
            number = cell_number(operations_of(network.choices))
            names = (measure.name for measure in ACCURACIES)
            latency = {} if device is None else {LATENCY.name: float(cell_latencies_s(Device(device))[number])}
            return {**dict(zip(names, cell_accuracies()[number].tolist(), strict=True)), **latency, **size}
        if device is not None:
            raise InputError(
                f"The device is {device}, but no latency of {network.space} was measured; allowed: no device, or a "
                f"network of {NasBench201Space.name}."
            )
        return {ACCURACY.name: float(macro_accuracies()[macro_number(blocks_of(network.choices))].mean()), **size}

    def chunk(self, settings: Mapping[str, Any]) -> int:
        """Thousands, as a look-up takes microseconds."""
        del settings
        return 2048
