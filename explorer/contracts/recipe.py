"""`Recipe`: which spaces, simulator, objective and optimiser make a kind of study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ValidationError

from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Inputs, Optimiser
from graphdb.architecture import Architecture, Scalar
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord
from graphdb.store import Store

Roles = Mapping[str, Architecture]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Descent:
    """That an architecture came from another one.

    Attributes:
        child, parent: the two.
        how: `crossover`, `weight transfer` ...
        about: more of it, such as the share of weights taken over.
    """

    child: Architecture
    parent: Architecture
    how: str
    about: Mapping[str, Scalar]


def _none(roles: Roles, measurement: Measurement) -> Sequence[Descent]:
    del roles, measurement
    return ()


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
        pending: architecture of each role, and the trials done so far -> the measurement to be taken (its `measures`
            empty).
        descents: architecture of each role, and the pending measurement -> what they came from.
    """

    simulator: str
    objective: Objective
    optimiser: Optimiser
    batch: int
    architectures: Callable[[Inputs], Roles]
    inputs: Callable[[Roles], Inputs]
    pending: Callable[[Roles, Sequence[TrialRecord]], Measurement]
    descents: Callable[[Roles, Measurement], Sequence[Descent]] = _none


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
    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """All settings of a study, defaults filled in: what is stored with it and decides its trials.

        Args:
            given: by the user.
            budget: trials that the study begins with; it may be given more later, which must not change the first ones.

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

    def notes(self, settings: Mapping[str, Any], best: Measurement | None) -> list[str]:
        """Sentences that a reader of the findings of such a study must know; none unless overridden.

        Args:
            settings: of the study.
            best: what was measured on its best trial, if there is one.
        """
        del settings, best
        return []


Model = TypeVar("Model", bound=BaseModel)


def checked(model: type[Model], given: Mapping[str, Any], recipe: str) -> Model:
    """Settings read by their model.

    Raises:
        InputError: an unknown name or a value that is not allowed; the message says which.
    """
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        raise InputError(f"There is no setting {place!r} of {recipe}; allowed: {', '.join(model.model_fields)}.")
    raise InputError(f"The setting {place} of {recipe}: {first['msg']}.")
