"""Plain values that pass between the store and its callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from graphdb.architecture import Scalar
from graphdb.measurement import Measurement

T = TypeVar("T")


class StudyState(StrEnum):
    """The state of a study as stored. That of a study whose process was killed is still RUNNING."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class TrialState(StrEnum):
    """PENDING: asked for, not yet measured. DONE: measured. FAILED: refused by the simulator, with a message."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Range:
    """A closed interval on a choice or a measure; None leaves that end open."""

    name: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class ArchitectureFilter:
    """Which architectures to list; all conditions must hold.

    A choice that is a list of numbers matches a range if any of its entries does.
    """

    domain: str | None = None
    space: str | None = None
    choices: Mapping[str, Scalar] = field(default_factory=dict)
    choice_ranges: tuple[Range, ...] = ()
    measure_ranges: tuple[Range, ...] = ()
    block_kind: str | None = None
    measured: bool | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order of architectures by their best value of a measure: the largest if descending, otherwise the smallest."""

    measure: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListedArchitecture:
    """An architecture in a listing, without its graph.

    Attributes:
        key: its key.
        domain: its domain.
        space: its space.
        choices: its choices as JSON.
        value: its best value of the measure that the listing is ordered by; None in key order.
    """

    key: str
    domain: str
    space: str
    choices: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """An architecture with the same graph as another one of its domain."""

    key: str
    space: str


@dataclass(frozen=True, slots=True)
class Span:
    """All values of a measure that were measured of an architecture.

    Attributes:
        smallest: the smallest value.
        largest: the largest value.
        count: the number of values.
        predicted: whether all of them were predicted.
    """

    smallest: float
    largest: float
    count: int
    predicted: bool


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a listing in key order; `end_cursor` continues it."""

    items: tuple[T, ...]
    end_cursor: str | None
    has_next: bool
    total: int


@dataclass(frozen=True)
class Relative:
    """A parent or child of a design.

    Attributes:
        key: the key of the relative.
        how: the step that made the child (weight transfer, crossover, mutation ...).
        properties: properties of that step, such as `ratio`, the share of weights that were taken over.
    """

    key: str
    how: str
    properties: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyRecord:
    """A study as stored; `settings`, `seed` and `basis` hold everything that its trials depend on.

    Attributes:
        name: the name of the study.
        recipe: the registered name of its recipe.
        seed: the seed of all random choices.
        budget: the number of trials that it may take.
        settings: the complete settings of the recipe.
        state: the stored state.
        message: the reason of the state, if any.
        created: the time of creation; set by the database.
        basis: name -> key of a table or surrogate that the study began with and goes on with, whatever is measured
            or trained later.
        runner: the process that is running the study, as far as its lease says; None if there is none.
        stopping: whether somebody has asked the running study to stop.
        until_converged: whether it ends before its budget is spent if its optimiser expects no further progress.
        expectation: how much improvement the optimiser expected of its latest choice; None if it did not say.
    """

    name: str
    recipe: str
    seed: int
    budget: int
    settings: Mapping[str, Any]
    state: StudyState = StudyState.RUNNING
    message: str = ""
    created: str = ""
    basis: Mapping[str, str] = field(default_factory=dict)
    runner: str | None = None
    stopping: bool = False
    until_converged: bool = False
    expectation: float | None = None


@dataclass(frozen=True)
class NewTrial:
    """A trial to be measured.

    Attributes:
        index: the position in the study.
        pending: the measurement to be taken: its key is known, its measures are empty.
        origin: how the design was chosen, such as `initial` or `optimise`.
        told: the number of first trials whose outcomes were known when it was chosen; None if not recorded.
        expected: the mean and deviation of its performance that were predicted then; None if nothing was predicted.
    """

    index: int
    pending: Measurement
    origin: str
    told: int | None = None
    expected: tuple[float, float] | None = None


@dataclass(frozen=True)
class TrialRecord:
    """A trial as stored.

    Attributes:
        index: the position in the study.
        state: the stored state.
        origin: how the design was chosen.
        measurement: what is or was measured; its measures are empty while it is pending.
        message: the reason of the state, if any.
        told: the number of first trials whose outcomes were known when it was chosen; None if not recorded.
        expected: the mean and deviation of its performance that were predicted then; None if nothing was predicted.
    """

    index: int
    state: TrialState
    origin: str
    measurement: Measurement
    message: str = ""
    told: int | None = None
    expected: tuple[float, float] | None = None


@dataclass(frozen=True)
class SurrogateRecord:
    """Trained weights in the database.

    Attributes:
        key: the hash of the training data and settings.
        target: the name of what is predicted.
        settings: how to read the weights, as JSON.
        weights: safetensors bytes.
    """

    key: str
    target: str
    settings: Mapping[str, Any]
    weights: bytes
