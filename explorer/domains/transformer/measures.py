"""All measures of Transformers, from published data and from training."""

from __future__ import annotations

from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.domains.transformer.multiplications import LENGTH
from explorer.domains.transformer.training.glue import TASKS

_MAXIMISE, _MINIMISE = Direction.MAXIMISE, Direction.MINIMISE

_TITLES = {
    "cola": "CoLA",
    "sst2": "SST-2",
    "mrpc": "MRPC",
    "stsb": "STS-B",
    "qqp": "QQP",
    "mnli": "MNLI",
    "qnli": "QNLI",
    "rte": "RTE",
    "wnli": "WNLI",
}
"""Task -> its usual name."""

_METRICS = {
    "accuracy": ("accuracy", "%", "share of texts that are classified correctly"),
    "f1": ("F1", "%", "harmonic mean of precision and recall of class 1"),
    "matthews": ("Matthews correlation", "", "correlation of predicted and true classes, -1 to 1"),
    "pearson": ("Pearson correlation", "", "linear correlation of predicted and true scores, -1 to 1"),
    "spearman": ("Spearman correlation", "", "correlation of the ranks of predicted and true scores, -1 to 1"),
}
"""Metric -> label, unit and description."""


def _measured(metric: str, name: str = "", title: str = "") -> Measure:
    """The measure for a metric.

    Args:
        metric: name of the metric.
        name: name of the task and its validation set, with a trailing underscore; empty for a user's own data.
        title: readable form of `name`, with a trailing space.
    """
    label, unit, description = _METRICS[metric]
    return Measure(f"{name}{metric}", f"{title}{label}", unit, _MAXIMISE, description=description)


QNLI_ACCURACY = _measured("accuracy", "qnli_", "QNLI ")
SST2_ACCURACY = _measured("accuracy", "sst2_", "SST-2 ")
GLUE = Measure("glue", "GLUE score", "%", _MAXIMISE, description="mean of the scores of all nine tasks of GLUE")
MLM_LOSS = Measure(
    "mlm_loss",
    "masked-language-model loss",
    "nat",
    _MINIMISE,
    description="mean cross-entropy of the masked tokens of held-out text",
)
MLM_ACCURACY = Measure(
    "mlm_accuracy",
    "masked-language-model accuracy",
    "%",
    _MAXIMISE,
    description="share of the masked tokens of held-out text that are predicted correctly",
)
PARAMETERS = Measure(
    "parameters",
    "parameters",
    "",
    _MINIMISE,
    logarithmic=True,
    whole=True,
    description="trainable weights of encoder, embeddings and pooler, for RoBERTa's vocabulary",
)
MULTIPLICATIONS = Measure(
    "multiplications",
    f"multiplications for {LENGTH} tokens",
    "",
    _MINIMISE,
    logarithmic=True,
    whole=True,
    description=f"multiplications of products of matrices, and of convolutions, for one sequence of {LENGTH} tokens",
)

MEASURES = catalogue(
    [_measured(metric) for metric in ("accuracy", "pearson", "spearman")],
    QNLI_ACCURACY,
    SST2_ACCURACY,
    GLUE,
    MLM_LOSS,
    MLM_ACCURACY,
    PARAMETERS,
    MULTIPLICATIONS,
    [
        _measured(metric, f"{task}_{split}", f"{_TITLES[task]} {split.replace('_', ' ')}")
        for task, about in TASKS.items()
        for split, _ in about.validation
        for metric in about.metrics
        if f"{task}_{split}{metric}" not in (QNLI_ACCURACY.name, SST2_ACCURACY.name)
    ],
)
"""Name -> measure. Accuracies are stored as values from 0 to 1, and shown in percent."""
