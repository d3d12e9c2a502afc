"""`Published`: measured architectures that the package carries as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphdb.architecture import Architecture
from graphdb.measurement import Measurement


@dataclass(frozen=True)
class Published:
    """Architectures, and measurements whose roles name them by key."""

    architectures: list[Architecture] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
