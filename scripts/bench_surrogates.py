#!/usr/bin/env python3
"""Measures the surrogate of measured accuracies: k-fold cross-validation on the early FlexiBERT space.

    python scripts/bench_surrogates.py [--seed 0] [--folds 10] [--members 4] [--steps 600]

The graph surrogate, a ridge regression on hand-made features (its penalty chosen by generalised cross-validation on the
training folds) and the mean predictor see the same folds. The folds divide all 818 models once for both measures. For
each measure: R², once over all models and once as the mean over the folds, mean absolute error, Spearman correlation,
share of the values inside their 90 % interval, and time per fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from explorer.domains.transformer.measured import early_models
from gnn.network import SurrogateSettings
from gnn.surrogate import GraphSurrogate
from graphdb.architecture import Architecture

Array = NDArray[np.float64]
Predictor = Callable[[list[Architecture], dict[str, Array], list[Architecture]], tuple[Array, Array]]

MEASURES = ("sst2_accuracy", "qnli_accuracy")
LAYERS = 4
HEADER = f"{'':<8} {'n':>4} {'R2':>8} {'foldR2':>8} {'MAE':>8} {'Spearman':>8} {'in 90%':>7} {'s/fit':>8}"


def features(model: Architecture) -> Array:
    """Depth; per layer log2 of heads, of width and of feed-forward width, and similarity; their four means."""
    choices = model.choices
    rows = np.array(
        [
            [np.log2(len(heads)), np.log2(width), "wma" in heads[0], np.log2(forward[0])]
            for heads, width, forward in zip(choices["o"], choices["h"], choices["f"], strict=True)
        ],
        dtype=np.float64,
    )
    padded = np.zeros((LAYERS, 4))
    padded[: len(rows)] = rows
    return np.concatenate([[len(rows)], padded.ravel(), rows.mean(axis=0)])


def ridge(models: list[Architecture], targets: dict[str, Array], unseen: list[Architecture]) -> tuple[Array, Array]:
    """Closed form on standardised features; the spread is that of the residuals, corrected for degrees of freedom."""
    seen, new = np.stack([features(m) for m in models]), np.stack([features(m) for m in unseen])
    mean, scale = seen.mean(axis=0), np.where(seen.std(axis=0) > 0, seen.std(axis=0), 1.0)
    seen, new = (seen - mean) / scale, (new - mean) / scale
    columns = [_ridge_one(seen[~np.isnan(t)], t[~np.isnan(t)], new) for t in targets.values()]
    means, stds = zip(*columns, strict=True)
    return np.stack(means, axis=1), np.stack(stds, axis=1)


def _ridge_one(seen: Array, target: Array, new: Array) -> tuple[Array, Array]:
    left, singular, right = np.linalg.svd(seen, full_matrices=False)
    projected, centre, best = left.T @ (target - target.mean()), target.mean(), (np.inf, 0.0, 1.0)
    for penalty in 10.0 ** np.arange(-3, 4, 0.5):
        shrunk = singular**2 / (singular**2 + penalty)
        residual = target - centre - left @ (shrunk * projected)
        freedom = len(target) - 1 - shrunk.sum()
        best = min(best, (float((residual**2).sum() / freedom**2), penalty, float((residual**2).sum() / freedom)))
    _, penalty, variance = best
    mean = centre + new @ right.T @ (singular / (singular**2 + penalty) * projected)
    return mean, np.full(len(new), np.sqrt(variance))


def constant(models: list[Architecture], targets: dict[str, Array], unseen: list[Architecture]) -> tuple[Array, Array]:
    """The mean and the standard deviation of the training values."""
    del models
    means = np.array([[np.nanmean(t) for t in targets.values()]]).repeat(len(unseen), axis=0)
    stds = np.array([[np.nanstd(t) for t in targets.values()]]).repeat(len(unseen), axis=0)
    return means, stds


def graph(settings: SurrogateSettings, seed: int) -> Predictor:
    """The graph surrogate with these settings."""

    def predict(
        models: list[Architecture], targets: dict[str, Array], unseen: list[Architecture]
    ) -> tuple[Array, Array]:
        surrogate = GraphSurrogate(settings=settings).fit(models, targets, np.random.default_rng(seed))
        prediction = surrogate.predict(unseen)
        return prediction.mean, prediction.std

    return predict


def ranks(values: Array) -> Array:
    """Ranks, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def r_squared(target: Array, mean: Array) -> float:
    """Coefficient of determination."""
    return float(1 - np.square(target - mean).sum() / np.square(target - target.mean()).sum())


def report(name: str, target: Array, mean: Array, std: Array, fold: NDArray[np.int64], seconds: float) -> str:
    """One line of the table for one measure."""
    known = ~np.isnan(target)
    target, mean, std, fold = target[known], mean[known], std[known], fold[known]
    by_fold = [r_squared(target[fold == i], mean[fold == i]) for i in np.unique(fold)]
    with np.errstate(invalid="ignore"):
        spearman = np.corrcoef(ranks(target), ranks(mean))[0, 1]
    inside = np.mean(np.abs(target - mean) <= 1.645 * std)
    return (
        f"{name:<8} {len(target):>4} {r_squared(target, mean):>8.3f} {np.mean(by_fold):>8.3f} "
        f"{np.abs(target - mean).mean():>8.4f} {spearman:>8.3f} {inside:>7.1%} {seconds:>8.2f}"
    )


def main() -> None:
    """Runs the cross-validation and prints one table per measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    defaults = SurrogateSettings()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--members", type=int, default=defaults.members)
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--structural-weight", type=float, default=defaults.structural_weight)
    given = parser.parse_args()
    options = {k: v for k, v in vars(given).items() if k not in ("seed", "folds")}
    pairs = list(early_models())
    models = [architecture for architecture, _ in pairs]
    targets = {name: np.array([m.measures.get(name, np.nan) for _, m in pairs]) for name in MEASURES}
    fold = np.empty(len(models), dtype=np.int64)
    fold[np.random.default_rng(given.seed).permutation(len(models))] = np.arange(len(models)) % given.folds
    predictors: dict[str, Predictor] = {
        "mean": constant,
        "ridge": ridge,
        "graph": graph(SurrogateSettings(**options), given.seed),
    }
    tables: dict[str, list[str]] = {name: [] for name in MEASURES}
    for name, predictor in predictors.items():
        mean, std = np.empty((2, len(models), len(MEASURES)))
        start, cpu = time.perf_counter(), time.process_time()
        for i in range(given.folds):
            train, test = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
            seen = {measure: values[train] for measure, values in targets.items()}
            mean[test], std[test] = predictor([models[j] for j in train], seen, [models[j] for j in test])
        seconds = (time.perf_counter() - start) / given.folds
        print(
            f"{name}: {seconds:.2f} s wall, {(time.process_time() - cpu) / given.folds:.2f} s CPU per fold", flush=True
        )
        for column, measure in enumerate(MEASURES):
            tables[measure].append(report(name, targets[measure], mean[:, column], std[:, column], fold, seconds))
    for measure, lines in tables.items():
        print(f"\n{measure}\n{HEADER}", *lines, sep="\n")


if __name__ == "__main__":
    main()
