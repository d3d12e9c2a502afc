"""`Measurement`: the result of one simulator, or one published experiment, for one set of architectures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphdb.canonical import digest


@dataclass(frozen=True)
class Measurement:
    """One run of one simulator on one or more architectures.

    Attributes:
        simulator: the registered name of the simulator, or the name of the published source.
        version: the version of the simulator; another version gives another measurement.
        roles: role -> key of the architecture that played it.
        settings: everything else that the result depends on; any JSON value by name.
        seed: the seed of the run; None if the simulator is deterministic.
        measures: name -> value; the name of a measure with a unit ends in that unit (`latency_s`, `area_mm2`).
        predicted: the names of the measures that were predicted by a surrogate, not measured.
    """

    simulator: str
    version: str
    roles: Mapping[str, str]
    settings: Mapping[str, Any]
    measures: Mapping[str, float]
    seed: int | None = None
    predicted: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def key(self) -> str:
        """SHA-256 (64 hexadecimal digits) of everything that determines the result; known before the run."""
        return measurement_key(self.simulator, self.version, self.roles, self.settings, self.seed)


def measurement_key(
    simulator: str, version: str, roles: Mapping[str, str], settings: Mapping[str, Any], seed: int | None
) -> str:
    """The key of a measurement, which is known before it is taken.

    Args:
        simulator: the registered name of the simulator.
        version: the version of the simulator.
        roles: role -> key of the architecture.
        settings: everything else that the result depends on.
        seed: the seed of the run; None if the simulator is deterministic.
    """
    return digest([simulator, version, roles, settings, seed])
