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
    """The state of a study. A study whose process was killed is still RUNNING, and resumes from there."""

    RUNNING = "running"
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
    """A study as stored; `settings` holds everything that its trials depend on."""

    name: str
    recipe: str
    seed: int
    budget: int
    settings: Mapping[str, Any]
    state: StudyState = StudyState.RUNNING
    message: str = ""
    created: str = ""


@dataclass(frozen=True)
class NewTrial:
    """A trial to be measured.

    Attributes:
        index: the position in the study.
        pending: the measurement to be taken: its key is known, its measures are empty.
        origin: how the design was chosen, such as `initial` or `optimise`.
    """

    index: int
    pending: Measurement
    origin: str


@dataclass(frozen=True)
class TrialRecord:
    """A trial as stored."""

    index: int
    state: TrialState
    origin: str
    measurement: Measurement
    message: str = ""


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
