"""`Recipe`: which spaces, simulator, objective and optimiser make a kind of study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from explorer.objective import Objective
from explorer.search.optimiser import Inputs, Optimiser
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord
from graphdb.store import Store

Roles = Mapping[str, Architecture]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """A recipe made ready for one study: everything that turns proposals into measurements and back.

    Attributes:
        simulator: registered name of what measures a trial.
        objective: what a trial is worth.
        optimiser: asks and is told, in vectors.
        batch: proposals asked for at a time; part of the study's settings, so that trials do not depend on the workers.
        architectures: vectors of a proposal -> the architecture of each role.
        inputs: architecture of each role -> the vectors that stand for it.
        pending: architecture of each role -> the measurement to be taken (its `measures` empty).
    """

    simulator: str
    objective: Objective
    optimiser: Optimiser
    batch: int
    architectures: Callable[[Inputs], Roles]
    inputs: Callable[[Roles], Inputs]
    pending: Callable[[Roles], Measurement]


class Recipe(ABC):
    """A kind of study, found by name.

    Attributes:
        name: registered name.
        description: one sentence for the help text.
        front: measure -> "maximise" or "minimise", what the Pareto front is taken over.
        columns: measures shown in tables, in order.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    front: ClassVar[Mapping[str, str]]
    columns: ClassVar[Sequence[str]]

    @abstractmethod
    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a study, defaults filled in: what is stored with it and decides its trials.

        Raises:
            InputError: an unknown name or a value that is not allowed.
        """

    @abstractmethod
    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe."""

    @abstractmethod
    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan:
        """Make ready: train what must be trained, store it, and give the plan. The same record gives the same plan.

        Args:
            report: told in a few words what is being done.
        """
