"""The exact edit distance, as a mixed-integer programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from explorer.distance.bounds import LowerBounds, upper_bound
from explorer.distance.graph import EDGE_COST, Floats, Indices, PlacedGraph
from graphdb.errors import InputError

MOST_VARIABLES = 50_000
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class EditDistance:
    """The distance, or its bounds when time ran out.

    Attributes:
        lower: a lower bound of the cost of every edit path.
        upper: the cost of the cheapest edit path found.
    """

    lower: float
    upper: float

    @property
    def exact(self) -> bool:
        """Whether the two agree, apart from rounding."""
        return self.upper - self.lower <= _TOLERANCE * max(1.0, self.upper)


def edit_distance(first: PlacedGraph, second: PlacedGraph, *, time_limit_s: float = 60.0) -> EditDistance:
    """The cost of the cheapest edit path between two graphs.

    It solves the binary linear programme of Lerouge et al. 2017, "New binary linear programming formulation to compute
    the graph edit distance", with HiGHS through SciPy: which block becomes which, and which edge becomes which, where
    an edge may only become one between the blocks that its own ends became.

    Args:
        first: the one graph.
        second: the other graph.
        time_limit_s: the time limit of the solver, after which its bounds so far are returned.

    Raises:
        InputError: the programme would have more than 50,000 variables (blocks x blocks + edges x edges).
    """
    blocks, edges = len(first) * len(second), len(first.sources) * len(second.sources)
    if blocks + edges > MOST_VARIABLES:
        raise InputError(
            f"The exact distance between graphs of {len(first)} and {len(second)} blocks needs {blocks + edges} "
            f"variables; allowed: up to {MOST_VARIABLES}. Use the bounds."
        )
    lower = float(LowerBounds([first, second]).between(np.array(0), np.array(1)))
    upper = upper_bound(first, second)
    known = EditDistance(lower, upper)
    if known.exact or not blocks:
        return known
    saved = np.abs(first.places[:, None] - second.places) - first.places[:, None] - second.places
    everything = first.places.sum() + second.places.sum() + EDGE_COST * (len(first.sources) + len(second.sources))
    solution = milp(
        np.concatenate([saved.ravel(), np.full(edges, -2.0 * EDGE_COST)]),
        constraints=LinearConstraint(*_constraints(first, second)),
        integrality=np.repeat([1, 0], [blocks, edges]),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    if solution.x is not None:
        upper = min(upper, float(solution.fun + everything))
    if solution.status == 0:
        return EditDistance(upper, upper)
    if solution.mip_dual_bound is not None:
        lower = min(upper, max(lower, float(solution.mip_dual_bound + everything)))
    return EditDistance(lower, upper)


def _constraints(first: PlacedGraph, second: PlacedGraph) -> tuple[sparse.csr_array, float, Floats]:
    """Every block becomes at most one and is the image of at most one; edges follow their ends."""
    blocks = sparse.vstack(
        [
            sparse.kron(sparse.eye_array(len(first)), np.ones((1, len(second)))),
            sparse.kron(np.ones((1, len(first))), sparse.eye_array(len(second))),
        ]
    )
    edges = len(first.sources) * len(second.sources)
    parts = [sparse.hstack([blocks, sparse.csr_array((blocks.shape[0], edges))])]
    for mine, theirs in ((first.sources, second.sources), (first.targets, second.targets)):
        parts.append(_following(_incidence(mine, len(first)), _incidence(theirs, len(second))))
    limits = np.concatenate([np.ones(blocks.shape[0]), np.zeros(sum(part.shape[0] for part in parts[1:]))])
    return sparse.csr_array(sparse.vstack(parts)), -np.inf, limits


def _following(mine: sparse.csr_array, theirs: sparse.csr_array) -> sparse.csr_array:
    """An edge here becomes an edge at a block there only if the end of that edge became that block.

    The same holds in the other direction. `mine` is `(edges, blocks)` here, `theirs` there.
    """
    edges_here, blocks_here = mine.shape
    edges_there, blocks_there = theirs.shape
    here = sparse.hstack(
        [-sparse.kron(mine, sparse.eye_array(blocks_there)), sparse.kron(sparse.eye_array(edges_here), theirs.T)]
    )
    there = sparse.hstack(
        [-sparse.kron(sparse.eye_array(blocks_here), theirs), sparse.kron(mine.T, sparse.eye_array(edges_there))]
    )
    return sparse.csr_array(sparse.vstack([here, there]))


def _incidence(ends: Indices, blocks: int) -> sparse.csr_array:
    ones: NDArray[np.float64] = np.ones(len(ends))
    return sparse.csr_array((ones, (np.arange(len(ends)), ends)), shape=(len(ends), blocks))
