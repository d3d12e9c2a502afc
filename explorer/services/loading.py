"""Loading the data that comes with the package into the database."""

from __future__ import annotations

from explorer import registry
from graphdb.store import Store


def load_published(store: Store) -> dict[str, tuple[int, int]]:
    """Stores all published architectures and measurements, and the presets; repeating it changes nothing.

    One process at a time loads: the others wait, and find everything stored.

    Returns:
        Kind -> (added now, stored before), for the kinds "architectures" and "measurements".
    """
    published = registry.published()
    presets = [registry.preset(name) for name in registry.presets()]
    architectures = {one.key: one for one in (*published.architectures, *presets)}
    measurements = {one.key: one for one in published.measurements}
    with store.alone("load"):
        store.index_measures(registry.headline())
        new_architectures = store.architectures.add(architectures.values())
        new_measurements = store.measurements.add(measurements.values())
    return {
        "architectures": (new_architectures, len(architectures) - new_architectures),
        "measurements": (new_measurements, len(measurements) - new_measurements),
    }
