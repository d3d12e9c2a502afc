"""`Study`: the loop that asks, measures and tells, with every step in a transaction.

A study consists of its record and its trials, both in the database. A round asks for `batch` proposals, stores them as
pending in one transaction, measures them, and tells each result in a separate transaction. The optimiser's proposals
depend only on the seed and on the results in trial order, so a study that was killed at any point is continued by
telling the stored results again, measuring the pending trials, and asking for more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, field
from typing import Any

from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Descent, Progress
from explorer.contracts.simulator import Roles
from explorer.running.executor import Refused, evaluate
from explorer.running.lease import leased
from explorer.running.lineage import store_descents
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement
from graphdb.records import NewTrial, StudyRecord, StudyState, TrialRecord, TrialState
from graphdb.store import Store

OnProgress = Callable[[Progress], None]


@dataclass
class Study:
    """One run of a stored study until its budget is spent.

    Attributes:
        store: database of the study and its trials.
        record: record of the study.
        recipe: recipe of the study.
        executor: executor that runs the simulator.
        on_progress: function called whenever something has been done.
    """

    store: Store
    record: StudyRecord
    recipe: Recipe[Any]
    executor: Executor
    on_progress: OnProgress = lambda progress: None
    _started: float = field(default_factory=time.monotonic, init=False)
    _trials: dict[int, TrialRecord] = field(default_factory=dict, init=False)
    _done_before: int = field(default=0, init=False)

    def run(self) -> None:
        """Continue from the stored trials until the budget is spent, or somebody asks the study to stop.

        Raises:
            ConflictError: another process is running this study.
        """
        name = self.record.name
        with leased(self.store, name) as renew:
            self.store.studies.begin(name)
            self._report("making ready")
            self.record = self._founded()
            plan = self.recipe.prepare(self.store, self.record, self._report)
            self._trials = {trial.index: trial for trial in self.store.studies.trials(name)}
            self._done_before = self._done()
            state = self._continue(plan, renew)
            message = f"Stopped as asked; go on with: {resuming(name)}" if state is StudyState.STOPPED else ""
            self.store.studies.set_state(name, state, message)
            self._report(str(state))

    def _founded(self) -> StudyRecord:
        """The record with the keys of what the study began with, which are chosen when it first runs."""
        if not self.record.basis:
            basis = self.recipe.basis(self.store, self.record, self._report)
            self.store.studies.begin_with(self.record.name, basis)
        return self.store.studies.get(self.record.name)

    def _continue(self, plan: Plan[Any], renew: Callable[[], None]) -> StudyState:
        """The rounds until the end; returns the state of the study then."""
        told = 0
        while True:
            self._measure_pending(plan)
            renew()
            told = self._tell_in_order(plan, told)
            count = min(plan.batch, self.record.budget - told)
            if count <= 0:
                return StudyState.DONE
            if self.store.studies.get(self.record.name).stopping:
                return StudyState.STOPPED
            self._report("choosing the next designs")
            if not self._ask(plan, told, count):
                return StudyState.DONE  # every legal design has been measured
            renew()

    def _ask(self, plan: Plan[Any], first: int, count: int) -> int:
        roles: list[Architecture] = []
        trials: list[NewTrial] = []
        proposals = plan.optimiser.ask(count)
        done = [trial for _, trial in sorted(self._trials.items()) if trial.state is TrialState.DONE]
        descents: list[Descent] = []
        for offset, proposal in enumerate(proposals):
            architectures = plan.architectures(proposal.design)
            pending = plan.pending(architectures, done)
            trials.append(NewTrial(first + offset, pending, proposal.origin))
            descents.extend(plan.descents(architectures, pending))
            roles.extend(architectures.values())
        self.store.architectures.add(roles)
        if descents:
            store_descents(self.store, descents)
        self.store.studies.ask(self.record.name, trials)
        # Read back rather than assumed: trials that another study has already measured come back done.
        self._trials = {trial.index: trial for trial in self.store.studies.trials(self.record.name)}
        return len(proposals)

    def _measure_pending(self, plan: Plan[Any]) -> None:
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

    def _tell_in_order(self, plan: Plan[Any], told: int) -> int:
        new = [self._trials[index] for index in sorted(self._trials) if index >= told]
        roles = self._roles_of(new)
        for trial in new:
            done = trial.state is TrialState.DONE
            outcome = plan.objective.outcome(trial.measurement.measures) if done else plan.objective.failed()
            plan.optimiser.tell(plan.design(roles[trial.index]), outcome)
        return told + len(new)

    def _roles_of(self, trials: Sequence[TrialRecord]) -> dict[int, Roles]:
        keys = {key for trial in trials for key in trial.measurement.roles.values()}
        stored = self.store.architectures.get_many(sorted(keys))
        return {trial.index: {role: stored[key] for role, key in trial.measurement.roles.items()} for trial in trials}

    def _done(self) -> int:
        return sum(trial.state is not TrialState.PENDING for trial in self._trials.values())

    def _report(self, phase: str) -> None:
        elapsed_s = time.monotonic() - self._started
        done = self._done()
        here = done - self._done_before
        left_s = elapsed_s / here * (self.record.budget - done) if here > 0 else None
        values = performances(self.recipe, self.record, list(self._trials.values()))
        best = max(values.values(), default=None)
        refused = sum(trial.state is TrialState.FAILED for trial in self._trials.values())
        self.on_progress(Progress(done, self.record.budget, phase, left_s, best, refused))


def resuming(name: str) -> str:
    """The command that continues a study."""
    return f"explorer search --resume {name}"


def performances(recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord]) -> dict[int, float]:
    """Performance of each finished trial that meets the constraints.

    Args:
        recipe: recipe of the study.
        record: record of the study.
        trials: trials of the study.

    Returns:
        Index of the trial -> performance; larger is better. Trials that lack a measure of the objective are left out.
    """
    objective = recipe.objective(record.settings)
    return {
        trial.index: objective.value(trial.measurement.measures)
        for trial in trials
        if trial.state is TrialState.DONE
        and objective.measures <= trial.measurement.measures.keys()
        and objective.feasible(trial.measurement.measures)
    }
