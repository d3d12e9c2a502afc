#!/usr/bin/env python3
"""Measures the surrogate of measured accuracies: k-fold cross-validation on the early FlexiBERT space.

    python scripts/bench_surrogates.py [--seeds 1] [--folds 10] [--only forest graph ...] [--members 4] [--steps 600]

The graph surrogate, the mean predictor, and ridge regression, Gaussian process, random forest and gradient boosting on
hand-made features see the same folds. These four are tuned on the training folds alone: by an inner cross-validation,
the Gaussian process by its likelihood. The folds divide all 818 models once a seed for both measures. For each measure:
R², once over all models and once as the mean over the folds, mean absolute error, Spearman correlation, share of the
values inside their 90 % interval where the predictor gives one, and time per fit. Needs scikit-learn (extra `test`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.preprocessing import StandardScaler

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


def tuned(search: Callable[[], Any], with_std: bool = False) -> Predictor:
    """A regressor of scikit-learn on standardised features and targets, tuned on the training fold alone.

    Args:
        search: makes what `fit` tunes and trains.
        with_std: whether its `predict` gives a standard deviation; without one the spread is NaN.
    """

    def predict(
        models: list[Architecture], targets: dict[str, Array], unseen: list[Architecture]
    ) -> tuple[Array, Array]:
        scaler = StandardScaler().fit(np.stack([features(m) for m in models]))
        seen, new = (scaler.transform(np.stack([features(m) for m in some])) for some in (models, unseen))
        means, stds = [], []
        for target in targets.values():
            known = ~np.isnan(target)
            centre, scale = target[known].mean(), target[known].std()
            fitted = search().fit(seen[known], (target[known] - centre) / scale)
            mean, std = fitted.predict(new, return_std=True) if with_std else (fitted.predict(new), np.nan)
            means.append(centre + scale * mean)
            stds.append(np.broadcast_to(scale * std, len(new)))
        return np.stack(means, axis=1), np.stack(stds, axis=1)

    return predict


def searched(regressor: Any, grid: dict[str, list[Any]]) -> Any:
    """The regressor with the values of the grid that are best in an inner cross-validation of three folds."""
    return GridSearchCV(regressor, grid, cv=KFold(3, shuffle=True, random_state=0))


def baselines() -> dict[str, Predictor]:
    """All predictors that see the hand-made features."""
    return {
        "mean": constant,
        "ridge": tuned(lambda: searched(Ridge(), {"alpha": [0.01, 0.1, 1.0, 10.0, 100.0]})),
        # Its hyperparameters, one length a feature included, maximise the likelihood of the training fold.
        "GP": tuned(lambda: GaussianProcessRegressor(_kernel(), random_state=0), with_std=True),
        "forest": tuned(
            lambda: searched(
                RandomForestRegressor(200, random_state=0), {"min_samples_leaf": [1, 3], "max_features": [0.33, 1.0]}
            )
        ),
        "boosting": tuned(
            lambda: searched(
                GradientBoostingRegressor(n_estimators=200, subsample=0.7, random_state=0),
                {"max_depth": [3, 5], "learning_rate": [0.03, 0.1]},
            )
        ),
    }


def _kernel() -> Any:
    lengths = np.ones(1 + 4 * LAYERS + 4)
    return ConstantKernel(1.0) * RBF(lengths, (0.1, 1e3)) + WhiteKernel(0.1, (1e-4, 1e1))


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
    inside = "-" if np.isnan(std).all() else f"{np.mean(np.abs(target - mean) <= 1.645 * std):.1%}"
    return (
        f"{name:<8} {len(target):>4} {r_squared(target, mean):>8.3f} {np.mean(by_fold):>8.3f} "
        f"{np.abs(target - mean).mean():>8.4f} {spearman:>8.3f} {inside:>7} {seconds:>8.2f}"
    )


def divided(size: int, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of every design, shape `(size,)`."""
    fold = np.empty(size, dtype=np.int64)
    fold[np.random.default_rng(seed).permutation(size)] = np.arange(size) % folds
    return fold


def main() -> None:
    """Runs the cross-validations and prints one table per measure and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    defaults = SurrogateSettings()
    parser.add_argument("--seeds", type=int, default=1, help="how many divisions into folds, from seed 0 on")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--only", nargs="+", default=[*baselines(), "graph"], choices=[*baselines(), "graph"])
    parser.add_argument("--members", type=int, default=defaults.members)
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--structural-weight", type=float, default=defaults.structural_weight)
    given = parser.parse_args()
    options = {k: v for k, v in vars(given).items() if k not in ("seeds", "folds", "only")}
    pairs = list(early_models())
    models = [architecture for architecture, _ in pairs]
    targets = {name: np.array([m.measures.get(name, np.nan) for _, m in pairs]) for name in MEASURES}
    for seed in range(given.seeds):
        fold = divided(len(models), given.folds, seed)
        known = {**baselines(), "graph": graph(SurrogateSettings(**options), seed)}
        predictors = {name: known[name] for name in given.only}
        print(f"seed {seed}")
        for measure, lines in validated(predictors, models, targets, fold).items():
            print(f"\n{measure}\n{HEADER}", *lines, sep="\n", flush=True)


def validated(
    predictors: dict[str, Predictor], models: list[Architecture], targets: dict[str, Array], fold: NDArray[np.int64]
) -> dict[str, list[str]]:
    """For each measure one line per predictor, each trained on all folds but the one it predicts."""
    tables: dict[str, list[str]] = {name: [] for name in targets}
    for name, predictor in predictors.items():
        mean, std = np.empty((2, len(models), len(targets)))
        start = time.perf_counter()
        for i in np.unique(fold):
            train, test = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
            seen = {measure: values[train] for measure, values in targets.items()}
            mean[test], std[test] = predictor([models[j] for j in train], seen, [models[j] for j in test])
        seconds = (time.perf_counter() - start) / len(np.unique(fold))
        print(f"{name}: {seconds:.2f} s wall per fold", flush=True)
        for column, measure in enumerate(targets):
            tables[measure].append(report(name, targets[measure], mean[:, column], std[:, column], fold, seconds))
    return tables


if __name__ == "__main__":
    main()
