"""The mutations: measure a pair, and start a search."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import graphene

from api.schema.inputs import ArchitectureInput, ConstraintInput, architecture_of, constraint_texts
from api.schema.study_types import Study
from api.schema.types import Measurement, context_of
from explorer import registry
from explorer.services import studies
from graphdb.measurement import Measurement as MeasurementValue
from graphdb.records import StudyRecord
from graphdb.store import Store

SIMULATOR = "acceltran"
INFERENCE = "inference"


class Task(graphene.Enum):
    """What the accelerator is to do with the model."""

    INFERENCE = "inference"
    TRAINING = "training"


class Engine(graphene.Enum):
    """How an accelerator is simulated."""

    FAST = "fast"
    DETAILED = "detailed"


class Mode(graphene.Enum):
    """Whether the faults of the published simulator are corrected."""

    REFERENCE = "reference"
    CORRECTED = "corrected"


FAST, CORRECTED = "fast", "corrected"


class Mutation(graphene.ObjectType):
    """Measurements and searches, both stored."""

    simulate_accel_tran = graphene.Field(
        graphene.NonNull(Measurement),
        name="simulateAccelTran",
        description="Run AccelTran on a model and an accelerator, and store both with the measurement.",
        model=ArchitectureInput(required=True),
        accelerator=ArchitectureInput(required=True),
        task=graphene.Argument(Task, required=True, default_value=INFERENCE),
        engine=graphene.Argument(Engine, required=True, default_value=FAST),
        mode=graphene.Argument(Mode, required=True, default_value=CORRECTED),
    )
    search_boshcode = graphene.Field(
        graphene.NonNull(Study),
        description="Start a search in the background, and give its study at once; `study(name:)` shows how it goes.",
        recipe=graphene.String(required=True),
        budget=graphene.Int(required=True, description="Evaluations to spend."),
        seed=graphene.Int(required=True),
        name=graphene.String(description="Of the study; a free one is found where none is given."),
        objective=graphene.String(description="One of the recipe's objectives; its first where none is given."),
        constraints=graphene.List(graphene.NonNull(ConstraintInput)),
        target=graphene.String(description="Of the recipe flexibert: qnli_accuracy or sst2_accuracy."),
        levels=graphene.Int(description="Of the recipe flexibert: how many, from coarse to fine, 1 to 3."),
    )

    @staticmethod
    async def resolve_simulate_accel_tran(
        root: None, info: graphene.ResolveInfo, model: Any, accelerator: Any, task: Any, engine: Any, mode: Any
    ) -> MeasurementValue:
        """Measured now; the same pair again gives the same measurement."""
        context = context_of(info)
        given = {"model": model, "accelerator": accelerator}
        settings = {"task": Task.get(task).value, "engine": Engine.get(engine).value, "mode": Mode.get(mode).value}
        return await context.simulate(_simulate, context.store, given, settings)

    @staticmethod
    async def resolve_search_boshcode(
        root: None,
        info: graphene.ResolveInfo,
        recipe: str,
        budget: int,
        seed: int,
        name: str | None = None,
        objective: str | None = None,
        constraints: Sequence[Mapping[str, Any]] | None = None,
        target: str | None = None,
        levels: int | None = None,
    ) -> StudyRecord:
        """Planned here, run elsewhere."""
        context = context_of(info)
        own = {"target": target, "levels": levels}
        plan = partial(
            studies.plan_study,
            context.store,
            recipe=recipe,
            budget=budget,
            seed=seed,
            name=name,
            objective=objective,
            constraints=constraint_texts(constraints),
            settings={name: value for name, value in own.items() if value is not None},
        )
        record = await context.read(context.searches.start, plan)
        return await context.read(context.store.studies.get, record.name)


def _simulate(store: Store, given: Mapping[str, Any], settings: Mapping[str, str]) -> MeasurementValue:
    architectures = {
        role: architecture_of(store, given[role], role, domain)
        for role, domain in registry.simulator(SIMULATOR).roles.items()
    }
    return studies.simulate(store, SIMULATOR, architectures, settings)
