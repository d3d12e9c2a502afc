"""Measures how long it takes to build FlexiBERT graphs, fingerprint, encode and store them, in one process.

python scripts/bench_flexibert.py [--models 10000] [--seed 0] [--store]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer import registry
from explorer.learning import similarity
from gnn.inductive import InductiveEncoder
from graphdb import embedded
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=10_000, help="how many to sample of each space")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample")
    parser.add_argument("--store", action="store_true", help="write them into an embedded Neo4j of their own, too")
    given = parser.parse_args()
    encoder = trained() if given.store else None
    for name in ("flexibert", "flexibert2"):
        space, generator = registry.space(name), np.random.default_rng(given.seed)
        sampled, choices = timed(lambda s=space, g=generator: [s.sample(g) for _ in range(given.models)])
        built, models = timed(lambda s=space, c=choices: [s.graph_of(one) for one in c])
        hashed, _ = timed(lambda m=models: [one.fingerprint for one in m])
        blocks = float(np.mean([len(model.blocks) for model in models]))
        each = 1e3 / given.models
        print(
            f"{name}: {given.models} models of {blocks:.0f} blocks, each sampled in {sampled * each:.3f} ms, "
            f"built in {built * each:.3f} ms, fingerprinted in {hashed * each:.3f} ms"
        )
        if encoder is not None:
            encoded, vectors = timed(lambda e=encoder, m=models: e.embed(m))
            stored = store(models, vectors)
            print(
                f"{name}: encoded in {encoded:.1f} s, stored with their vectors in {stored:.1f} s; sampled, built, "
                f"fingerprinted, encoded and stored in {sampled + built + hashed + encoded + stored:.1f} s"
            )


def trained() -> InductiveEncoder:
    """The encoder of edit distances; it is trained once and then kept, so its training is not counted."""
    metric = registry.metric("transformer")
    assert metric is not None
    seconds, encoder = timed(lambda: similarity.train_encoder(metric, lambda phase: None))
    print(f"encoder of edit distances trained in {seconds:.1f} s (once)")
    return encoder


def store(models: list[Architecture], vectors: NDArray[np.float32]) -> float:
    """Seconds for writing the models and their vectors into an empty database that is running."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        embedded.start(directory)
        try:
            with open_store(Settings(data_directory=directory)) as opened:
                rows = {model.key: vector.tolist() for model, vector in zip(models, vectors, strict=True)}
                added = timed(lambda: opened.architectures.add(models))[0]
                return added + timed(lambda: opened.distances.write("bench", rows))[0]
        finally:
            embedded.stop(directory, timeout_s=0)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall time of one call, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
