"""The merits of a study's trials: their performance, their Pareto front and its hypervolume."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from explorer.contracts.measure import Direction, directions
from explorer.contracts.objective import Objective, hypervolume, pareto_front
from explorer.contracts.recipe import Recipe
from graphdb.errors import InputError
from graphdb.records import StudyRecord, TrialRecord, TrialState


def performances(recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord]) -> dict[int, float]:
    """Performance of each finished trial that meets the constraints.

    Args:
        recipe: recipe of the study.
        record: record of the study.
        trials: trials of the study.

    Returns:
        Index of the trial -> performance; larger is better. Trials whose measures give no performance are left out.
    """
    objective = recipe.objective(record.settings)
    return {
        trial.index: value
        for trial in trials
        if (value := performance_of(objective, trial)) is not None and objective.feasible(trial.measurement.measures)
    }


def performance_of(objective: Objective, trial: TrialRecord) -> float | None:
    """The performance of a trial, whether or not it meets the constraints; None if its measures give none."""
    measures = trial.measurement.measures
    if trial.state is not TrialState.DONE or not objective.measures <= measures.keys():
        return None
    try:
        return objective.value(measures)
    except InputError:  # a measure of 0 has no logarithm
        return None


def front_of(recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The Pareto-optimal trials among those that meet the study's constraints, best performance first.

    A pair that was proposed twice appears once.

    Args:
        recipe: the recipe of the study.
        record: the stored study.
        trials: the trials of the study.
    """
    values = performances(recipe, record, trials)
    unique: dict[str, TrialRecord] = {}
    for trial in _comparable(recipe, record, trials, values):
        unique.setdefault(trial.measurement.key, trial)
    feasible = list(unique.values())
    chosen = pareto_front([trial.measurement.measures for trial in feasible], _over(recipe, record))
    return sorted((feasible[i] for i in chosen), key=lambda trial: -values[trial.index])


def hypervolumes(recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord]) -> list[float]:
    """The hypervolume of the front after each trial, in the product of the units of its measures.

    Trials that failed, break a constraint or lack a measure of the front add nothing. The volume counts from
    `Recipe.worst` or, for a measure that it lacks, from the worst value of the trials.

    Args:
        recipe: the recipe of the study.
        record: the stored study.
        trials: the trials of the study, in any order.

    Returns:
        One volume for each trial, in the order of their indices; it never falls.
    """
    comparable, over = _comparable(recipe, record, trials, performances(recipe, record, trials)), _over(recipe, record)
    if not comparable:
        return [0.0] * len(trials)
    reached = {trial.index: trial.measurement.measures for trial in comparable}
    worst = _worst(recipe, over, list(reached.values()))
    volumes: list[float] = []
    front: list[Mapping[str, float]] = []
    for index in sorted(trial.index for trial in trials):
        if index in reached:
            front.append(reached[index])
            front = [front[place] for place in pareto_front(front, over)]
            volumes.append(hypervolume(front, over, worst))
        else:
            volumes.append(volumes[-1] if volumes else 0.0)
    return volumes


def last_hypervolume(
    recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord], values: Collection[int]
) -> float:
    """The last of `hypervolumes` alone, which takes no time.

    Args:
        recipe: the recipe of the study.
        record: the stored study.
        trials: the trials of the study, in any order.
        values: the indices of those that have a performance and meet the constraints.
    """
    comparable, over = _comparable(recipe, record, trials, values), _over(recipe, record)
    reached = [one.measurement.measures for one in comparable]
    return hypervolume(reached, over, _worst(recipe, over, reached)) if reached else 0.0


def _over(recipe: Recipe[Any], record: StudyRecord) -> Mapping[str, Direction]:
    """Measure -> its direction in the front of a study."""
    return directions(recipe.measures, recipe.front_under(record.settings))


def _worst(
    recipe: Recipe[Any], over: Mapping[str, Direction], reached: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """The corner from which a hypervolume counts."""
    return {
        name: (min if direction is Direction.MAXIMISE else max)(measures[name] for measures in reached)
        for name, direction in over.items()
    } | {name: value for name, value in recipe.worst.items() if name in over}


def _comparable(
    recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord], values: Collection[int]
) -> list[TrialRecord]:
    """Of the trials whose indices are in `values`, those that have all measures of the front."""
    needed = set(recipe.front_under(record.settings))
    return [trial for trial in trials if trial.index in values and needed <= trial.measurement.measures.keys()]
