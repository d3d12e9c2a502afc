"""The metrics of GLUE: agreement of predictions with labels. Undefined metrics are 0, as in scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def accuracy(predicted: Values, true: Values) -> float:
    """Share of equal values."""
    return float(np.mean(predicted == true))


def f1(predicted: Values, true: Values) -> float:
    """Harmonic mean of precision and recall of class 1; 0 where neither is defined."""
    hits = np.sum((predicted == 1) & (true == 1))
    named = np.sum(predicted == 1) + np.sum(true == 1)
    return float(2 * hits / named) if named else 0.0


def matthews(predicted: Values, true: Values) -> float:
    """Matthews correlation of any number of classes (Gorodkin, 2004), -1 to 1; 0 where it is undefined."""
    classes = np.unique(np.concatenate([predicted, true]))
    one_hot = [(values[:, None] == classes).astype(np.float64) for values in (predicted, true)]
    centred = [values - values.mean(axis=0) for values in one_hot]
    scale = np.sqrt(np.sum(centred[0] ** 2) * np.sum(centred[1] ** 2))
    return float(np.sum(centred[0] * centred[1]) / scale) if scale else 0.0


def pearson(predicted: Values, true: Values) -> float:
    """Linear correlation, -1 to 1; 0 where one side is constant."""
    left, right = predicted - predicted.mean(), true - true.mean()
    scale = np.sqrt(np.sum(left**2) * np.sum(right**2))
    return float(np.sum(left * right) / scale) if scale else 0.0


def spearman(predicted: Values, true: Values) -> float:
    """Correlation of the ranks, -1 to 1; equal values share their mean rank."""
    return pearson(_ranks(predicted), _ranks(true))


def _ranks(values: Values) -> Values:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Values = (last - (counts - 1) / 2)[inverse]
    return ranks


METRICS: Mapping[str, Callable[[Values, Values], float]] = {
    "accuracy": accuracy,
    "f1": f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
}
