"""`Recipe`: the spaces, simulator, objective and optimiser of a kind of study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from explorer.contracts.measure import Direction, Measures, directions
from explorer.contracts.objective import Objective
from explorer.contracts.options import checked
from explorer.contracts.session import Descent, Report
from explorer.contracts.simulator import Role, Roles
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord, TrialRecord

if TYPE_CHECKING:
    from explorer.contracts.optimiser import Optimiser, Outcome
    from graphdb.store import Store

D = TypeVar("D")


def _none(roles: Roles, measurement: Measurement) -> Sequence[Descent]:
    del roles, measurement
    return ()


@dataclass(frozen=True)
class Plan(Generic[D]):
    """A recipe prepared for one study: everything that turns proposals into measurements and back.

    Attributes:
        simulator: the registered name of the simulator that measures a trial.
        objective: the objective of the study.
        optimiser: proposes designs and learns from their outcomes.
        batch: the number of proposals at a time; part of the study's settings, so that trials do not depend on the
            number of workers.
        architectures: design -> the architecture of each role.
        design: the architecture of each role -> the design that stands for them.
        pending: the architecture of each role, and the trials done so far -> the measurement to be taken (with empty
            `measures`).
        descents: the architecture of each role, and the pending measurement -> the descents of the architectures.
        ahead: the number of trials that may still be under way when the next `batch` are proposed. With 0, a study
            works in rounds. The optimiser is told of a trial only when all earlier ones have ended, so proposals do
            not depend on which of them ends first.
        earlier: designs that were measured before the study began, with their outcomes; the optimiser recalls them.

    Raises:
        InputError: the optimiser supports fewer objectives than the objective has.

    Example:
        A recipe's `prepare` returns one; `docs/add-a-domain.md` has a complete recipe. Here the designs are numbers:

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
    ahead: int = 0
    earlier: Sequence[tuple[D, Outcome]] = ()

    def __post_init__(self) -> None:
        if self.optimiser is not None:  # an example or a test may have none
            self.optimiser.check_objectives(self.objective.count)


class Recipe(ABC, Generic[D]):
    """A kind of study over designs of the type `D`, found by name.

    Attributes:
        name: the registered name.
        options: the settings of a study, with defaults. Fields named `objective`, `weights` and `constraints` have
            flags that all recipes share.
        measures: the measures of a trial.
        objectives: the allowed values of `objective`, the default first; empty if there is no choice.
        front: the measures of the Pareto front and the hypervolume.
        worst: measure -> the value from which the hypervolume counts; if it is missing, the worst of the trials.
        columns: the measures shown in tables, in order.
        roles: role -> the architectures that may play it, if its settings have a field `fixed` (role -> key) by which
            roles can be held fixed; empty if they cannot.

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
    roles: ClassVar[Mapping[str, Role]] = MappingProxyType({})

    @property
    def directions(self) -> Mapping[str, Direction]:
        """Measure -> its direction in the front."""
        return directions(self.measures, self.front)

    def front_under(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """The measures of the Pareto front of a study with these stored settings; `front` unless overridden."""
        del settings
        return self.front

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """All settings of a study with defaults filled in; they are stored with it and determine its trials.

        Args:
            given: the user's settings.
            budget: the initial number of trials; it may be increased later, which must not change the first ones.

        Raises:
            InputError: a name is unknown or a value is not allowed.
        """
        del budget
        full = checked(self.options, given, self.name).model_dump(mode="json")
        self.objective(full)  # refuses a malformed objective before anything is stored
        return full

    @abstractmethod
    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe.

        Raises:
            InputError: a weight or a constraint is malformed or names an unknown measure.
        """

    def basis(self, store: Store, record: StudyRecord, report: Report) -> Mapping[str, str]:
        """Stores everything that the trials depend on besides the settings, such as surrogates and measured values.

        It is called once, when a study first runs. The keys are kept with the study as `record.basis`, from which
        `prepare` reads, so that trials stay the same whatever is measured or trained later. Empty unless overridden.

        Args:
            store: the database.
            record: the stored study.
            report: called with a few words about the current work.

        Returns:
            Name -> key of a table or a surrogate in the database.
        """
        del store, record, report
        return {}

    @abstractmethod
    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[D]:
        """The plan of a study; the same record gives the same plan, whatever else the database holds by then.

        Args:
            store: the database, in which everything that `record.basis` names is as it was.
            record: the stored study.
            report: called with a few words about the current work.

        Raises:
            InputError: the optimiser supports fewer objectives than the study has.
        """

    def notes(self, settings: Mapping[str, Any], best: Measurement | None) -> list[str]:
        """Sentences that readers of the results of such a study must know; empty unless overridden.

        Args:
            settings: the settings of the study.
            best: the measurement of its best trial, if there is one.
        """
        del settings, best
        return []
