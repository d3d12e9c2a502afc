"""`Simulator`: measures architectures. It is pure, and is found by name so that it runs in any process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel

from explorer.contracts.measure import Measures
from explorer.contracts.options import checked
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement, measurement_key

Roles = Mapping[str, Architecture]
"""Role -> the architecture that plays it."""


@dataclass(frozen=True, slots=True)
class Role:
    """The architectures that may play a part in a measurement.

    Attributes:
        domain: the domain of the architecture.
        spaces: the spaces of the domain whose designs may play it; empty for all.

    Example:
        >>> beam = Architecture.of("bridges", "beams", {}, [], [])
        >>> Role("bridges").admits(beam), Role("bridges", ("trusses",)).admits(beam)
        (True, False)
    """

    domain: str
    spaces: tuple[str, ...] = ()

    def admits(self, architecture: Architecture) -> bool:
        """Whether an architecture may play the role."""
        return architecture.domain == self.domain and (not self.spaces or architecture.space in self.spaces)

    def __str__(self) -> str:
        return self.domain if not self.spaces else f"{self.domain} ({', '.join(self.spaces)})"


class Simulator(ABC):
    """A measuring program that a domain provides: named roles in, named measures out.

    Attributes:
        name: the registered name.
        version: changes whenever a result changes; part of the key of every measurement.
        roles: role -> the architectures that may play it, in the order in which users name them.
        measures: name -> measure; a run may give only some of them.
        options: the settings of a run, with defaults.
        front: the measures of the Pareto front of a sweep, in order; empty for all headline measures that have a
            direction.

    Example:
        A simulator of one role and no options:

        >>> from explorer.contracts.measure import Measure, catalogue
        >>> class Options(BaseModel):
        ...     pass
        >>> class Scales(Simulator):
        ...     name, version = "scales", "1"
        ...     roles = {"body": Role("bodies")}
        ...     measures = catalogue(Measure("mass_kg", "mass", "kg"))
        ...     options = Options
        ...     def measured(self, architectures, settings):
        ...         return {"mass_kg": float(architectures["body"].choices["mass"])}
        >>> body = Architecture.of("bodies", "all", {"mass": 3}, [], [])
        >>> dict(Scales().run({"body": body}, {}).measures)
        {'mass_kg': 3.0}
    """

    name: ClassVar[str]
    version: ClassVar[str]
    roles: ClassVar[Mapping[str, Role]]
    measures: ClassVar[Measures]
    options: ClassVar[type[BaseModel]]
    front: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """The measures of one run.

        Args:
            architectures: role -> architecture; already checked.
            settings: complete and checked settings.

        Raises:
            InputError: the architectures cannot be simulated together; the message says why.
        """

    def remarks(self, architectures: Roles) -> Sequence[str]:
        """What readers of results should know, one sentence each.

        Args:
            architectures: role -> architecture, for some of the roles.
        """
        return ()

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a run with defaults filled in, as plain JSON.

        Raises:
            InputError: a name is unknown or a value is not allowed.
        """
        return checked(self.options, given, self.name).model_dump(mode="json")

    def run(self, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
        """Takes one measurement.

        Args:
            architectures: role -> architecture.
            settings: at least the settings that differ from their defaults.

        Raises:
            InputError: a setting is not allowed, a role is missing or played by another domain or space, or the
                architectures cannot be simulated together; the message says why.
        """
        full = self.settings(settings)
        self.check_roles(architectures)
        return self.measurement(architectures, full, self.measured(architectures, full))

    def run_batch(self, pairs: Sequence[Roles], settings: Mapping[str, Any]) -> list[Measurement | InputError]:
        """Takes many measurements at once; a design that cannot be simulated gives its error in its place.

        Args:
            pairs: role -> architecture, for each measurement.
            settings: the settings of all measurements.
        """
        results: list[Measurement | InputError] = []
        for architectures in pairs:
            try:
                results.append(self.run(architectures, settings))
            except InputError as error:
                results.append(error)
        return results

    def pending(self, architectures: Roles, given: Mapping[str, Any]) -> Measurement:
        """The measurement that `run` will return, with its measures still empty.

        Raises:
            InputError: a setting is not allowed.
        """
        return self.measurement(architectures, self.settings(given), {})

    def measurement(
        self, architectures: Roles, settings: Mapping[str, Any], measures: Mapping[str, float]
    ) -> Measurement:
        """A measurement under this simulator's name and version.

        Args:
            architectures: role -> architecture.
            settings: the complete settings.
            measures: name -> value; sorted in the order of the simulator's measures.
        """
        return Measurement(
            simulator=self.name,
            version=self.version,
            roles={role: architectures[role].key for role in self.roles},
            settings=settings,
            measures={name: measures[name] for name in self.measures if name in measures},
            seed=self.seed(settings),
            predicted=self.predicted(settings),
        )

    def measurement_key(self, keys: Mapping[str, str], settings: Mapping[str, Any]) -> str:
        """The key of a measurement before it is taken.

        Args:
            keys: role -> key of the architecture.
            settings: the complete settings.
        """
        return measurement_key(
            self.name, self.version, {role: keys[role] for role in self.roles}, settings, self.seed(settings)
        )

    def check_roles(self, architectures: Roles) -> None:
        """Refuses architectures that cannot play the roles.

        Raises:
            InputError: a role is missing, unknown, or played by an architecture of another domain or space.
        """
        allowed = ", ".join(f"{role}: {who}" for role, who in self.roles.items())
        given = ", ".join(f"{role}: {one.domain} ({one.space})" for role, one in architectures.items())
        fits = self.roles.keys() == architectures.keys() and all(
            who.admits(architectures[role]) for role, who in self.roles.items()
        )
        if not fits:
            raise InputError(f"The architectures given to {self.name} are {given or 'none'}; allowed: {allowed}.")

    def seed(self, settings: Mapping[str, Any]) -> int | None:
        """The seed of a run; None for a deterministic simulator."""
        del settings
        return None

    def predicted(self, settings: Mapping[str, Any]) -> frozenset[str]:
        """The names of the measures that a run predicts rather than measures; empty unless overridden."""
        del settings
        return frozenset()

    def chunk(self, settings: Mapping[str, Any]) -> int:
        """The number of measurements that a worker gets at once: about a second's work."""
        del settings
        return 64
