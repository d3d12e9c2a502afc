"""The decisions of a study's designs, and how much each of them matters to their performance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Nature
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.simulator import Roles
from explorer.running.endings import outcome_of
from explorer.services.course import Step, ranks_of
from explorer.toolkit.row_file import Cell, flattened
from graphdb.architecture import Architecture
from graphdb.errors import InputError, NotFoundError
from graphdb.records import StudyRecord, TrialRecord, TrialState
from graphdb.store import Store

Numbers = NDArray[np.float64]

LEARNT = "share of the relevance that the surrogate learnt"
EXPLAINED = "share of the variance of the ranks by performance that each explains alone"


@dataclass(frozen=True)
class Decision:
    """One decision in n designs.

    Attributes:
        name: its name.
        values: its value in each design, shape `(n,)`; NaN where it means nothing.
        labels: value -> what it stands for, if that is known.
        continuous: whether values between two others are possible.
    """

    name: str
    values: Numbers
    labels: Mapping[float, str] = field(default_factory=dict)
    continuous: bool = False


@dataclass(frozen=True)
class Decisions:
    """The decisions of a study and their importance.

    Attributes:
        steps: the measured steps; n of them.
        decisions: the decisions that vary among these, the most important first.
        importance: what matters -> its share, the largest first: decisions, or groups of features that count together.
        measure: what the shares are: `LEARNT` or `EXPLAINED`.
    """

    steps: Sequence[Step]
    decisions: Sequence[Decision]
    importance: Mapping[str, float]
    measure: str


def decisions_of(
    store: Store, recipe: Recipe[Any], record: StudyRecord, trials: Sequence[TrialRecord], steps: Sequence[Step]
) -> Decisions:
    """The decisions of a study's measured designs.

    Their importance is what the study's surrogate learnt from all trials, if its optimiser has one that says so, and
    otherwise the variance that each decision explains by itself.

    Args:
        store: the database.
        recipe: the recipe of the study.
        record: the stored study.
        trials: its trials.
        steps: their steps.
    """
    measured = [step for step in steps if step.performance is not None]
    if not measured:
        return Decisions([], [], {}, EXPLAINED)
    stored = store.architectures.get_many(sorted({key for one in trials for key in one.measurement.roles.values()}))
    roles = {one.index: {role: stored[key] for role, key in one.measurement.roles.items()} for one in trials}
    view = _view(store, recipe, record, trials, roles, [roles[step.index] for step in measured])
    decisions = [one for one in view.decisions if _varies(one.values)]
    if sum(view.relevance.values()) > 0:
        shares, measure = view.relevance, LEARNT
    else:
        performances = np.array([step.performance for step in measured], dtype=np.float64)
        shares = {one.name: explained(one.values, performances, continuous=one.continuous) for one in decisions}
        measure = EXPLAINED
    shares = dict(sorted(shares.items(), key=lambda item: -item[1]))
    rank = {name: -share for name, share in shares.items()}
    ordered = sorted(decisions, key=lambda one: rank.get(one.name, rank.get(view.groups.get(one.name, ""), 0.0)))
    return Decisions(measured, ordered, shares, measure)


class _View(NamedTuple):
    """The decisions of designs as a search sees them, what it learnt of their relevance, and the group of each."""

    decisions: list[Decision]
    relevance: Mapping[str, float]
    groups: Mapping[str, str]


def _view(
    store: Store,
    recipe: Recipe[Any],
    record: StudyRecord,
    trials: Sequence[TrialRecord],
    roles: Mapping[int, Roles],
    shown: Sequence[Roles],
) -> _View:
    """The view of a study's optimiser, or that of the architectures if it does not describe its designs."""
    chosen = _View(chosen_of(shown), {}, {})
    try:
        plan = recipe.prepare(store, record, lambda *_: None)
        _replay(plan, trials, roles)
        entries = plan.optimiser.candidates.entries
        if not entries:
            return chosen
        relevance = dict(getattr(plan.optimiser, "relevance", dict)())
        groups = {entry.name: entry.group or entry.name for entry in entries}
        return _View(_described(plan, shown, chosen.decisions), relevance, groups)
    except (InputError, NotFoundError, LookupError):  # the recipe or a space has changed since
        return chosen


