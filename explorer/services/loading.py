"""Putting what comes with the package into the database."""

from __future__ import annotations

from explorer import registry
from graphdb.store import Store


def load_published(store: Store) -> dict[str, tuple[int, int]]:
    """Store all published architectures and measurements, and the presets; again changes nothing.

    Returns:
        what -> (added now, found there already), for "architectures" and "measurements".
    """
    published = registry.published()
    architectures = {found.key: found for found in (*published.architectures, *registry.presets().values())}
    measurements = {found.key: found for found in published.measurements}
    new_architectures = store.architectures.add(architectures.values())
    new_measurements = store.measurements.add(measurements.values())
    return {
        "architectures": (new_architectures, len(architectures) - new_architectures),
        "measurements": (new_measurements, len(measurements) - new_measurements),
    }
