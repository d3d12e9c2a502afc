"""Studies and their trials as the schema shows them."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import graphene

from api.schema.paging import checked_first
from api.schema.scalars import JSON
from api.schema.types import Measure, MeasureView, Role, context_of, many, measures_of, roles_of
from graphdb.records import StudyRecord, TrialRecord
from graphdb.records import StudyState as StudyStateValue
from graphdb.records import TrialState as TrialStateValue
from graphdb.store import Store

MAXIMUM_TRIALS = 1_000


class StudyState(graphene.Enum):
    """The state of a study. A study whose process was killed is still RUNNING, and can be resumed."""

    RUNNING = StudyStateValue.RUNNING.value
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
        """Resolves the stored state."""
        return parent.state.value

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


def _front(store: Store, study: str) -> list[TrialRecord]:
    from explorer.services import studies  # heavy, and not needed to know the schema

    return studies.study_front(store, study)
