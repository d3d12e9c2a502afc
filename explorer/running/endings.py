"""Why a run of a study ended, and what its readers must know of the trials: one sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Outcome
from explorer.toolkit.durations import duration
from graphdb.errors import InputError
from graphdb.records import StudyState, TrialRecord, TrialState

_FEW = 5
"""The number of equal performances below which nothing is said about them."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The state of a study after a run, and the reason."""

    state: StudyState
    message: str = ""


SPENT = Ending(StudyState.DONE)
"""The budget is spent."""


def resuming(name: str) -> str:
    """The command that continues a study."""
    return f"explorer search --resume {name}"


def stopped(name: str) -> Ending:
    """Somebody asked the study to stop."""
    return Ending(StudyState.STOPPED, f"Stopped as asked; go on with: {resuming(name)}")


def out_of_time(name: str, limit_s: float) -> Ending:
    """The time of this run is over."""
    return Ending(
        StudyState.STOPPED, f"Stopped after the time limit of {duration(limit_s)}; go on with: {resuming(name)}"
    )


def converged(name: str, trials: int, budget: int) -> Ending:
    """The optimiser expects no further progress.

    Args:
        name: the name of the study.
        trials: the number of trials so far.
        budget: the number that it was allowed.
    """
    return Ending(
        StudyState.DONE,
        f"Converged after {trials} of {budget} trials: the optimiser expects no further progress; go on with: "
        f"{resuming(name)} --no-until-converged",
    )


def exhausted(trials: int, budget: int) -> Ending:
    """The optimiser has no design left to propose.

    Args:
        trials: the number of trials.
        budget: the number that was allowed.
    """
    return Ending(
        StudyState.DONE, f"Every design that the search could find has been measured: {trials} trials of {budget}."
    )


def outcome_of(objective: Objective, trial: TrialRecord) -> tuple[Outcome, str]:
    """The outcome of an ended trial for the optimiser, and why it counts as failed; empty if it does not."""
    if trial.state is not TrialState.DONE:
        return objective.failed(), trial.message
    try:
        return objective.outcome(trial.measurement.measures), ""
    except InputError as error:
        return objective.failed(), str(error)


def remarks(objective: Objective, trials: Iterable[TrialRecord]) -> str:
    """Sentences about trials that gave the optimiser nothing to learn; empty if there are none.

    Args:
        objective: the objective of the study.
        trials: its trials.
    """
    done = [trial for trial in trials if trial.state is TrialState.DONE]
    outcomes = [(trial.index, *outcome_of(objective, trial)) for trial in done]
    sentences = []
    useless = [(index, reason) for index, _, reason in outcomes if reason]
    if useless:
        index, reason = useless[0]
        sentences.append(
            f"{len(useless)} of {len(done)} measured trials have no performance and count as failed; trial {index}: "
            f"{reason}"
        )
    values = [outcome.values for _, outcome, reason in outcomes if not reason]
    if len(values) >= _FEW and len(set(values)) == 1:
        shown = ", ".join(f"{value:.6g}" for value in values[0])
        sentences.append(f"All {len(values)} measured designs have the same performance ({shown}), so none was better.")
    return " ".join(sentences)
