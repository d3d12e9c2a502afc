"""GLUE's measures, held against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from explorer.domains.transformer.training.glue import TASKS, glue_score
from explorer.domains.transformer.training.metrics import METRICS
from graphdb.errors import InputError


@pytest.mark.parametrize("seed", range(5))
def test_classes_as_in_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    predicted, true = (generator.integers(0, 2, 50).astype(float) for _ in range(2))
    assert METRICS["f1"](predicted, true) == pytest.approx(sklearn_metrics.f1_score(true, predicted))
    assert METRICS["accuracy"](predicted, true) == pytest.approx(sklearn_metrics.accuracy_score(true, predicted))
    for classes in (2, 4):
        predicted, true = (generator.integers(0, classes, 50).astype(float) for _ in range(2))
        assert METRICS["matthews"](predicted, true) == pytest.approx(sklearn_metrics.matthews_corrcoef(true, predicted))


@pytest.mark.parametrize("seed", range(5))
def test_scores_as_in_scipy(seed: int) -> None:
    generator = np.random.default_rng(seed)
    predicted = generator.normal(size=40).round(1)  # with ties
    true = (predicted + generator.normal(size=40)).round(0)
    assert METRICS["pearson"](predicted, true) == pytest.approx(stats.pearsonr(predicted, true)[0])
    assert METRICS["spearman"](predicted, true) == pytest.approx(stats.spearmanr(predicted, true)[0])


def test_what_is_undefined_counts_as_zero() -> None:
    zeros, steps = np.zeros(4), np.arange(4.0)
    assert METRICS["f1"](zeros, zeros) == METRICS["matthews"](zeros, zeros) == 0
    assert METRICS["pearson"](zeros, steps) == METRICS["spearman"](steps, zeros) == 0


def test_the_score_is_the_mean_of_nine_tasks() -> None:
    assert len(TASKS) == 9
    measures = {f"{name}_{metric}": 0.5 for name, task in TASKS.items() for metric in task.metrics}
    assert glue_score(measures) == pytest.approx(0.5)
    assert glue_score(measures | {"stsb_pearson": 0.7, "cola_matthews": 0.41}) == pytest.approx(0.5 + (0.1 - 0.09) / 9)
    with pytest.raises(InputError, match="needs rte_accuracy"):
        glue_score({name: value for name, value in measures.items() if name != "rte_accuracy"})
