"""`Published`: measured architectures that a package contains as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphdb.architecture import Architecture
from graphdb.measurement import Measurement


@dataclass(frozen=True)
class Published:
    """Architectures, and measurements whose roles refer to them by key.

    Attributes:
        architectures: every architecture once.
        measurements: the measurements of these architectures, or of others that are also published.

    Example:
        >>> truss = Architecture.of("bridge", "truss", {"spans": 2}, [], [])
        >>> weighed = Measurement("scales", "1", {"bridge": truss.key}, settings={}, measures={"mass_kg": 900.0})
        >>> len(Published([truss], [weighed]).measurements)
        1
    """

    architectures: list[Architecture] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
