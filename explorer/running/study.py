"""`Study`: the loop that asks, measures and tells, with every step in a transaction.

A study consists of its record and its trials, both in the database. Proposals are stored as pending trials in one
transaction, measured, and each result is recorded in a transaction of its own.

The trials do not depend on which of them ends first, nor on the number of workers. The optimiser is told strictly in
the order of the trials. With n trials asked for, it is asked for `batch` more when exactly `n - ahead` of them have
been told, while the others are under way; if it can propose nothing then, again after each further tell. Each trial
records how many had been told when it was chosen, so a study that was killed at any point is continued by telling just
as many again, measuring the pending trials, and asking for more. With `ahead` 0, a study works in rounds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from typing import Any

from explorer import registry
from explorer.contracts.optimiser import Proposal
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Descent, Progress
from explorer.contracts.simulator import Roles
from explorer.running import endings
from explorer.running.endings import Ending
from explorer.running.executor import Refused, evaluate
from explorer.running.lease import leased
from explorer.running.lineage import store_descents
from explorer.running.merits import last_hypervolume, performances
from graphdb.architecture import Architecture
from graphdb.errors import ConflictError, InputError, UnavailableError
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
        time_limit_s: time after which this run asks for no more trials; None for no limit.
    """

    store: Store
    record: StudyRecord
    recipe: Recipe[Any]
    executor: Executor
    on_progress: OnProgress = lambda progress: None
    time_limit_s: float | None = None
    _started: float = field(default_factory=time.monotonic, init=False)
    _trials: dict[int, TrialRecord] = field(default_factory=dict, init=False)
    _told: int = field(default=0, init=False)
    _running: dict[Future[Measurement | Refused], list[int]] = field(default_factory=dict, init=False)
    _architectures: dict[str, Architecture] = field(default_factory=dict, init=False)
    _done_before: int = field(default=0, init=False)
    _expectation: float | None = field(default=None, init=False)

    def run(self) -> None:
        """Continue from the stored trials until the budget is spent, or somebody asks the study to stop.

        Raises:
            ConflictError: another process is running this study, or its space has changed since it began.
            UnavailableError: a worker process is gone; recorded results are kept.
        """
        name = self.record.name
        with leased(self.store, name) as renew:
            self.store.studies.begin(name)
            self._report("making ready")
            plan = self._prepared()
            self._read()
            self._done_before = self._done()
            try:
                ending = self._continue(plan, renew)
            except BrokenExecutor as error:
                raise UnavailableError("An evaluation process ended unexpectedly.") from error
            finally:
                for future in self._running:
                    future.cancel()
            message = " ".join(filter(None, (ending.message, endings.remarks(plan.objective, self._trials.values()))))
            self.store.studies.set_state(name, ending.state, message)
            self._report(str(ending.state))

    def _prepared(self) -> Plan[Any]:
        """The plan; a study that cannot even begin has failed."""
        try:
            self.record = self._founded()
            return self.recipe.prepare(self.store, self.record, self._report)
        except InputError as error:
            self.store.studies.set_state(self.record.name, StudyState.FAILED, str(error))
            raise

    def _founded(self) -> StudyRecord:
        """The record with the keys of what the study began with, which are chosen when it first runs."""
        if not self.record.basis:
            basis = self.recipe.basis(self.store, self.record, self._report)
            self.store.studies.begin_with(self.record.name, basis)
        return self.store.studies.get(self.record.name)

    def _read(self) -> None:
        """Read the stored trials and their architectures, which must still be legal."""
        self._trials = {trial.index: trial for trial in self.store.studies.trials(self.record.name)}
        keys = {key for trial in self._trials.values() for key in trial.measurement.roles.values()}
        self._architectures = self.store.architectures.get_many(sorted(keys))
        for index, trial in self._trials.items():
            for role, key in trial.measurement.roles.items():
                reason = _no_longer_legal(self._architectures[key])
                if reason:
                    raise ConflictError(
                        f"The space {self._architectures[key].space} has changed since the study {self.record.name} "
                        f"began: the {role} of trial {index} is no longer legal ({reason}); begin a new study."
                    )

    def _continue(self, plan: Plan[Any], renew: Callable[[], None]) -> Ending:
        """Ask, measure and tell until the end; returns why it ended."""
        for design, outcome in plan.earlier:
            plan.optimiser.recall(design, outcome)
        self._submit(plan, [trial for trial in self._trials.values() if trial.state is TrialState.PENDING])
        wanted = self._told_at_last(plan)
        while True:
            self._tell(plan, wanted)
            renew()
            ending = self._ending(plan)
            if ending is None and not self._ask(plan):
                if wanted < len(self._trials):
                    wanted += 1  # it may know more after another tell
                    continue
                ending = endings.exhausted(len(self._trials), self.record.budget)
            if ending is not None:
                self._tell(plan, len(self._trials))
                return ending
            wanted = max(wanted, len(self._trials) - plan.ahead)

    def _told_at_last(self, plan: Plan[Any]) -> int:
        """The number of trials to tell before the next ask, given those that are stored."""
        asked = len(self._trials)
        last = self._trials[asked - 1].told if asked else None
        return max(asked - plan.ahead, last or 0)

    def _ending(self, plan: Plan[Any]) -> Ending | None:
        """Why to ask for no more trials, if there is a reason."""
        record = self.store.studies.get(self.record.name)
        if len(self._trials) >= self.record.budget:
            return endings.SPENT
        if record.stopping:
            return endings.stopped(record.name)
        if self.time_limit_s is not None and time.monotonic() - self._started >= self.time_limit_s:
            return endings.out_of_time(record.name, self.time_limit_s)
        if record.until_converged and plan.optimiser.converged:
            return endings.converged(record.name, len(self._trials), self.record.budget)
        return None

    def _ask(self, plan: Plan[Any]) -> int:
        """Choose more trials while those under way are being measured, and begin to measure them; returns how many."""
        self._record_ended(0.0)
        self._report("choosing the next designs")
        first = len(self._trials)
        count = min(plan.batch, self.record.budget - first)
        under_way = [plan.design(self._roles_of(self._trials[index])) for index in range(self._told, first)]
        proposals = plan.optimiser.ask(count, under_way)
        if not proposals:
            return 0
        self._expectation = plan.optimiser.expectation()
        self._store(plan, proposals)
        asked = self.store.studies.trials(self.record.name, first=first)
        self._trials |= {trial.index: trial for trial in asked}
        # Read back rather than assumed: what another study has already measured comes back done.
        self._submit(plan, [trial for trial in asked if trial.state is TrialState.PENDING])
        return len(proposals)

    def _store(self, plan: Plan[Any], proposals: Sequence[Proposal[Any]]) -> None:
        """Store proposals as pending trials, with their architectures."""
        first = len(self._trials)
        # Only what has been told, as the trials under way end in any order.
        known = [self._trials[index] for index in range(self._told) if self._trials[index].state is TrialState.DONE]
        trials: list[NewTrial] = []
        descents: list[Descent] = []
        for index, proposal in enumerate(proposals, first):
            architectures = plan.architectures(proposal.design)
            pending = plan.pending(architectures, known)
            trials.append(NewTrial(index, pending, proposal.origin, self._told, _finite(proposal.expected)))
            descents.extend(plan.descents(architectures, pending))
            self._architectures.update((one.key, one) for one in architectures.values())
        used = {key for trial in trials for key in trial.pending.roles.values()}
        self.store.architectures.add([self._architectures[key] for key in sorted(used)])
        if descents:
            store_descents(self.store, descents)
        self.store.studies.ask(self.record.name, trials, self._expectation)

    def _submit(self, plan: Plan[Any], pending: Iterable[TrialRecord]) -> None:
        """Hand trials to the workers, each measurement once."""
        under_way = {self._trials[indices[0]].measurement.key: indices for indices in self._running.values()}
        for trial in pending:
            key = trial.measurement.key
            if trial.measurement.measures:  # another study has measured it since
                self._record(trial, trial.measurement)
            elif key in under_way:
                under_way[key].append(trial.index)
            else:
                roles, settings = self._roles_of(trial), trial.measurement.settings
                under_way[key] = [trial.index]
                self._running[self.executor.submit(evaluate, plan.simulator, roles, settings)] = under_way[key]
        self._report("measuring")

    def _tell(self, plan: Plan[Any], count: int) -> None:
        """Tell the first `count` trials in order, waiting for those that are still being measured."""
        while self._told < count:
            trial = self._trials[self._told]
            if trial.state is TrialState.PENDING:
                self._record_ended(None)
                continue
            outcome, _ = endings.outcome_of(plan.objective, trial)
            plan.optimiser.tell(plan.design(self._roles_of(trial)), outcome)
            self._told += 1

    def _record_ended(self, timeout_s: float | None) -> None:
        """Record the evaluations that have ended, waiting for the first one unless there is a time limit."""
        assert self._running or timeout_s is not None, "a pending trial is always under way"
        ended, _ = wait(self._running, timeout=timeout_s, return_when=FIRST_COMPLETED)
        for future in ended:
            for index in self._running.pop(future):
                self._record(self._trials[index], future.result())
                self._report("measuring")

    def _record(self, trial: TrialRecord, outcome: Measurement | Refused) -> None:
        name = self.record.name
        if isinstance(outcome, Measurement):
            try:
                self.store.studies.tell(name, trial.index, outcome)
            except InputError as error:  # a measure that is no finite number
                outcome = Refused(str(error))
        if isinstance(outcome, Refused):
            self.store.studies.fail(name, trial.index, outcome.message)
            self._trials[trial.index] = replace(trial, state=TrialState.FAILED, message=outcome.message)
        else:
            self._trials[trial.index] = replace(trial, state=TrialState.DONE, measurement=outcome)

    def _roles_of(self, trial: TrialRecord) -> Roles:
        return {role: self._architectures[key] for role, key in trial.measurement.roles.items()}

    def _done(self) -> int:
        return sum(trial.state is not TrialState.PENDING for trial in self._trials.values())

    def _report(self, phase: str) -> None:
        elapsed_s = time.monotonic() - self._started
        done = self._done()
        here = done - self._done_before
        trials = list(self._trials.values())
        values = performances(self.recipe, self.record, trials)
        best = max(values, key=lambda index: (values[index], -index), default=None)
        several = self.recipe.objective(self.record.settings).count > 1
        self.on_progress(
            Progress(
                done,
                self.record.budget,
                phase,
                left_s=elapsed_s / here * (self.record.budget - done) if here > 0 else None,
                best=None if best is None else values[best],
                refused=sum(trial.state is TrialState.FAILED for trial in trials),
                incumbent=best,
                origin=trials[-1].origin if trials else "",
                hypervolume=last_hypervolume(self.recipe, self.record, trials, values) if several and values else None,
                expectation=self._expectation,
            )
        )


def _no_longer_legal(architecture: Architecture) -> str:
    """Why a stored architecture is not one of its space any more; empty if it is."""
    try:
        space = registry.space(architecture.space)
    except InputError:  # a study's own space, which has no name
        return ""
    violations = space.violations(architecture.choices)
    if violations:
        return violations[0].rstrip(".")
    return "" if space.build(architecture.choices).key == architecture.key else "it has another normal form"


def _finite(expected: tuple[float, float] | None) -> tuple[float, float] | None:
    """A prediction that can be stored; None for one that is no number."""
    return None if expected is None or not all(map(math.isfinite, expected)) else expected
