"""`Simulator`: measures architectures; pure, and found by name so that it runs in any process."""

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
    """Who may play a part in a measurement.

    Attributes:
        domain: of the architecture.
        spaces: of the domain whose designs may play it; empty for all.

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
    """What a domain offers to studies: named roles in, named measures out.

    Attributes:
        name: registered name.
        version: changes whenever a result changes; part of the key of every measurement.
        roles: role -> who may play it, in the order in which they are named.
        measures: name -> measure; a run may give some of them only.
        options: what a run may be told, with defaults.
        front: measures that the Pareto front of a sweep is taken over, in order; empty for all of the headline measures
            that have a direction.

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
            architectures: role -> architecture; checked.
            settings: complete and checked.

        Raises:
            InputError: the architectures cannot be simulated together; the message says why.
        """

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a run, defaults filled in, as plain JSON.

        Raises:
            InputError: an unknown name or a value that is not allowed.
        """
        return checked(self.options, given, self.name).model_dump(mode="json")

    def run(self, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
        """One measurement.

        Args:
            architectures: role -> architecture.
            settings: those that differ from their defaults suffice.

        Raises:
            InputError: a setting is not allowed, a role is missing or played by another domain or space, or the
                architectures cannot be simulated together; the message says why.
        """
        full = self.settings(settings)
        self.check_roles(architectures)
        return self.measurement(architectures, full, self.measured(architectures, full))

    def run_batch(self, pairs: Sequence[Roles], settings: Mapping[str, Any]) -> list[Measurement | InputError]:
        """Many measurements at once; a design that cannot be simulated gives its error in its place.

        Args:
            pairs: role -> architecture, for each measurement.
            settings: of all of them.
        """
        results: list[Measurement | InputError] = []
        for architectures in pairs:
            try:
                results.append(self.run(architectures, settings))
            except InputError as error:
                results.append(error)
        return results

    def pending(self, architectures: Roles, given: Mapping[str, Any]) -> Measurement:
        """The measurement that `run` will give, its measures still empty.

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
            settings: complete.
            measures: name -> value; kept in the order of the simulator's own.
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
            settings: complete.
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
        """The seed that a run is told; None for a deterministic simulator."""
        del settings
        return None

    def predicted(self, settings: Mapping[str, Any]) -> frozenset[str]:
        """Names of the measures that a run predicts rather than measures; none unless overridden."""
        del settings
        return frozenset()

    def chunk(self, settings: Mapping[str, Any]) -> int:
        """How many measurements a worker is handed at once: about a second's work."""
        del settings
        return 64
