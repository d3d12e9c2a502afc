"""A domain, simulator and recipe of the smallest kind, and a program that runs a study of it until it is killed.

The simulator writes a line to a log of its own before each evaluation, so that a test can count what was really run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from explorer import registry
from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.contracts.objective import Constraint, Linear, Objective, Term
from explorer.contracts.optimiser import Box, Inputs, Optimiser, Proposal, VectorCandidates
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Report
from explorer.contracts.simulator import Role, Roles, Simulator
from explorer.running.study import Study
from graphdb.architecture import Architecture, Block
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.records import StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store

SIDE = 40
LOG = "TOY_LOG"
SECONDS = "TOY_SECONDS"


def architecture(x: int) -> Architecture:
    """A point on a line as a graph of one block."""
    return Architecture.of("points", "toy", {"x": x}, [Block("point", {"x": x})], [])


class RunOptions(BaseModel):
    """What a run is told."""

    model_config = ConfigDict(strict=True, extra="forbid")

    task: str = Field("", description="By which runs are told apart.")


class ToyOptions(RunOptions):
    """What a study is told."""

    task: str = Field("a", description="By which studies are told apart.")
    batch: int = Field(4, ge=1, description="Proposals asked for at a time.")
    ahead: int = Field(0, ge=0, description="Trials that may be under way when more are asked for.")
    worst: float = Field(1e9, description="Largest loss allowed.")


class ToySimulator(Simulator):
    """The square of the distance from (11, 29); refuses x = 5."""

    name = "toy"
    version = "1"
    roles = MappingProxyType({"model": Role("points"), "accelerator": Role("points")})
    measures = catalogue(Measure("loss", "squared distance", direction=Direction.MINIMISE))
    options = RunOptions

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        x, y = (architectures[role].choices["x"] for role in ("model", "accelerator"))
        if LOG in os.environ:
            with Path(os.environ[LOG]).open("a") as log:
                log.write(f"{settings['task']} {x} {y}\n")
        time.sleep(float(os.environ.get(SECONDS, "0")))
        if x == 5:
            raise InputError("x is 5; any other is allowed.")
        return {"loss": float((x - 11) ** 2 + (y - 29) ** 2)}


class ToyCandidates(VectorCandidates):
    """All pairs of points."""

    def bounds(self) -> Box:
        return ((np.zeros(1), np.full(1, SIDE - 1.0)),) * 2

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [tuple(np.array([float(v)]) for v in generator.integers(SIDE, size=2)) for _ in range(count)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [tuple(np.clip(np.rint(vector), 0, SIDE - 1) for vector in point) for point in points]

    def key(self, design: Inputs) -> Hashable:
        return tuple(int(vector[0]) for vector in design)

    def neighbours(self, design: Inputs) -> list[Inputs]:
        steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
        return self.snap([(design[0] + dx, design[1] + dy) for dx, dy in steps])


class HillClimb(Optimiser[Inputs]):
    """The untried neighbours of the best, then random designs: what it asks depends on all that it was told."""

    def ask(self, count: int, pending: Sequence[Inputs] = ()) -> list[Proposal[Inputs]]:
        near = [] if self.best is None else self.candidates.neighbours(self.best.design)
        taken = self._evaluated | self._keys(pending)
        chosen = {self.candidates.key(design): Proposal(design, "near") for design in near}
        chosen = {key: proposal for key, proposal in chosen.items() if key not in taken}
        generator = self._generator(len(self.observations))
        for design in self._fresh(generator, count, set(chosen) | taken):
            chosen[self.candidates.key(design)] = Proposal(design, "random")
        return list(chosen.values())[:count]


class ToyRecipe(Recipe[Inputs]):
    """Finds (11, 29)."""

    name = "toy"
    options = ToyOptions
    measures = ToySimulator.measures
    front = ("loss",)
    columns = ("loss",)
    climb: type[HillClimb] = HillClimb

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        term = Term("loss", 1.0, Direction.MINIMISE, Linear(SIDE**2 * 2.0))
        return Objective((term,), (Constraint("loss", maximum=settings["worst"]),))

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        def roles_of(design: Inputs) -> Roles:
            return dict(zip(ToySimulator.roles, (architecture(int(v[0])) for v in design), strict=True))

        def pending(roles: Roles, done: object) -> Measurement:
            return ToySimulator().pending(roles, {"task": record.settings["task"]})

        return Plan(
            simulator="toy",
            objective=self.objective(record.settings),
            optimiser=self.climb(ToyCandidates(), record.seed),
            batch=record.settings["batch"],
            architectures=roles_of,
            design=lambda roles: tuple(np.array([float(roles[r].choices["x"])]) for r in ToySimulator.roles),
            pending=pending,
            ahead=record.settings["ahead"],
        )


def register() -> None:
    """Make the toy known by name until `registry.refresh`; again changes nothing."""
    if "toy" not in registry.recipes():
        registry.catalogue().add("the toy of the tests", ENTRY)


RECIPE = ToyRecipe()
ENTRY = RecipeEntry(
    "toy",
    "Find a point.",
    f"{__package__}.toy:RECIPE",
    ToyOptions,
    simulators=(
        SimulatorEntry("toy", "Measure a distance.", f"{__package__}.toy:ToySimulator", RunOptions, shown=False),
    ),
)


def main(name: str) -> None:
    """Run a stored study to its end in this process, two evaluations at a time."""
    register()
    with open_store(Settings.from_environment()) as store, ThreadPoolExecutor(2) as executor:
        Study(store, store.studies.get(name), RECIPE, executor).run()


if __name__ == "__main__":
    main(sys.argv[1])
