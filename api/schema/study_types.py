"""Studies and their trials as the schema shows them."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import graphene

from api.schema.course_types import Calibration, Origin, Prediction
from api.schema.paging import checked_first
from api.schema.scalars import JSON
from api.schema.types import Measure, MeasureView, Role, context_of, many, measures_of, roles_of
from explorer import registry
from graphdb.records import StudyRecord, TrialRecord
from graphdb.records import StudyState as StudyStateValue
from graphdb.records import TrialState as TrialStateValue
from graphdb.store import Store

if TYPE_CHECKING:
    from explorer.services.closest import Closest as ClosestValue
    from explorer.services.closest import Miss as MissValue
    from explorer.services.course import Calibration as CalibrationValue
    from explorer.services.course import Kind, Step

MAXIMUM_TRIALS = 1_000


class StudyState(graphene.Enum):
    """The state of a study.

    RUNNING: a process works on it. INTERRUPTED: its process was interrupted or killed. STOPPED: somebody asked it to
    stop. Both can be resumed.
    """

    RUNNING = StudyStateValue.RUNNING.value
    INTERRUPTED = "interrupted"
    STOPPED = StudyStateValue.STOPPED.value
    DONE = StudyStateValue.DONE.value
    FAILED = StudyStateValue.FAILED.value


class TrialState(graphene.Enum):
    """PENDING: asked for, not yet measured. DONE: measured. FAILED: refused by the simulator; `message` says why."""

    PENDING = TrialStateValue.PENDING.value
    DONE = TrialStateValue.DONE.value
    FAILED = TrialStateValue.FAILED.value


@dataclass(frozen=True)
class TrialView:
    """A trial and the study it belongs to."""

    study: str
    record: TrialRecord


class Trial(graphene.ObjectType):
    """One evaluation of a study."""

    index = graphene.Int(required=True)
    state = graphene.Field(TrialState, required=True)
    origin = graphene.String(required=True, description="How the design was chosen.")
    message = graphene.String(required=True)
    objective = graphene.Float(description="Performance, larger is better; null unless measured and feasible.")
    hypervolume = graphene.Float(
        description="Volume dominated by the Pareto front of this and all earlier trials, in the product of the units "
        "of its measures; it never falls."
    )
    incumbent = graphene.Float(
        description="Best performance of this and all earlier trials; null before one meets the constraints."
    )
    expected = graphene.Field(Prediction, description="What was predicted of it; null without a surrogate.")
    expected_improvement = graphene.Float(
        description="Improvement that was expected over the best design known when this one was chosen."
    )
    measurement_key = graphene.ID(required=True)
    measures = many(Measure)
    roles = many(Role)

    @staticmethod
    def resolve_index(parent: TrialView, info: graphene.ResolveInfo) -> int:
        """Resolves the position in the study."""
        return parent.record.index

    @staticmethod
    def resolve_state(parent: TrialView, info: graphene.ResolveInfo) -> str:
        """Resolves the stored state."""
        return parent.record.state.value

    @staticmethod
    def resolve_origin(parent: TrialView, info: graphene.ResolveInfo) -> str:
        """Resolves the stored origin."""
        return parent.record.origin

    @staticmethod
    def resolve_message(parent: TrialView, info: graphene.ResolveInfo) -> str:
        """Resolves the stored message."""
        return parent.record.message

    @staticmethod
    async def resolve_objective(parent: TrialView, info: graphene.ResolveInfo) -> float | None:
        """Resolves the performance, computed once for all trials of the study."""
        performances: dict[int, float] = await context_of(info).objectives.load(parent.study)
        return performances.get(parent.record.index)

    @staticmethod
    async def resolve_hypervolume(parent: TrialView, info: graphene.ResolveInfo) -> float | None:
        """Resolves the hypervolume, computed once for all trials of the study."""
        volumes: dict[int, float] = await context_of(info).hypervolumes.load(parent.study)
        return volumes.get(parent.record.index)

    @staticmethod
    async def resolve_incumbent(parent: TrialView, info: graphene.ResolveInfo) -> float | None:
        """Resolves the best so far."""
        return (await _step(parent, info)).incumbent

    @staticmethod
    def resolve_expected(parent: TrialView, info: graphene.ResolveInfo) -> tuple[float, float] | None:
        """Resolves the stored prediction."""
        return parent.record.expected

    @staticmethod
    async def resolve_expected_improvement(parent: TrialView, info: graphene.ResolveInfo) -> float | None:
        """Resolves the improvement expected at the choice."""
        return (await _step(parent, info)).expected_gain

    @staticmethod
    def resolve_measurement_key(parent: TrialView, info: graphene.ResolveInfo) -> str:
        """Resolves the key, which is known before the measurement is taken."""
        return parent.record.measurement.key

    @staticmethod
    def resolve_measures(parent: TrialView, info: graphene.ResolveInfo) -> list[MeasureView]:
        """Resolves the measures; empty until measured."""
        return measures_of(parent.record.measurement)

    @staticmethod
    def resolve_roles(parent: TrialView, info: graphene.ResolveInfo) -> list[dict[str, str]]:
        """Resolves the architectures, sorted by role."""
        return roles_of(parent.record.measurement)


class Counts(graphene.ObjectType):
    """The number of a study's trials in each state."""

    pending = graphene.Int(required=True)
    done = graphene.Int(required=True)
    failed = graphene.Int(required=True)


