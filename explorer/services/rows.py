"""Studies and explorations as rows for other programs: one for each trial, or for each design of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer import registry
from explorer.toolkit.row_file import Cell, flattened

if TYPE_CHECKING:
    from explorer.services.explorations import Exploration
    from graphdb.architecture import Architecture
    from graphdb.store import Store

Rows = list[dict[str, Cell]]
_SPACE = ".space"


def trial_rows(store: Store, name: str) -> Rows:
    """A row for each trial of a study, in order.

    It has the index, the state and the origin of the trial, the key of its measurement and of each role's architecture,
    the performance, what was predicted of it when the design was chosen, every measure by its name, which ends in its
    SI unit, the names of those that were predicted, the relative violation of the constraints on each measure and in
    total, and each decision of each role as `role.choice`.

    Raises:
        NotFoundError: no study has this name.
    """
    from explorer.running.merits import performance_of, performances

    record = store.studies.get(name)
    recipe = registry.recipe(record.recipe)
    trials = store.studies.trials(name)
    objective = recipe.objective(record.settings)
    values = performances(recipe, record, trials)
    stored = store.architectures.get_many(sorted({key for one in trials for key in one.measurement.roles.values()}))
    rows: Rows = []
    for trial in trials:
        measurement = trial.measurement
        performance = performance_of(objective, trial)
        known = performance is not None
        roles = {role: stored[measurement.roles[role]] for role in registry.simulator(measurement.simulator).roles}
        row: dict[str, Cell] = {
            "trial": trial.index,
            "state": str(trial.state),
            "origin": trial.origin,
            "message": trial.message,
            "measurement_key": measurement.key,
            **_keys(roles),
            "performance": performance,
            "expected_mean": None if trial.expected is None else trial.expected[0],
            "expected_deviation": None if trial.expected is None else trial.expected[1],
            "feasible": trial.index in values if known else None,
            "violation": objective.violation(measurement.measures) if known else None,
        }
        for constraint in objective.constraints:
            column = f"violation.{constraint.measure}"
            violation = constraint.violation(measurement.measures) if known else None
            row[column] = violation if violation is None else violation + float(row.get(column) or 0.0)
        rows.append(row | dict(measurement.measures) | _about(measurement.predicted, roles))
    return _in_order(rows)


def sample_rows(exploration: Exploration) -> Rows:
    """A row for each design of a sample, in order: its state, keys, measures, and decisions as `role.choice`."""
    sample, sweep = exploration.sample, exploration.sweep
    front = set(exploration.front)
    rows: Rows = []
    for at, design in enumerate(sample.designs):
        measurement = sweep.measurements.get(at)
        roles = {sample.role: design, **sample.partners}
        row: dict[str, Cell] = {
            "sample": at,
            "state": "failed" if measurement is None else "done",
            "message": sweep.refused.get(at, ""),
            "measurement_key": None if measurement is None else measurement.key,
            **_keys(roles),
            "pareto": at in front,
        }
        measures = {} if measurement is None else dict(measurement.measures)
        rows.append(row | measures | _about(frozenset() if measurement is None else measurement.predicted, roles))
    return _in_order(rows)


def _keys(roles: Mapping[str, Architecture]) -> dict[str, Cell]:
    return {f"{role}_key": architecture.key for role, architecture in roles.items()}


def _about(predicted: frozenset[str], roles: Mapping[str, Architecture]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"predicted": " ".join(sorted(predicted))}
    for role, architecture in roles.items():
        cells |= {role + _SPACE: architecture.space, **flattened(role, architecture.choices)}
    return cells


def _in_order(rows: Rows) -> Rows:
    """The rows with the same columns each: first those of all trials, then the decisions of each role side by side."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    roles = [name.removesuffix(_SPACE) for name in columns if name.endswith(_SPACE)]
    decisions = {role: [name for name in columns if name.startswith(f"{role}.")] for role in roles}
    taken = {name for names in decisions.values() for name in names}
    order = [name for name in columns if name not in taken]
    for role, names in decisions.items():
        order += [role + _SPACE, *sorted((name for name in names if name != role + _SPACE), key=_places)]
    return [{name: row.get(name) for name in order} for row in rows]


def _places(column: str) -> list[tuple[int, str]]:
    """A sort key by which `o.2` comes before `o.10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in column.split(".")]
