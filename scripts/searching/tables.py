"""Tasks among designs that were all measured, and synthetic cells: the optimum of every one of them is known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from explorer.contracts.goal import Goal, Output
from explorer.contracts.optimiser import Candidates, Inputs, Outcome, Vector, VectorCandidates
from explorer.domains.cnn.nasbench.cells import EDGES, NONE, OPERATIONS
from explorer.domains.cnn.nasbench.options import Device
from explorer.domains.cnn.nasbench.tables import cell_accuracies, cell_latencies_s, macro_accuracies
from explorer.domains.transformer.measured import early_models
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.recipes.nasbench.candidates import candidates as trained
from explorer.search.space_candidates import GraphCandidates
from graphdb.architecture import Architecture
from scripts.searching.cells import Cells, Scorer
from scripts.searching.problem import Flat, Labelled, RowCandidates, Task

Place = Callable[[Inputs], int]
"""Design -> its row of a table."""

DEVICES = {"phone": Device.PIXEL_3, "gpu": Device.GTX_1080_TI_BATCH_1, "cpu": Device.XEON_GOLD_6240}
LEAST_ACCURACY = 0.8
"""Networks below add nothing to the hypervolume of accuracy and latency."""


def cell_graph(design: Inputs) -> Labelled:
    """NAS-Bench-201: a node for each operation that is not none, joined to those that read its result."""
    (row,) = design
    operations = [OPERATIONS[int(value)] for value in row]
    used = [(edge, name) for edge, name in zip(EDGES, operations, strict=True) if name != NONE]
    labels = ["input", *(name for _, name in used), "output"]
    edges = [(0, 1 + i) for i, ((start, _), _) in enumerate(used) if start == 0]
    edges += [(1 + i, len(labels) - 1) for i, ((_, end), _) in enumerate(used) if end == EDGES[-1][1]]
    edges += [
        (1 + i, 1 + j)
        for (i, ((_, end), _)), (j, ((start, _), _)) in itertools.permutations(list(enumerate(used)), 2)
        if end == start
    ]
    return labels, edges


def chain_graph(design: Inputs) -> Labelled:
    """NAS-Bench-Macro: the layers in a row."""
    (row,) = design
    labels = ["input", *(str(int(value)) for value in row), "output"]
    return labels, list(itertools.pairwise(range(len(labels))))


def block_graph(design: Architecture) -> Labelled:
    """The operations of a graph."""
    return [block.kind for block in design.blocks], [(edge.source, edge.target) for edge in design.edges]


def of_indices(radices: Sequence[int]) -> Place:
    """The place of a vector of indices, the last of which changes fastest."""
    return lambda design: int(np.ravel_multi_index(tuple(design[0].astype(np.intp)), tuple(radices)))


def table_task(
    name: str,
    candidates: VectorCandidates,
    place: Place,
    columns: dict[str, NDArray[np.float64]],
    rest: dict[str, Any],
) -> Task[Inputs]:
    """A task whose outcomes stand in a table.

    Args:
        name: its name.
        candidates: the designs.
        place: the row of a design.
        columns: output -> the value of each row, larger is better.
        rest: fields of the task.
    """
    table = np.column_stack(list(columns.values()))

    def evaluate(design: Inputs) -> Outcome:
        values = tuple(float(value) for value in table[place(design)])
        return Outcome(values, (), values)

    goal = Goal(tuple(map(Output, columns)), np.eye(len(columns)), np.zeros(len(columns)))
    return Task(name=name, candidates=candidates, evaluate=evaluate, flat=_flat(candidates), goal=goal, **rest)


def _flat(candidates: VectorCandidates) -> Flat[Inputs]:
    ((low, _),) = candidates.bounds()
    entries = tuple(candidates.entries)[: len(low)]  # what follows is derived from these

    def decode(row: Vector) -> Inputs:
        return candidates.snap([(row,)])[0]

    return Flat(entries, decode)


@cache
def flexibert(name: str, measure: str, batch: int) -> Task[Inputs]:
    """The early FlexiBERT models with a measured value; their descriptions know only decisions.

    Args:
        name: of the task.
        measure: the accuracy.
        batch: designs that are chosen together.
    """
    space = EarlyFlexiBertSpace()
    pairs = [(model, one.measures[measure]) for model, one in early_models() if measure in one.measures]
    candidates = RowCandidates(space.entries, np.stack([space.describe(model.choices) for model, _ in pairs]))
    values = np.array([value for _, value in pairs])
    rest = {"budget": 60, "seeds": 20, "batch": batch, "marks": (10, 20, 30, 40, 60), "optimum": float(values.max())}
    return table_task(name, candidates, candidates.place, {"accuracy": values}, rest)


@cache
def networks(name: str, space: str) -> Task[Inputs]:
    """The most accurate network of NAS-Bench-201 (one training) or NAS-Bench-Macro (mean of three).

    Args:
        name: of the task.
        space: nasbench201 or nasbench_macro.
    """
    cells = space == "nasbench201"
    candidates = trained(space)
    values = cell_accuracies()[:, 0] if cells else macro_accuracies().mean(axis=1)
    rest = {"budget": 150, "seeds": 50, "batch": 1, "marks": (25, 50, 100, 150), "optimum": float(values.max())}
    rest["graph"] = cell_graph if cells else chain_graph
    return table_task(name, candidates, _place(candidates), {"accuracy": values}, rest)


@cache
def accuracy_and_latency(name: str, device: str) -> Task[Inputs]:
    """NAS-Bench-201's accuracy, above 0.8, and latency, below 1.1 times the slowest of the front.

    Args:
        name: of the task.
        device: one of `DEVICES`.
    """
    candidates = trained("nasbench201")
    accuracy, latency = cell_accuracies()[:, 0], 1000 * cell_latencies_s(DEVICES[device])
    losses = np.column_stack([-accuracy, latency])[accuracy > LEAST_ACCURACY]
    front = losses[moocore.is_nondominated(losses)]
    slowest = 1.1 * float(front[:, 1].max())
    rest: dict[str, Any] = {"budget": 100, "seeds": 20, "batch": 1, "marks": (20, 40, 60, 100), "graph": cell_graph}
    rest |= {
        "reference": (LEAST_ACCURACY, -slowest),
        "optimum": float(moocore.hypervolume(front, ref=[-LEAST_ACCURACY, slowest])),
    }
    columns = {"accuracy": accuracy, "minus latency in ms": -latency}
    return table_task(name, candidates, _place(candidates), columns, rest)


def _place(candidates: VectorCandidates) -> Place:
    ((_, high),) = candidates.bounds()
    return of_indices([int(most) + 1 for most in high])


def cells(name: str, instance: int) -> Task[Architecture]:
    """The best synthetic cell of an instance.

    Args:
        name: of the task.
        instance: the landscape.
    """
    space, scorer = Cells(), Scorer(instance)
    low, high = space.bounds
    entries = [
        Entry(f"x{i}", Nature.CATEGORICAL if i else Nature.ORDERED, float(a), float(b))
        for i, (a, b) in enumerate(zip(low, high, strict=True))
    ]

    def evaluate(design: Architecture) -> Outcome:
        value = scorer(design)
        return Outcome((value,), (), (value,))

    def decode(row: Vector) -> Architecture:
        return space.graph_of(space.from_vector(row))

    return Task(
        name=name,
        candidates=cast(Candidates[Architecture], GraphCandidates(space)),
        evaluate=evaluate,
        flat=Flat(tuple(entries), decode),
        budget=150,
        seeds=20,
        batch=1,
        marks=(25, 50, 100, 150),
        goal=Goal.plain(1),
        optimum=1.0,
        graph=block_graph,
    )