class Miss(graphene.ObjectType):
    """A constraint that a trial does not meet."""

    measure = graphene.String(required=True)
    value = graphene.Float(required=True)
    minimum = graphene.Float(description="Smallest allowed value, if there is one.")
    maximum = graphene.Float(description="Largest allowed value, if there is one.")
    by = graphene.Float(required=True, description="Distance from the limit, in the unit of the measure.")
    share = graphene.Float(required=True, description="The same as a share of the limit, or of 1 if the limit is 0.")

    @staticmethod
    def resolve_measure(parent: MissValue, info: graphene.ResolveInfo) -> str:
        """Resolves the name of the measure."""
        return parent.constraint.measure

    @staticmethod
    def resolve_minimum(parent: MissValue, info: graphene.ResolveInfo) -> float | None:
        """Resolves the lower limit."""
        return parent.constraint.minimum

    @staticmethod
    def resolve_maximum(parent: MissValue, info: graphene.ResolveInfo) -> float | None:
        """Resolves the upper limit."""
        return parent.constraint.maximum


class ConstrainedRange(graphene.ObjectType):
    """The values of a constrained measure in the trials so far, least and greatest."""

    measure = graphene.String(required=True)
    seen = graphene.Field(many(graphene.Float), description="Of all trials.")
    feasible = graphene.List(
        graphene.NonNull(graphene.Float),
        description="Of the trials that meet the constraints on all other measures; null if there are none.",
    )


class Closest(graphene.ObjectType):
    """The trial that comes closest to meeting all constraints, if none meets them."""

    trial = graphene.Int(required=True, description="Index of the trial.")
    violation = graphene.Float(required=True, description="Sum of the shares by which it misses its constraints.")
    sentence = graphene.String(required=True, description="All of this in words.")
    misses = many(Miss)
    ranges = many(ConstrainedRange)

    @staticmethod
    def resolve_trial(parent: ClosestValue, info: graphene.ResolveInfo) -> int:
        """Resolves the index."""
        return parent.trial.index


