"""`Simulator`: measures architectures; pure, and found by name so that it runs in any process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement


class Simulator(ABC):
    """What a domain offers to studies: named roles in, named measures out.

    Attributes:
        name: registered name.
        version: changes whenever a result changes.
        roles: role -> domain of the architecture that plays it.
        measures: name -> what it is, with its unit.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    roles: ClassVar[Mapping[str, str]]
    measures: ClassVar[Mapping[str, str]]

    @abstractmethod
    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a run, defaults filled in.

        Raises:
            InputError: an unknown name or a value that is not allowed.
        """

    @abstractmethod
    def run(self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]) -> Measurement:
        """One measurement.

        Raises:
            InputError: the architectures cannot be simulated together; the message says why.
        """

    def run_batch(
        self, pairs: Sequence[Mapping[str, Architecture]], settings: Mapping[str, Any]
    ) -> list[Measurement | InputError]:
        """Many measurements at once; a design that cannot be simulated gives its error in its place."""
        results: list[Measurement | InputError] = []
        for architectures in pairs:
            try:
                results.append(self.run(architectures, settings))
            except InputError as error:
                results.append(error)
        return results
