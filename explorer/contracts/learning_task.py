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
        name: the name shown to users.
        roles: the roles of the architectures that are measured together.
        measures: the measures to learn where they are known; logarithmic ones are learnt as logarithms.
        seen: further measures, whose architectures only contribute their structure.
        simulators: the simulators whose measurements count; None for any.
        embeds: domain -> the role whose encoder embeds its architectures.
        sizes: the settings of the surrogate that differ from their defaults, such as `members`, `steps` or `trees`.

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
        """Returns the measure with this name.

        Raises:
            InputError: the task does not learn it.
        """
        for measure in self.measures:
            if measure.name == name:
                return measure
        allowed = ", ".join(measure.name for measure in self.measures) or "none"
        raise InputError(f"The surrogate of the {self.name} does not learn the measure {name!r}; allowed: {allowed}.")
