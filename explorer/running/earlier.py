"""What was measured before a study began: found once, kept with the study, and read again by every run of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from explorer import registry
from explorer.contracts.simulator import Roles
from graphdb.canonical import canonical_json
from graphdb.measurement import Measurement
from graphdb.store import Store
from graphdb.store.rows import CorruptError

MOST = 1000
"""The largest number of earlier measurements unless told otherwise: more of them slow a surrogate down."""


def keep_earlier(
    store: Store,
    simulator: str,
    settings: Mapping[str, Any],
    *,
    varying: Collection[str] = (),
    spaces: Mapping[str, Collection[str]] | None = None,
    most: int = MOST,
) -> str:
    """Stores the keys of all measurements that a new study can learn from; returns the key of that table.

    They were taken by the same version of the simulator under the same settings. Those that a study asked for come
    first, because they are nearer to good designs than a sample is.

    Args:
        store: the database.
        simulator: the registered name of the simulator.
        settings: all settings of the study's measurements, except those in `varying`, which need not be given.
        varying: the names of settings that differ between the trials of one study, such as a value that is known of
            each design.
        spaces: role -> the spaces whose designs the study can describe; a role that is left out may be played by any.
        most: the largest number of measurements.

    Raises:
        InputError: the simulator is unknown.
    """
    version = registry.simulator(simulator).version
    keys = store.measurements.comparable(simulator, version, settings, varying=varying, spaces=spaces, most=most)
    return store.tables.save(f"measurements by {simulator} before a study", canonical_json(keys).encode())


def kept_earlier(store: Store, key: str) -> list[tuple[Roles, Measurement]]:
    """The measurements under a key, each with the architectures that were measured, in the order of the table.

    Args:
        store: the database.
        key: what `keep_earlier` returned.

    Raises:
        NotFoundError: no table has the key.
        CorruptError: the table holds no keys of measurements.
    """
    try:
        keys = [str(one) for one in json.loads(store.tables.get(key))]
    except (TypeError, ValueError) as error:
        raise CorruptError(f"The table {key!r} in the database holds no keys of measurements.") from error
    measurements = list(store.measurements.get_many(keys).values())
    used = sorted({one for measurement in measurements for one in measurement.roles.values()})
    stored = store.architectures.get_many(used)
    return [({role: stored[one] for role, one in each.roles.items()}, each) for each in measurements]
