"""`Recipe`: which spaces, simulator, objective and optimiser make a kind of study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from explorer.contracts.measure import Direction, Measures, directions
from explorer.contracts.objective import Objective
from explorer.contracts.options import checked
from explorer.contracts.session import Descent, Report
from explorer.contracts.simulator import Roles
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord

if TYPE_CHECKING:
    from explorer.contracts.optimiser import Optimiser
    from graphdb.store import Store

D = TypeVar("D")


def _none(roles: Roles, measurement: Measurement) -> Sequence[Descent]:
    del roles, measurement
    return ()


@dataclass(frozen=True)
class Plan(Generic[D]):
    """A recipe made ready for one study: everything that turns proposals into measurements and back.

    Attributes:
        simulator: registered name of what measures a trial.
        objective: what a trial is worth.
        optimiser: asks for designs and is told their outcomes.
        batch: proposals asked for at a time; part of the study's settings, so that trials do not depend on the workers.
        architectures: design -> the architecture of each role.
        design: architecture of each role -> the design that stands for them.
        pending: architecture of each role, and the trials done so far -> the measurement to be taken (its `measures`
            empty).
        descents: architecture of each role, and the pending measurement -> what they came from.

    Example:
        A recipe's `prepare` ends in one; `docs/add-a-domain.md` has a whole recipe. Its designs here are numbers:

        >>> from explorer.contracts.objective import Linear, Term
        >>> plan = Plan(
        ...     simulator="scales",
        ...     objective=Objective((Term("mass_kg", 1.0, Direction.MINIMISE, Linear(40.0)),)),
        ...     optimiser=None,
        ...     batch=4,
        ...     architectures=lambda design: {},
        ...     design=lambda roles: 0,
        ...     pending=lambda roles, done: None,
        ... )
        >>> plan.batch
        4
    """

    simulator: str
    objective: Objective
    optimiser: Optimiser[D]
    batch: int
    architectures: Callable[[D], Roles]
    design: Callable[[Roles], D]
    pending: Callable[[Roles, Sequence[TrialRecord]], Measurement]
    descents: Callable[[Roles, Measurement], Sequence[Descent]] = _none


class Recipe(ABC, Generic[D]):
    """A kind of study over designs of the type `D`, found by name.

    Attributes:
        name: registered name.
        options: what a study may be told, with defaults. Fields of the names `objective`, `weights` and `constraints`
            have flags that all recipes share.
        measures: that a trial gives.
        objectives: names that `objective` may have, the default first; empty where there is no choice.
        front: measures that the Pareto front and the hypervolume are taken over.
        worst: measure -> the value from which the hypervolume counts; the worst of the trials where one is missing.
        columns: measures shown in tables, in order.

    Example:
        >>> from explorer.contracts.measure import Measure, catalogue
        >>> from explorer.contracts.objective import Linear, Term
        >>> class Settings(BaseModel):
        ...     batch: int = 4
        >>> class Lightest(Recipe[int]):
        ...     name, options = "lightest", Settings
        ...     measures = catalogue(Measure("mass_kg", "mass", "kg", Direction.MINIMISE))
        ...     front = columns = ("mass_kg",)
        ...     def objective(self, settings):
        ...         return Objective((Term("mass_kg", 1.0, Direction.MINIMISE, Linear(40.0)),))
        ...     def prepare(self, store, record, report):
        ...         raise NotImplementedError
        >>> Lightest().settings({"batch": 8}, budget=20), Lightest().directions["mass_kg"].value
        ({'batch': 8}, 'minimise')
    """

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]]
    measures: ClassVar[Measures]
    objectives: ClassVar[Sequence[str]] = ()
    front: ClassVar[Sequence[str]]
    worst: ClassVar[Mapping[str, float]] = {}
    columns: ClassVar[Sequence[str]]

    @property
    def directions(self) -> Mapping[str, Direction]:
        """Measure -> direction of the front."""
        return directions(self.measures, self.front)

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """All settings of a study, defaults filled in: what is stored with it and decides its trials.

        Args:
            given: by the user.
            budget: trials that the study begins with; it may be given more later, which must not change the first ones.

        Raises:
            InputError: an unknown name or a value that is not allowed.
        """
        del budget
        full = checked(self.options, given, self.name).model_dump(mode="json")
        self.objective(full)  # refuses what cannot be an objective before anything is stored
        return full

    @abstractmethod
    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe.

        Raises:
            InputError: a weight or a constraint that is malformed or names an unknown measure.
        """

    @abstractmethod
    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[D]:
        """Make ready: train what must be trained, store it, and give the plan. The same record gives the same plan.

        Args:
            store: the database.
            record: of the study.
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
