"""Explorations: a random sample of a design space, measured in one role of a simulator, and its Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer import registry
from explorer.contracts.measure import Direction, directions
from explorer.contracts.session import Progress, Sweep
from explorer.contracts.simulator import Role, Roles
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.space import DesignSpace
    from graphdb.architecture import Architecture
    from graphdb.store import Store

MOST_SAMPLES = 1_000_000


@dataclass(frozen=True)
class Sample:
    """Designs to be measured together with fixed partners.

    Attributes:
        simulator: the registered name of the simulator.
        role: the role that the designs play.
        designs: distinct designs drawn from a space.
        partners: role -> architecture, for every other role.
        settings: the complete settings of the simulator.
    """

    simulator: str
    role: str
    designs: Sequence[Architecture]
    partners: Roles
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Exploration:
    """The results of measuring a sample.

    Attributes:
        sample: the sample that was measured.
        sweep: the measurements and refusals, by position in the sample.
        measures: the measures of the Pareto front.
        front: the positions of the designs that no other one dominates, the best in the first measure first.
    """

    sample: Sample
    sweep: Sweep
    measures: Mapping[str, Direction]
    front: Sequence[int]


def explorable() -> dict[str, tuple[str, ...]]:
    """Finite space -> the simulators that users may run and that have a role for its designs."""
    known: dict[str, tuple[str, ...]] = {}
    for name in registry.spaces():
        space = registry.space(name)
        able = tuple(one for one in registry.simulators(shown=True) if any(_roles_of(one, space)))
        if able and _is_finite(space):
            known[name] = able
    return known


def role_of(simulator: str, space: DesignSpace) -> str:
    """The first role of a simulator that designs of a space may play.

    Raises:
        InputError: there is no such role.
    """
    for role in _roles_of(simulator, space):
        return role
    raise InputError(f"The simulator {simulator} measures no designs of {space.name}.")


def draw_designs(space: DesignSpace, samples: int, seed: int) -> list[Architecture]:
    """Draws distinct designs, all equally likely; with the same seed, more samples only add designs.

    Args:
        space: the space of the designs.
        samples: the number of designs.
        seed: the seed of the sample.

    Raises:
        InputError: `samples` is below 1 or more than the space allows, or the seed is negative.
    """
    import numpy as np

    from explorer.running.sweep import draw
    from explorer.services.studies import check_whole

    check_whole("seed", seed, 0)
    most = min(space.size, MOST_SAMPLES)
    if not 1 <= samples <= most:
        raise InputError(f"--samples is {samples}; allowed: 1 to {most}, as the space holds {space.size}.")
    return [space.build(choices) for choices in draw(space, samples, np.random.default_rng(seed))]


def explore(
    store: Store, executor: Executor, sample: Sample, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Exploration:
    """Measures the designs of a sample that are not stored yet, and finds the Pareto front of all of them.

    Args:
        store: the database for the measurements.
        executor: runs the simulator.
        sample: the designs to measure.
        on_progress: called whenever results were stored.

    Raises:
        InputError: a setting is not allowed, or an architecture cannot play its role.
        UnavailableError: a worker or the database was lost; stored measurements are kept.
    """
    from explorer.running.sweep import sweep

    pairs = [{**sample.partners, sample.role: design} for design in sample.designs]
    order = list(registry.simulator(sample.simulator).roles)
    pairs = [{role: pair[role] for role in order} for pair in pairs]
    chunk = registry.simulator(sample.simulator).chunk(sample.settings)
    result = sweep(store, executor, sample.simulator, pairs, sample.settings, chunk=chunk, on_progress=on_progress)
    over = front_measures(sample.simulator, result)
    return Exploration(sample, result, over, _front(result, over))


def front_measures(simulator: str, result: Sweep) -> dict[str, Direction]:
    """Measure -> its direction in the front: the simulator's front measures, or else its headline measures.

    Args:
        simulator: the registered name of the simulator.
        result: the result of a sweep; a measure that is missing from one of its measurements is left out.
    """
    made = registry.simulator(simulator)
    headline = [name for name in registry.headline() if name in made.measures and made.measures[name].direction]
    measured = [one.measures.keys() for one in result.measurements.values()]
    names = [name for name in made.front or headline or made.measures if all(name in keys for keys in measured)]
    return directions(made.measures, [name for name in names if made.measures[name].direction])


def _front(result: Sweep, over: Mapping[str, Direction]) -> list[int]:
    from explorer.contracts.objective import pareto_front

    positions = list(result.measurements)
    if not positions or not over:
        return []
    points = [result.measurements[position].measures for position in positions]
    first, direction = next(iter(over.items()))
    sign = -1.0 if direction is Direction.MAXIMISE else 1.0
    chosen = [positions[index] for index in pareto_front(points, over)]
    return sorted(chosen, key=lambda at: (sign * result.measurements[at].measures[first], at))


def _roles_of(simulator: str, space: DesignSpace) -> list[str]:
    """The roles that designs of a space may play, in order."""

    def admits(role: Role) -> bool:
        return role.domain == space.domain and (not role.spaces or space.name in role.spaces)

    return [name for name, role in registry.simulator(simulator).roles.items() if admits(role)]


def _is_finite(space: DesignSpace) -> bool:
    try:
        return space.size > 0
    except InputError:
        return False
