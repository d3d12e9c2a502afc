"""Tasks among networks that were all trained beforehand: NAS-Bench-201, NAS-Bench-Macro and early FlexiBERT models."""

from __future__ import annotations

import csv
import gzip
import itertools
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from explorer.contracts.goal import Goal, Output
from explorer.contracts.optimiser import Inputs, Outcome, Vector
from explorer.domains.transformer.measured import early_models
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from scripts.searching.problem import Flat, Labelled, RowCandidates, Task

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
DEVICES = {"phone": "pixel3_latency_ms", "gpu": "1080ti_1_latency_ms", "cpu": "gold_6240_latency_ms"}
LEAST_ACCURACY = 80.0
"""Percent; networks below add nothing to the hypervolume of accuracy and latency."""


def folder() -> Path:
    """The folder of the tables."""
    return Path(os.environ["NASBENCH"])


@cache
def nasbench201() -> tuple[RowCandidates, NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """All cells, the CIFAR-10 accuracy of each in percent, and device -> its latency in ms."""
    with (folder() / "nasbench201_cifar10.csv").open(encoding="utf-8") as lines:
        read = list(csv.DictReader(lines))
    rows = np.array([_edges(row["architecture"]) for row in read], dtype=np.float64)
    accuracy = np.array([float(row["cifar10_accuracy"]) for row in read])
    with gzip.open(folder() / "nasbench201_latency.csv.gz", "rt", encoding="utf-8") as lines:
        latencies = {int(row["index"]): row for row in csv.DictReader(lines)}
    costs = {
        device: np.array([float(latencies[int(row["index"])][column]) for row in read])
        for device, column in DEVICES.items()
    }
    entries = [Entry(f"edge {a} to {b}", Nature.CATEGORICAL, 0, len(OPERATIONS) - 1) for a, b in EDGES]
    return RowCandidates(entries, rows), accuracy, costs


def _edges(text: str) -> list[int]:
    operations = [part.split("~")[0] for part in text.replace("+", "").split("|") if part]
    return [OPERATIONS.index(operation) for operation in operations]


def cell_graph(design: Inputs) -> Labelled:
    """A node for each operation that does anything, joined to those that read its result."""
    (row,) = design
    used = [(edge, OPERATIONS[int(value)]) for edge, value in zip(EDGES, row, strict=True) if value != 0]
    labels = ["input", *(operation for _, operation in used), "output"]
    last = len(labels) - 1
    edges = [(0, 1 + i) for i, ((start, _), _) in enumerate(used) if start == 0]
    edges += [(1 + i, last) for i, ((_, end), _) in enumerate(used) if end == 3]
    edges += [
        (1 + i, 1 + j)
        for (i, ((_, end), _)), (j, ((start, _), _)) in itertools.permutations(list(enumerate(used)), 2)
        if end == start
    ]
    return labels, edges


def chain_graph(design: Inputs) -> Labelled:
    """The layers in a row."""
    (row,) = design
    labels = ["input", *(str(int(value)) for value in row), "output"]
    return labels, [(i, i + 1) for i in range(len(labels) - 1)]


@cache
def nasbench_macro() -> tuple[RowCandidates, NDArray[np.float64]]:
    """All networks of eight layers, and the mean CIFAR-10 accuracy of three trainings of each in percent."""
    with (folder() / "nasbench_macro_cifar10.csv").open(encoding="utf-8") as lines:
        read = list(csv.DictReader(lines))
    rows = np.array([[int(digit) for digit in row["architecture"]] for row in read], dtype=np.float64)
    accuracy = np.array([np.mean([float(row[f"accuracy_{i}"]) for i in (1, 2, 3)]) for row in read])
    entries = [Entry(f"layer {i + 1}", Nature.CATEGORICAL, 0, 2) for i in range(rows.shape[1])]
    return RowCandidates(entries, rows), accuracy


@cache
def flexibert(measure: str) -> tuple[RowCandidates, NDArray[np.float64]]:
    """The early FlexiBERT models with a measured value, and the values; their descriptions know only decisions."""
    space = EarlyFlexiBertSpace()
    pairs = [(model, found.measures[measure]) for model, found in early_models() if measure in found.measures]
    rows = np.stack([space.describe(model.choices) for model, _ in pairs])
    return RowCandidates(space.entries, rows), np.array([value for _, value in pairs])


def table_task(
    name: str, candidates: RowCandidates, columns: Sequence[NDArray[np.float64]], names: Sequence[str], **rest: object
) -> Task[Inputs]:
    """A task whose outcomes stand in a table.

    Args:
        name: its name.
        candidates: the designs.
        columns: a value of each design for each objective, larger is better.
        names: the names of the objectives.
        rest: fields of the task.
    """
    table = np.column_stack(columns)

    def evaluate(design: Inputs) -> Outcome:
        values = tuple(float(value) for value in table[candidates.place(design)])
        return Outcome(values, (), values)

    goal = Goal(tuple(map(Output, names)), np.eye(len(names)), np.zeros(len(names)))
    return Task(name=name, candidates=candidates, evaluate=evaluate, flat=_flat(candidates), goal=goal, **rest)  # type: ignore[arg-type]


def _flat(candidates: RowCandidates) -> Flat[Inputs]:
    def decode(row: Vector) -> Inputs:
        (design,) = candidates.snap([(row,)])
        return design

    return Flat(tuple(candidates.entries), decode)


def best_of(name: str, candidates: RowCandidates, values: NDArray[np.float64], **rest: object) -> Task[Inputs]:
    """The search for the row of largest value."""
    return table_task(name, candidates, [values], ["accuracy"], optimum=float(values.max()), **rest)


def accuracy_and_latency(device: str, **rest: object) -> Task[Inputs]:
    """NAS-Bench-201's accuracy in percent, above 80, and minus the latency in ms, above the slowest of the front."""
    candidates, accuracy, costs = nasbench201()
    useful = accuracy > LEAST_ACCURACY
    losses = np.column_stack([-accuracy, costs[device]])
    front = losses[useful][moocore.is_nondominated(losses[useful])]
    reference = (LEAST_ACCURACY, -1.1 * float(front[:, 1].max()))
    limit = float(moocore.hypervolume(front, ref=[-reference[0], -reference[1]]))
    return table_task(
        f"nasbench201-{device}",
        candidates,
        [accuracy, -costs[device]],
        ["accuracy", "minus_latency"],
        optimum=limit,
        reference=reference,
        graph=cell_graph,
        **rest,
    )