class Study(graphene.ObjectType):
    """A search: its settings, its trials and their Pareto front."""

    name = graphene.ID(required=True)
    recipe = graphene.String(required=True)
    state = graphene.Field(StudyState, required=True)
    budget = graphene.Int(required=True)
    seed = graphene.BigInt(required=True)
    created = graphene.String(required=True)
    message = graphene.String(required=True)
    settings = graphene.Field(JSON, required=True)
    counts = graphene.Field(Counts, required=True)
    closest = graphene.Field(
        Closest, description="The closest trial and what it misses; null if a trial meets all constraints."
    )
    incumbent = graphene.Float(description="Best performance so far; null before a trial meets the constraints.")
    hypervolume = graphene.Float(
        description="Volume dominated by the Pareto front, in the product of the units of its measures; null without "
        "trials."
    )
    expected_improvement = graphene.Float(
        description="Improvement that the optimiser expected of its latest choice; null if it did not say."
    )
    origins = graphene.Field(
        many(Origin), description="What each kind of proposals brought, in the order of first appearance."
    )
    calibration = graphene.Field(Calibration, description="How good predictions were; null if nothing was predicted.")
    trials = graphene.Field(
        many(Trial),
        description="The trials in index order.",
        first=graphene.Int(required=True, default_value=20),
        after=graphene.Int(description="Only trials with a larger index."),
    )
    pareto = graphene.Field(
        many(Trial),
        description="The Pareto-optimal trials among the finished, feasible ones; best performance first.",
        first=graphene.Int(required=True, default_value=20),
    )

    @staticmethod
    def resolve_state(parent: StudyRecord, info: graphene.ResolveInfo) -> str:
        """Resolves the state, in which a study without a living process is not running."""
        return _state(parent)

    @staticmethod
    async def resolve_closest(parent: StudyRecord, info: graphene.ResolveInfo) -> ClosestValue | None:
        """Resolves the closest trial from all trials of the study."""
        trials: list[TrialRecord] = await context_of(info).trials.load(parent.name)
        return await context_of(info).read(_closest, parent, trials)

    @staticmethod
    async def resolve_incumbent(parent: StudyRecord, info: graphene.ResolveInfo) -> float | None:
        """Resolves the best performance."""
        steps: dict[int, Step] = await context_of(info).steps.load(parent.name)
        return steps[max(steps)].incumbent if steps else None

    @staticmethod
    async def resolve_hypervolume(parent: StudyRecord, info: graphene.ResolveInfo) -> float | None:
        """Resolves the hypervolume after the last trial."""
        volumes: dict[int, float] = await context_of(info).hypervolumes.load(parent.name)
        return volumes[max(volumes)] if volumes else None

    @staticmethod
    def resolve_expected_improvement(parent: StudyRecord, info: graphene.ResolveInfo) -> float | None:
        """Resolves the stored expectation."""
        return parent.expectation

    @staticmethod
    async def resolve_origins(parent: StudyRecord, info: graphene.ResolveInfo) -> list[Kind]:
        """Resolves the origins of all trials."""
        return _kinds((await context_of(info).steps.load(parent.name)).values())

    @staticmethod
    async def resolve_calibration(parent: StudyRecord, info: graphene.ResolveInfo) -> CalibrationValue | None:
        """Resolves the agreement of all predictions with what was measured."""
        return _calibration((await context_of(info).steps.load(parent.name)).values())

    @staticmethod
    def resolve_settings(parent: StudyRecord, info: graphene.ResolveInfo) -> dict[str, Any]:
        """Resolves the settings as plain JSON."""
        return dict(parent.settings)

    @staticmethod
    async def resolve_counts(parent: StudyRecord, info: graphene.ResolveInfo) -> dict[str, int]:
        """Resolves the counts from the database."""
        context = context_of(info)
        counts = await context.read(context.store.studies.counts, parent.name)
        return {state.value: counts.get(state, 0) for state in TrialStateValue}

    @staticmethod
    async def resolve_trials(
        parent: StudyRecord, info: graphene.ResolveInfo, first: int, after: int | None = None
    ) -> list[TrialView]:
        """Resolves the trials in index order."""
        checked_first(first, MAXIMUM_TRIALS)
        trials: list[TrialRecord] = await context_of(info).trials.load(parent.name)
        later = [trial for trial in trials if after is None or trial.index > after]
        return [TrialView(parent.name, trial) for trial in later[:first]]

    @staticmethod
    async def resolve_pareto(parent: StudyRecord, info: graphene.ResolveInfo, first: int) -> list[TrialView]:
        """Resolves the front, best performance first."""
        checked_first(first, MAXIMUM_TRIALS)
        context = context_of(info)
        front = await context.read(_front, context.store, parent.name)
        return [TrialView(parent.name, trial) for trial in front[:first]]


def _state(record: StudyRecord) -> str:
    from explorer.services import studies  # heavy, and not needed to know the schema

    return studies.shown_state(record)


def _closest(record: StudyRecord, trials: Sequence[TrialRecord]) -> ClosestValue | None:
    from explorer.services import closest

    return closest.closest_of(registry.recipe(record.recipe), record, trials)


async def _step(trial: TrialView, info: graphene.ResolveInfo) -> Step:
    """The step of a trial, from those of its study, which are computed once."""
    steps: dict[int, Step] = await context_of(info).steps.load(trial.study)
    return steps[trial.record.index]


def _kinds(steps: Iterable[Step]) -> list[Kind]:
    from explorer.services import course

    return course.kinds_of(steps)


def _calibration(steps: Iterable[Step]) -> CalibrationValue | None:
    from explorer.services import course

    return course.calibration_of(course.foreseen(steps))


def _front(store: Store, study: str) -> list[TrialRecord]:
    from explorer.services import studies  # heavy, and not needed to know the schema

    return studies.study_front(store, study)
