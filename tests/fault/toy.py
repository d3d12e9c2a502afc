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
from typing import Any

import numpy as np

from explorer import registry
from explorer.contracts.objective import Constraint, Direction, Linear, Objective, Term
from explorer.contracts.optimiser import Candidates, Inputs, Optimiser, Proposal
from explorer.contracts.recipe import Plan, Recipe, Report, Roles
from explorer.contracts.simulator import Simulator
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
    return Architecture.of("transformer", "toy", {"x": x}, [Block("point", {"x": x})], [])


class ToySimulator(Simulator):
    """The square of the distance from (11, 29); refuses x = 5."""

    name = "toy"
    version = "1"
    roles = {"model": "transformer", "accelerator": "transformer"}  # noqa: RUF012
    measures = {"loss": "squared distance"}  # noqa: RUF012

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return dict(given)

    def run(self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]) -> Measurement:
        x, y = (architectures[role].choices["x"] for role in ("model", "accelerator"))
        if LOG in os.environ:
            with Path(os.environ[LOG]).open("a") as log:
                log.write(f"{settings.get('task', '')} {x} {y}\n")
        time.sleep(float(os.environ.get(SECONDS, "0")))
        if x == 5:
            raise InputError("x is 5; any other is allowed.")
        roles = {role: found.key for role, found in architectures.items()}
        return Measurement(
            self.name, self.version, roles, dict(settings), {"loss": float((x - 11) ** 2 + (y - 29) ** 2)}
        )


class ToyCandidates(Candidates):
    """All pairs of points."""

    def bounds(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        return ((np.zeros(1), np.full(1, SIDE - 1.0)),) * 2

    def sample(self, generator: np.random.Generator, count: int) -> list[Inputs]:
        return [tuple(np.array([float(v)]) for v in generator.integers(SIDE, size=2)) for _ in range(count)]

    def snap(self, points: Sequence[Inputs]) -> list[Inputs]:
        return [tuple(np.clip(np.rint(vector), 0, SIDE - 1) for vector in point) for point in points]

    def key(self, inputs: Inputs) -> Hashable:
        return tuple(int(vector[0]) for vector in inputs)

    def neighbours(self, inputs: Inputs) -> list[Inputs]:
        steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
        return self.snap([(inputs[0] + dx, inputs[1] + dy) for dx, dy in steps])


class HillClimb(Optimiser):
    """The untried neighbours of the best, then random designs: what it asks depends on all that it was told."""

    def ask(self, count: int) -> list[Proposal]:
        near = [] if self.best is None else self.candidates.neighbours(self.best.inputs)
        chosen = {self.candidates.key(inputs): Proposal(inputs, "near") for inputs in near}
        chosen = {key: proposal for key, proposal in chosen.items() if key not in self._evaluated}
        generator = self._generator(len(self.observations))
        for inputs in self._fresh(generator, count, set(chosen)):
            chosen[self.candidates.key(inputs)] = Proposal(inputs, "random")
        return list(chosen.values())[:count]


class ToyRecipe(Recipe):
    """Finds (11, 29)."""

    name = "toy"
    description = "The smallest recipe."
    front = {"loss": "minimise"}  # noqa: RUF012
    columns = ("loss",)

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        return {"batch": 4, "task": "a", **given}

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        term = Term("loss", 1.0, Direction.MINIMISE, Linear(SIDE**2 * 2.0))
        return Objective((term,), (Constraint("loss", maximum=settings.get("worst", 1e9)),))

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan:
        def roles_of(inputs: Inputs) -> Roles:
            return dict(zip(ToySimulator.roles, (architecture(int(v[0])) for v in inputs), strict=True))

        def pending(roles: Roles, done: object) -> Measurement:
            keys = {role: found.key for role, found in roles.items()}
            return Measurement("toy", "1", keys, {"task": record.settings["task"]}, {})

        return Plan(
            simulator="toy",
            objective=self.objective(record.settings),
            optimiser=HillClimb(ToyCandidates(), record.seed),
            batch=record.settings["batch"],
            architectures=roles_of,
            inputs=lambda roles: tuple(np.array([float(roles[r].choices["x"])]) for r in ToySimulator.roles),
            pending=pending,
        )


def register() -> None:
    """Make the toy known by name."""
    registry.SIMULATORS["toy"] = "tests.fault.toy:ToySimulator"
    registry.RECIPES["toy"] = "tests.fault.toy:RECIPE"


RECIPE = ToyRecipe()


def main(name: str) -> None:
    """Run a stored study to its end in this process, two evaluations at a time."""
    register()
    with open_store(Settings.from_environment()) as store, ThreadPoolExecutor(2) as executor:
        Study(store, store.studies.get(name), RECIPE, executor).run()


if __name__ == "__main__":
    main(sys.argv[1])
