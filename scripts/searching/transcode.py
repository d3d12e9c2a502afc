"""TransCODE's pairs as tasks. The table of models is read from a database once, and then kept in a temporary folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.objective import Constraint, Linear, Logarithmic, Objective, Term
from explorer.contracts.optimiser import Candidates, Inputs, Outcome, Vector
from explorer.contracts.recipe import Plan
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.recipes.transcode.recipe import RECIPE
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.records import StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store
from scripts.searching.problem import Flat, Task, cached

FOLDER = Path(tempfile.gettempdir()) / "explorer-bench"
BATCH = 4
COLD: dict[str, Any] = {"optimiser": "random", "cold": True}
"""Settings of all plans: the candidates are the same whichever optimiser chooses among them; this one loads fastest."""
REFERENCE = (0.7, 0.6, 0.6, 0.6747)
"""Of the hypervolume of four scores: worse than most random pairs that are feasible; the last is 200 mm2."""
OTHER_WEIGHTS = {"accuracy": 0.3, "area": 0.3, "dynamic_energy": 0.1, "leakage_energy": 0.1, "latency": 0.2}
"""Of the second search, for which the costs of the first one count differently."""


@dataclass(frozen=True)
class Kept:
    """What the recipe reads when it prepares a cold search: tables, which are files here, and what is held fixed."""

    folder: Path
    held: Mapping[str, Architecture]

    @property
    def tables(self) -> Any:
        """Reads a table by its key."""
        return SimpleNamespace(get=lambda key: (self.folder / key).read_bytes())

    @property
    def architectures(self) -> Any:
        """Reads an architecture that is held fixed by its key."""
        return SimpleNamespace(get=lambda key: self.held[key])


def basis() -> Mapping[str, str]:
    """The keys of the tables in `FOLDER`, which are read from the database of the environment if they are not there."""
    index = FOLDER / "basis.json"
    if not index.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with open_store(Settings.from_environment()) as store:
            record = StudyRecord("bench", RECIPE.name, 0, 1, RECIPE.settings(COLD, 1))
            keys = dict(RECIPE.basis(store, record, print))
            for key in keys.values():
                (FOLDER / key).write_bytes(store.tables.get(key))
        index.write_text(json.dumps(keys))
    return cast(Mapping[str, str], json.loads(index.read_text()))


def plan(held: Mapping[str, Architecture] | None = None, **given: Any) -> Plan[Inputs]:
    """The recipe's own plan of a cold search.

    Args:
        held: role -> what is held fixed in it.
        given: settings of the recipe.
    """
    fixed = {role: architecture.key for role, architecture in (held or {}).items()}
    record = StudyRecord("bench", RECIPE.name, 0, 100, RECIPE.settings(COLD | {"fixed": fixed} | given, 100))
    store = Kept(FOLDER, {architecture.key: architecture for architecture in (held or {}).values()})
    return RECIPE.prepare(cast(Store, store), replace(record, basis=basis()), lambda phase: None)


@cache
def one_sided() -> Candidates[Inputs]:
    """The accelerators for one model: the smallest of the early space."""
    planned = plan({"model": EarlyFlexiBertSpace().build(EarlyFlexiBertSpace().at(0))})
    assert planned.optimiser is not None
    return planned.optimiser.candidates


def task(name: str, objective: Objective | None = None, **rest: Any) -> Task[Inputs]:
    """A task among the recipe's pairs.

    Args:
        name: its name.
        objective: what to search for; the recipe's own objective unless given.
        rest: `settings` of the recipe, and fields of the task.
    """
    planned = plan(**rest.pop("settings", {}))
    assert planned.optimiser is not None
    candidates = cast(Any, planned.optimiser.candidates)
    wanted = objective or planned.objective
    simulator = registry.simulator(planned.simulator)

    def evaluate(design: Inputs) -> Outcome:
        roles = planned.architectures(design)
        try:
            return wanted.outcome(simulator.run(roles, planned.pending(roles, []).settings).measures)
        except InputError:
            return wanted.failed()

    return Task(
        name=name,
        candidates=candidates,
        evaluate=cached(evaluate, candidates.key),
        flat=flat(planned, candidates),
        batch=BATCH,
        goal=wanted.goal,
        **rest,
    )


def flat(planned: Plan[Inputs], candidates: Any) -> Flat[Inputs]:
    """The decisions of model and accelerator in a row; a pair that does not fit becomes the nearest that does."""
    models, accelerators = EarlyFlexiBertSpace(), registry.space(ElectorSpace.name)
    count = models.dimensions
    entries = [*models.entries, *accelerators.entries]

    def decode(row: Vector) -> Inputs:
        model = models.build(models.from_vector(row[:count]))
        accelerator = accelerators.build(accelerators.from_vector(row[count:]))
        design: Inputs = planned.design({"model": model, "accelerator": accelerator})
        return cast(Inputs, candidates.snap([design])[0])

    return Flat(tuple(entries), decode)


def four_outputs() -> Objective:
    """Accuracy, latency, energy and area as four objectives, with at most 200 mm2."""
    terms = (
        Term("accuracy", 0.25, Direction.MAXIMISE, Linear(1.0)),
        Term("latency_s", 0.25, Direction.MINIMISE, Logarithmic(1e-5, 1e1)),
        Term("energy_j", 0.25, Direction.MINIMISE, Logarithmic(1e-4, 1e2)),
        Term("area_mm2", 0.25, Direction.MINIMISE, Logarithmic(1e1, 1e5)),
    )
    return Objective(terms, (Constraint("area_mm2", maximum=200.0),), separate=True)
