#!/usr/bin/env python3
"""Measures the surrogate of measured accuracies: k-fold cross-validation on the early FlexiBERT space.

    scripts/bench surrogates [--seeds 1] [--folds 10] [--only forest default ...] [--members 4] [--steps 600]

Every predictor sees the same folds, which divide all 818 models once a seed for both measures. Ridge regression,
Gaussian process, random forest and gradient boosting see 21 features made by hand, those with a plus the widths of the
heads as well. They are tuned on the training folds alone: by an inner cross-validation of three folds, the Gaussian
process by its likelihood. `default` is our surrogate, `networks` the same without its trees.

For each measure: R², once over all held-out models and once as the mean over the folds, mean absolute error, Spearman
correlation, share of the values inside their 90 % interval where the predictor gives one, and time per fit. With
several seeds, a last line has the mean of these over the seeds. Needs scikit-learn (extra `test`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.preprocessing import StandardScaler

from explorer.domains.transformer.measured import early_models
from gnn.network import SurrogateSettings
from gnn.surrogate import GraphSurrogate
from graphdb.architecture import Architecture

Array = NDArray[np.float64]
Predictor = Callable[[list[Architecture], dict[str, Array], list[Architecture]], tuple[Array, Array]]

Features = Callable[[Architecture], Array]

MEASURES = ("sst2_accuracy", "qnli_accuracy")
LAYERS = 4
COLUMNS = ("R2", "foldR2", "MAE", "Spearman", "in 90%", "s/fit")
HEADER = f"{'predictor':<10} {'measure':<14} {'seed':>4} {'n':>4} " + " ".join(f"{name:>8}" for name in COLUMNS)


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


def wider_features(model: Architecture) -> Array:
    """`features`, and the log2 of the width of a head of every layer, and its mean."""
    known = features(model)
    layers, depth = known[1 : 1 + 4 * LAYERS].reshape(LAYERS, 4), int(known[0])
    head_widths = layers[:, 1] - layers[:, 0]
    return np.concatenate([known, head_widths, [head_widths[:depth].mean()]])


def tuned(see: Features, search: Callable[[], Any], with_std: bool = False) -> Predictor:
    """A regressor of scikit-learn on standardised features and targets, tuned on the training fold alone.

    Args:
        see: the features of a model.
        search: makes what `fit` tunes and trains.
        with_std: whether its `predict` gives a standard deviation; without one the spread is NaN.
    """

    def predict(
        models: list[Architecture], targets: dict[str, Array], unseen: list[Architecture]
    ) -> tuple[Array, Array]:
        scaler = StandardScaler().fit(np.stack([see(m) for m in models]))
        seen, new = (scaler.transform(np.stack([see(m) for m in some])) for some in (models, unseen))
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
    """All predictors that see features made by hand."""
    predictors: dict[str, Predictor] = {"mean": constant}
    for see, suffix in ((features, ""), (wider_features, "+")):
        predictors |= {f"{name}{suffix}": predictor for name, predictor in regressors(see).items()}
    return predictors


def regressors(see: Features) -> dict[str, Predictor]:
    """Those of scikit-learn, tuned."""
    return {
        "ridge": tuned(see, lambda: searched(Ridge(), {"alpha": [0.01, 0.1, 1.0, 10.0, 100.0]})),
        # Its hyperparameters, one length a feature included, maximise the likelihood of the training fold.
        "GP": tuned(see, lambda: GaussianProcessRegressor(_kernel(see), optimizer=few_steps), with_std=True),
        "forest": tuned(
            see,
            lambda: searched(
                RandomForestRegressor(200, random_state=0), {"min_samples_leaf": [1, 3], "max_features": [0.33, 1.0]}
            ),
        ),
        "boosting": tuned(
            see,
            lambda: searched(
                GradientBoostingRegressor(n_estimators=200, subsample=0.7, random_state=0),
                {"max_depth": [3, 5], "learning_rate": [0.03, 0.1]},
            ),
        ),
    }


def few_steps(objective: Any, start: Array, bounds: Array) -> tuple[Array, float]:
    """At most 60 steps of L-BFGS-B: the lengths of idle features drift on for hundreds, at 0.15 s each."""
    best = minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": 60})
    return best.x, best.fun


def _kernel(see: Features) -> Any:
    width = 1 + 4 * LAYERS + 4 + (LAYERS + 1 if see is wider_features else 0)
    # Standardised rows are about the root of twice their width apart: shorter first lengths would tell them all apart.
    return ConstantKernel(1.0) * Matern(np.full(width, np.sqrt(width)), (0.1, 1e3)) + WhiteKernel(0.1, (1e-4, 1e1))


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


def judged(target: Array, mean: Array, std: Array, fold: NDArray[np.int64]) -> list[float]:
    """The columns of the table but the last, for one measure and division into folds."""
    known = ~np.isnan(target)
    target, mean, std, fold = target[known], mean[known], std[known], fold[known]
    by_fold = [r_squared(target[fold == i], mean[fold == i]) for i in np.unique(fold)]
    with np.errstate(invalid="ignore"):
        spearman = np.corrcoef(ranks(target), ranks(mean))[0, 1]
    inside = np.nan if np.isnan(std).all() else np.mean(np.abs(target - mean) <= 1.645 * std)
    return [r_squared(target, mean), np.mean(by_fold), np.abs(target - mean).mean(), spearman, inside]


def line(name: str, measure: str, seed: str, values: Array, columns: list[float]) -> str:
    """One line of the table."""
    shown = [*(f"{value:>8.4f}" for value in columns[:-1]), f"{columns[-1]:>8.1f}"]
    return f"{name:<10} {measure:<14} {seed:>4} {np.sum(~np.isnan(values)):>4} " + " ".join(shown)


def divided(size: int, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of every design, shape `(size,)`."""
    fold = np.empty(size, dtype=np.int64)
    fold[np.random.default_rng(seed).permutation(size)] = np.arange(size) % folds
    return fold


