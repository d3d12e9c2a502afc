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
    """Where a study stands. A study that was killed is still RUNNING, and is resumed from there."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TrialState(StrEnum):
    """PENDING: asked for, not yet measured. DONE: measured. FAILED: refused by the simulator, the message says why."""

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

    A choice that is a list of numbers matches a range where any of its entries does.
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
    """A design that another came from, or one that came from it.

    Attributes:
        key: of the relative.
        how: the child was made (weight transfer, crossover, mutation ...).
        properties: of that step, such as `ratio`, the share of weights that were taken over.
    """

    key: str
    how: str
    properties: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyRecord:
    """A study as stored. `settings` holds all that its trials depend on."""

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
        index: place in the study.
        pending: measurement to be taken: its key is known, its measures are empty.
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
        key: hash of what they were trained on.
        target: what they predict.
        settings: how the weights are to be read, as JSON.
        weights: safetensors bytes.
    """

    key: str
    target: str
    settings: Mapping[str, Any]
    weights: bytes
