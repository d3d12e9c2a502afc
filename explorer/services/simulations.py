"""Single measurements: run a simulator and store its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer import registry
from explorer.contracts.simulator import Roles
from graphdb.measurement import Measurement
from graphdb.store import Store


def simulate(store: Store, simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
    """Runs a simulator, and stores the architectures with the measurement.

    Args:
        store: the database.
        simulator: the registered name of the simulator.
        architectures: role -> architecture.
        settings: the settings of the run; defaults are filled in.

    Returns:
        The measurement.

    Raises:
        InputError: the simulator or a setting is unknown, or the architectures cannot be simulated together.
    """
    measurement = registry.simulator(simulator).run(architectures, settings)
    store.architectures.add(architectures.values())
    store.measurements.add([measurement])
    return measurement
