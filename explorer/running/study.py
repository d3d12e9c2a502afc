"""`Study`: the loop that asks, measures and tells, with every step a transaction.

A study is its record and its trials, both in the database. A round asks for `batch` proposals, stores them as pending
in one transaction, measures them, and tells each result in a transaction of its own. What the optimiser asks for is a
function of the seed and of the results in trial order, so a study that was killed anywhere is continued by telling the
stored results again, measuring what is pending, and asking on.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from explorer.contracts.recipe import Descent, Plan, Recipe, Roles
from explorer.running.executor import Refused, evaluate
from graphdb.architecture import Architecture
from graphdb.errors import ConflictError, UnavailableError
from graphdb.measurement import Measurement
from graphdb.records import NewTrial, StudyRecord, StudyState, TrialRecord, TrialState
from graphdb.store import Store

LEASE_S = 120.0


@dataclass(frozen=True)
class Progress:
    """Where a running study stands.

    Attributes:
        done: trials measured or refused, of `budget`.
        best: best performance so far among feasible trials; None before the first.
        elapsed_s: since this run began.
        left_s: estimated from this run's own pace; None before its first round.
        phase: what is going on, in a few words.
    """

    done: int
    budget: int
    best: float | None
    elapsed_s: float
    left_s: float | None
    phase: str


OnProgress = Callable[[Progress], None]


@dataclass
class Study:
    """One run of a stored study to its budget."""

    store: Store
    record: StudyRecord
    recipe: Recipe
    executor: Executor
    on_progress: OnProgress = lambda progress: None
    _started: float = field(default_factory=time.monotonic, init=False)
    _trials: dict[int, TrialRecord] = field(default_factory=dict, init=False)
    _found_done: int = field(default=0, init=False)

    def run(self) -> None:
        """Go on from wherever the stored trials stand until the budget is spent.

        Raises:
            ConflictError: another process is running this study.
        """
        name = self.record.name
        with leased(self.store, name) as renew:
            self.store.studies.set_state(name, StudyState.RUNNING)
            self._report("making ready")
            plan = self.recipe.prepare(self.store, self.record, self._report)
            self._trials = {trial.index: trial for trial in self.store.studies.trials(name)}
            self._found_done = self._done()
            self._continue(plan, renew)
            self.store.studies.set_state(name, StudyState.DONE)
            self._report("done")

    def _continue(self, plan: Plan, renew: Callable[[], None]) -> None:
        told = 0
        while True:
            self._measure_pending(plan)
            renew()
            told = self._tell_in_order(plan, told)
            count = min(plan.batch, self.record.budget - told)
            if count <= 0:
                return
            self._report("choosing the next designs")
            if not self._ask(plan, told, count):
                return  # every legal design has been measured
            renew()

    def _ask(self, plan: Plan, first: int, count: int) -> int:
        roles: list[Architecture] = []
        trials: list[NewTrial] = []
        proposals = plan.optimiser.ask(count)
        done = [trial for _, trial in sorted(self._trials.items()) if trial.state is TrialState.DONE]
        descents: list[Descent] = []
        for offset, proposal in enumerate(proposals):
            architectures = plan.architectures(proposal.inputs)
            pending = plan.pending(architectures, done)
            trials.append(NewTrial(first + offset, pending, proposal.origin))
            descents.extend(plan.descents(architectures, pending))
            roles.extend(architectures.values())
        self.store.architectures.add([*roles, *(one.parent for one in descents)])
        for one in descents:
            self.store.architectures.add_derived(one.child.key, one.parent.key, one.how, one.about)
        self.store.studies.ask(self.record.name, trials)
        # Read back rather than assumed: what another study has measured already comes back done.
        self._trials = {trial.index: trial for trial in self.store.studies.trials(self.record.name)}
        return len(proposals)

    def _measure_pending(self, plan: Plan) -> None:
        pending = [trial for trial in self._trials.values() if trial.state is TrialState.PENDING]
        if not pending:
            return
        self._report("measuring")
        roles = self._roles_of(pending)
        running: dict[Future[Measurement | Refused], TrialRecord] = {
            self.executor.submit(evaluate, plan.simulator, roles[trial.index], trial.measurement.settings): trial
            for trial in pending
        }
        for future in as_completed(running):
            self._record(running[future], future.result())
            self._report("measuring")

    def _record(self, trial: TrialRecord, outcome: Measurement | Refused) -> None:
        name = self.record.name
        if isinstance(outcome, Refused):
            self.store.studies.fail(name, trial.index, outcome.message)
            self._trials[trial.index] = TrialRecord(
                trial.index, TrialState.FAILED, trial.origin, trial.measurement, outcome.message
            )
        else:
            self.store.studies.tell(name, trial.index, outcome)
            self._trials[trial.index] = TrialRecord(trial.index, TrialState.DONE, trial.origin, outcome)

    def _tell_in_order(self, plan: Plan, told: int) -> int:
        new = [self._trials[index] for index in sorted(self._trials) if index >= told]
        roles = self._roles_of(new)
        for trial in new:
            inputs = plan.inputs(roles[trial.index])
            if trial.state is TrialState.DONE:
                measures = trial.measurement.measures
                plan.optimiser.tell(inputs, plan.objective.value(measures), plan.objective.violation(measures))
            else:
                plan.optimiser.tell(inputs, math.nan)
        return told + len(new)

    def _roles_of(self, trials: Sequence[TrialRecord]) -> dict[int, Roles]:
        keys = {key for trial in trials for key in trial.measurement.roles.values()}
        found = self.store.architectures.get_many(sorted(keys))
        return {trial.index: {role: found[key] for role, key in trial.measurement.roles.items()} for trial in trials}

    def _done(self) -> int:
        return sum(trial.state is not TrialState.PENDING for trial in self._trials.values())

    def _report(self, phase: str) -> None:
        elapsed_s = time.monotonic() - self._started
        done = self._done()
        here = done - self._found_done
        left_s = elapsed_s / here * (self.record.budget - done) if here > 0 else None
        values = performances(self.recipe, self.record, list(self._trials.values()))
        best = max(values.values(), default=None)
        self.on_progress(Progress(done, self.record.budget, best, elapsed_s, left_s, phase))


def performances(recipe: Recipe, record: StudyRecord, trials: Sequence[TrialRecord]) -> dict[int, float]:
    """Performance of each finished trial that meets the constraints, by trial index; larger is better."""
    objective = recipe.objective(record.settings)
    return {
        trial.index: objective.value(trial.measurement.measures)
        for trial in trials
        if trial.state is TrialState.DONE and objective.violation(trial.measurement.measures) == 0.0
    }


@contextmanager
def leased(store: Store, name: str) -> Iterator[Callable[[], None]]:
    """Hold the study for the length of a run; the value given renews the hold.

    A holder on this machine whose process is gone is replaced at once; one elsewhere when its lease has run out.

    Raises:
        ConflictError: another process holds the study.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}"

    def renew() -> None:
        if not store.studies.lease(name, owner, LEASE_S):
            raise ConflictError(
                f"The study {name} is being run by {store.studies.lease_owner(name)}; wait for it, or stop it first."
            )

    holder = store.studies.lease_owner(name)
    if holder is not None and holder != owner and _is_gone(holder):
        store.studies.release(name, holder)
    renew()
    try:
        yield renew
    finally:
        # A lost database must not hide what went wrong; the lease then runs out by itself.
        with suppress(UnavailableError):
            store.studies.release(name, owner)


def _is_gone(holder: str) -> bool:
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
