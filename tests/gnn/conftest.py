"""Real graphs for the surrogates: published models of the early FlexiBERT space with their accuracies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.domains.transformer.measured import early_models
from gnn.network import SurrogateSettings
from gnn.surrogate import GraphSurrogate
from graphdb.architecture import Architecture

MEASURES = ("sst2_accuracy", "qnli_accuracy")

Measured = tuple[list[Architecture], dict[str, np.ndarray]]


@pytest.fixture(scope="session")
def measured() -> Measured:
    """150 models drawn at random, and two measures with values missing."""
    pairs = list(early_models())
    chosen = [pairs[i] for i in np.random.default_rng(0).permutation(len(pairs))[:150]]
    targets = {name: np.array([m.measures.get(name, np.nan) for _, m in chosen]) for name in MEASURES}
    return [architecture for architecture, _ in chosen], targets


@pytest.fixture(scope="session")
def small() -> SurrogateSettings:
    return SurrogateSettings(
        members=2, hidden=32, rounds=4, embedding=16, batch_size=32, steps=250, trees=40, tree_rate=0.1
    )


@pytest.fixture(scope="session")
def brief(small: SurrogateSettings) -> SurrogateSettings:
    """For what does not depend on how much was learnt."""
    return replace(small, hidden=16, rounds=2, steps=25, trees=10)


@pytest.fixture(scope="session")
def fitted(measured: Measured, small: SurrogateSettings) -> GraphSurrogate:
    """Fitted to the first 110 models."""
    models, targets = measured
    surrogate = GraphSurrogate(settings=small)
    return surrogate.fit(models[:110], {k: v[:110] for k, v in targets.items()}, np.random.default_rng(0))
