"""Single measurements: run a simulator and store what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer import registry
from explorer.contracts.simulator import Roles
from graphdb.measurement import Measurement
from graphdb.store import Store


def simulate(store: Store, simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
    """Run a simulator, and store the architectures with the measurement.

    Args:
        store: where they are kept.
        simulator: registered name.
        architectures: role -> architecture.
        settings: of the run; defaults are filled in.

    Returns:
        the measurement.

    Raises:
        InputError: unknown simulator or setting, or architectures that cannot be simulated together.
    """
    measurement = registry.simulator(simulator).run(architectures, settings)
    store.architectures.add(architectures.values())
    store.measurements.add([measurement])
    return measurement
