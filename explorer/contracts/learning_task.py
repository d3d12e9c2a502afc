"""`LearningTask`: the measures that a surrogate learns, and from which measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from explorer.contracts.measure import Measure
from graphdb.errors import InputError


@dataclass(frozen=True)
class LearningTask:
    """The measures that a surrogate learns from the measurements in the database.

    Attributes:
        name: for people.
        roles: of the architectures that are measured together.
        measures: learnt where they are known; the logarithms of those that are logarithmic.
        seen: further measures whose architectures are learnt from by their structure alone.
        simulators: whose measurements count; None for any.
        embeds: domain -> role whose encoder embeds it.
        sizes: settings of the surrogate that differ from their defaults, such as `members`, `steps` or `trees`.

    Example:
        >>> from explorer.contracts.measure import Measure
        >>> mass = Measure("mass_kg", "mass", "kg")
        >>> task = LearningTask("bridges", ("bridge",), (mass,), embeds={"bridge": "bridge"})
        >>> task.measure("mass_kg").unit
        'kg'
    """

    name: str
    roles: tuple[str, ...]
    measures: tuple[Measure, ...]
    seen: tuple[str, ...] = ()
    simulators: frozenset[str] | None = None
    embeds: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def measure(self, name: str) -> Measure:
        """The measure of that name.

        Raises:
            InputError: the task does not learn it.
        """
        for measure in self.measures:
            if measure.name == name:
                return measure
        allowed = ", ".join(measure.name for measure in self.measures) or "none"
        raise InputError(f"The surrogate of the {self.name} does not learn the measure {name!r}; allowed: {allowed}.")