def _replay(plan: Plan[Any], trials: Sequence[TrialRecord], roles: Mapping[int, Roles]) -> None:
    """Tells an optimiser of all trials, as the study did, so that it knows what it knew at the end."""
    for design, outcome in plan.earlier:
        plan.optimiser.recall(design, outcome)
    for trial in sorted(trials, key=lambda trial: trial.index):
        if trial.state is TrialState.PENDING:
            break  # an optimiser is told of trials in order
        plan.optimiser.tell(plan.design(roles[trial.index]), outcome_of(plan.objective, trial)[0])


def _described(plan: Plan[Any], designs: Sequence[Roles], chosen: Sequence[Decision]) -> list[Decision]:
    """The entries of the descriptions of designs, with the texts of their values where a decision has that name."""
    candidates = plan.optimiser.candidates
    rows = candidates.describe([plan.design(roles) for roles in designs])
    texts = {one.name.replace(".", " "): one for one in chosen}
    decisions = []
    for entry, values in zip(candidates.entries, np.asarray(rows).T, strict=True):
        name = entry.name.replace(".", " ")
        alike = [one for text, one in texts.items() if text == name or text.endswith(f" {name}")]
        labels = _labels(values, alike[0]) if len(alike) == 1 else {}
        decisions.append(Decision(entry.name, values, labels, entry.nature is Nature.CONTINUOUS))
    return decisions


def _labels(values: Numbers, decision: Decision) -> Mapping[float, str]:
    """Entry -> the text of the decision that it stands for, if each entry stands for one."""
    labels: dict[float, str] = {}
    for value, meant in zip(values.tolist(), decision.values.tolist(), strict=True):
        text = "absent" if math.isnan(meant) else decision.labels.get(meant, f"{meant:.4g}")
        if labels.setdefault(value, text) != text:
            return {}
    return labels


def chosen_of(designs: Sequence[Roles]) -> list[Decision]:
    """The decisions of architectures as `role.choice`, in the order of their first appearance.

    Texts and truth values are numbered in their order. A decision that a design does not have is NaN there.

    Args:
        designs: the architecture of each role, for each of n designs.
    """
    rows = [_flat(roles) for roles in designs]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [_decision(name, [row.get(name) for row in rows]) for name in columns]


def _flat(roles: Mapping[str, Architecture]) -> dict[str, Cell]:
    return {
        name: cell
        for role, architecture in roles.items()
        for name, cell in flattened(role, architecture.choices).items()
    }


def _decision(name: str, cells: Sequence[Cell]) -> Decision:
    known = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known):
        values = np.array([math.nan if cell is None else float(cell) for cell in cells])
        return Decision(name, values, continuous=any(isinstance(cell, float) for cell in known))
    texts = sorted({str(cell) for cell in known})
    place = {text: float(at) for at, text in enumerate(texts)}
    values = np.array([math.nan if cell is None else place[str(cell)] for cell in cells])
    return Decision(name, values, {at: text for text, at in place.items()})


def _varies(values: Numbers) -> bool:
    return len(np.unique(values)) > 1  # NaN counts as a value, once


def explained(values: Numbers, performances: Numbers, *, continuous: bool = False) -> float:
    """The share of the variance of the ranks by performance that a decision explains alone, from 0 to 1.

    This is epsilon squared (Kelley 1935) of the ranks: the correlation ratio of groups of equal values, less what as
    many groups explain by chance. It needs no model, neither order nor distance of the values, and a single design that
    is far worse than all others does not decide it; what two decisions bring only together it does not see. Values that
    are continuous, or too many for the number of designs, are first put into groups of neighbouring values.

    Args:
        values: the decision in each of n designs, shape `(n,)`; those with NaN are a group of their own.
        performances: the performance of each of them, shape `(n,)`.
        continuous: whether values between two others are possible.
    """
    groups, ranks = _groups(values, continuous=continuous), ranks_of(performances)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    count, number = len(values), len(np.unique(groups))
    if number < 2 or count <= number or total <= 0:
        return 0.0
    within = sum(
        float(((own - own.mean()) ** 2).sum()) for own in (ranks[groups == group] for group in np.unique(groups))
    )
    by_chance = (number - 1) * within / (count - number)
    return max(0.0, (total - within - by_chance) / total)


def _groups(values: Numbers, *, continuous: bool) -> NDArray[np.intp]:
    """A group for each value: its place among the distinct ones, or among as many ranges as the square root of n."""
    most = max(2, math.isqrt(len(values)))
    known = values[~np.isnan(values)]
    if continuous or len(np.unique(known)) > 2 * most:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[1:-1])) if len(known) else known
        places = np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), len(edges) + 1, places)
    return np.unique(values, return_inverse=True)[1]
