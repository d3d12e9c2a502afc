"""The nine tasks of GLUE: their text, their metrics, and the score over all of them.

The measures of the domain are derived from this table, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphdb.errors import InputError

DATA_SET = "nyu-mll/glue"


@dataclass(frozen=True, slots=True)
class GlueTask:
    """A task of GLUE.

    Attributes:
        columns: column of the first text, and of the second if there is one.
        metrics: metrics whose mean is the score of the task.
        validation: name of a validation set -> split of the data set.
    """

    columns: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy",)
    validation: tuple[tuple[str, str], ...] = (("", "validation"),)


TASKS: Mapping[str, GlueTask] = {
    "cola": GlueTask(("sentence",), ("matthews",)),
    "sst2": GlueTask(("sentence",)),
    "mrpc": GlueTask(("sentence1", "sentence2"), ("accuracy", "f1")),
    "stsb": GlueTask(("sentence1", "sentence2"), ("pearson", "spearman")),
    "qqp": GlueTask(("question1", "question2"), ("accuracy", "f1")),
    "mnli": GlueTask(
        ("premise", "hypothesis"),
        validation=(("", "validation_matched"), ("mismatched_", "validation_mismatched")),
    ),
    "qnli": GlueTask(("question", "sentence")),
    "rte": GlueTask(("sentence1", "sentence2")),
    "wnli": GlueTask(("sentence1", "sentence2")),
}
"""Name -> task (Wang et al., 2019). MNLI's score is that of the matched set."""


def glue_task(name: str) -> GlueTask:
    """A task by name.

    Raises:
        InputError: there is no task with that name.
    """
    if name not in TASKS:
        raise InputError(f"There is no GLUE task {name[:100]!r}; allowed: {', '.join(TASKS)}.")
    return TASKS[name]


def glue_score(measures: Mapping[str, float]) -> float:
    """The mean of the scores of all nine tasks, from measures such as `sst2_accuracy` and `stsb_pearson`.

    CoLA counts by Matthews correlation, STS-B by the mean of both correlations, MRPC and QQP by the mean of accuracy
    and F1, the others by accuracy: the score that the published search optimised.

    Raises:
        InputError: a measure is missing.
    """
    scores = []
    for name, task in TASKS.items():
        wanted = [f"{name}_{metric}" for metric in task.metrics]
        missing = [measure for measure in wanted if measure not in measures]
        if missing:
            raise InputError(f"The GLUE score needs {', '.join(missing)}, which was not measured.")
        scores.append(sum(measures[measure] for measure in wanted) / len(wanted))
    return sum(scores) / len(scores)
