"""State that the resolvers of a request share: the store, threads for its calls, and loaders that batch them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from graphene.utils.dataloader import DataLoader

from api.jobs.searches import Searches
from api.schema.paging import MAXIMUM_PAGE
from explorer import registry
from explorer.contracts.measure import Measures
from graphdb.architecture import Architecture
from graphdb.errors import InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import Relative, TrialRecord, Twin
from graphdb.store import Store

if TYPE_CHECKING:
    from explorer.services.course import Step

P = ParamSpec("P")
T = TypeVar("T")


class Context:
    """The state of one request.

    Attributes:
        store: the database.
        searches: studies started through this API.
        architectures: key -> `Architecture`.
        measurements: architecture key -> its finished measurements.
        parents, children: architecture key -> at most 100 of its relatives.
        trials: study name -> its trials.
        objectives: study name -> trial index -> performance.
        hypervolumes: study name -> trial index -> hypervolume of all trials up to that one.
        steps: study name -> index of a trial -> what it brought, in the order of the trials.
        measures: simulator -> its measures, by name.
        twins: architecture -> the stored ones of its domain with an equal graph but another key.
        notes: key of an architecture or a measurement -> what reading changed in what the client gave.
    """

    def __init__(self, store: Store, searches: Searches, reads: Executor, simulations: Executor) -> None:
        self.store = store
        self.searches = searches
        self._reads = reads
        self._simulations = simulations
        self.architectures = DataLoader(self._load_architectures)
        self.measurements = DataLoader(self._load_measurements)
        self.parents = DataLoader(self._load_parents)
        self.children = DataLoader(self._load_children)
        self.trials = DataLoader(self._load_trials)
        self.objectives = DataLoader(self._load_objectives)
        self.hypervolumes = DataLoader(self._load_hypervolumes)
        self.steps = DataLoader(self._load_steps)
        self.measures = DataLoader(self._load_measures)
        self.twins = DataLoader(self._load_twins)
        self.notes: dict[str, list[str]] = {}

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls the store in a separate thread.

        A request that exceeds the time limit keeps its thread until the call ends, so that a flood of slow requests
        waits in the queue rather than filling the machine with threads.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reads, partial(function, *args, **kwargs))

    async def simulate(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls a simulation in a separate thread; it may use all cores."""
        return await asyncio.get_running_loop().run_in_executor(self._simulations, partial(function, *args, **kwargs))

    async def _load_architectures(self, keys: Sequence[str]) -> list[Architecture | NotFoundError]:
        stored = await self.read(self.store.architectures.get_many, list(keys))
        return [stored.get(key) or NotFoundError(f"No architecture has the key {key}.") for key in keys]

    async def _load_measurements(self, keys: Sequence[str]) -> list[list[Measurement]]:
        measurements = await self.read(self.store.measurements.of, list(keys))
        return [measurements.get(key, []) for key in keys]

    async def _load_parents(self, keys: Sequence[str]) -> list[list[Relative]]:
        parents = await self.read(self.store.architectures.parents, list(keys), MAXIMUM_PAGE)
        return [parents.get(key, []) for key in keys]

    async def _load_children(self, keys: Sequence[str]) -> list[list[Relative]]:
        children = await self.read(self.store.architectures.children, list(keys), MAXIMUM_PAGE)
        return [children.get(key, []) for key in keys]

    async def _load_twins(self, architectures: Sequence[Architecture]) -> list[list[Twin]]:
        twins = await self.read(self.store.architectures.twins, architectures)
        return [twins[one.key] for one in architectures]

    async def _load_trials(self, names: Sequence[str]) -> list[list[TrialRecord]]:
        return [await self.read(self.store.studies.trials, name) for name in names]

    async def _load_objectives(self, names: Sequence[str]) -> list[dict[int, float]]:
        return [await self.read(_objectives, self.store, name) for name in names]

    async def _load_hypervolumes(self, names: Sequence[str]) -> list[dict[int, float]]:
        trials = await self.trials.load_many(list(names))
        return [await self.read(_hypervolumes, self.store, name, own) for name, own in zip(names, trials, strict=True)]

    async def _load_steps(self, names: Sequence[str]) -> list[dict[int, Step]]:
        trials = await self.trials.load_many(list(names))
        return [await self.read(_steps, self.store, name, own) for name, own in zip(names, trials, strict=True)]

    async def _load_measures(self, simulators: Sequence[str]) -> list[Measures]:
        return [await self.read(_measures, name) for name in simulators]


def _objectives(store: Store, study: str) -> dict[int, float]:
    from explorer.services import studies  # heavy, and not needed to know the schema

    return dict(studies.study_objective(store, study))


def _hypervolumes(store: Store, study: str, trials: Sequence[TrialRecord]) -> dict[int, float]:
    from explorer.running import merits

    record = store.studies.get(study)
    volumes = merits.hypervolumes(registry.recipe(record.recipe), record, trials)
    return dict(zip(sorted(trial.index for trial in trials), volumes, strict=True))


def _steps(store: Store, study: str, trials: Sequence[TrialRecord]) -> dict[int, Step]:
    from explorer.services import course

    record = store.studies.get(study)
    return {step.index: step for step in course.course_of(registry.recipe(record.recipe), record, trials)}


def _measures(simulator: str) -> Measures:
    """The measures of a simulator, or those of all domains if it is unknown or can no longer be imported."""
    try:
        return registry.measures(simulator)
    except InputError:
        return registry.measures()