def main() -> None:
    """Runs the cross-validations and prints each line of the table as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    defaults = SurrogateSettings()
    names = [*baselines(), "networks", "default"]
    parser.add_argument("--seeds", type=int, default=1, help="how many divisions into folds")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--only", nargs="+", default=names, choices=names)
    parser.add_argument("--members", type=int, default=defaults.members)
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--structural-weight", type=float, default=defaults.structural_weight)
    parser.add_argument("--trees", type=int, default=defaults.trees)
    given = parser.parse_args()
    settings = SurrogateSettings(**{k: v for k, v in vars(given).items() if k in defaults.to_json()})
    pairs = list(early_models())
    models = [architecture for architecture, _ in pairs]
    targets = {name: np.array([m.measures.get(name, np.nan) for _, m in pairs]) for name in MEASURES}
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    print(HEADER, flush=True)
    for name in given.only:
        tables: dict[str, list[list[float]]] = {measure: [] for measure in targets}
        for seed in seeds:
            ours = {"networks": graph(replace(settings, trees=0), seed), "default": graph(settings, seed)}
            predictor = {**baselines(), **ours}[name]
            for measure, columns in validated(predictor, models, targets, divided(len(models), given.folds, seed)):
                tables[measure].append(columns)
                print(line(name, measure, str(seed), targets[measure], columns), flush=True)
        for measure, rows in tables.items():
            print(line(name, measure, "mean", targets[measure], np.mean(rows, axis=0).tolist()), flush=True)


def validated(
    predictor: Predictor, models: list[Architecture], targets: dict[str, Array], fold: NDArray[np.int64]
) -> Iterator[tuple[str, list[float]]]:
    """Each measure and the columns of the table, from a fit on all folds but one for each fold."""
    mean, std = np.empty((2, len(models), len(targets)))
    start = time.perf_counter()
    for i in np.unique(fold):
        train, test = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
        seen = {measure: values[train] for measure, values in targets.items()}
        mean[test], std[test] = predictor([models[j] for j in train], seen, [models[j] for j in test])
    seconds = (time.perf_counter() - start) / len(np.unique(fold))
    for column, (measure, values) in enumerate(targets.items()):
        yield measure, [*judged(values, mean[:, column], std[:, column], fold), seconds]


if __name__ == "__main__":
    main()
