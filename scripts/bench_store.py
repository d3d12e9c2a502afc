#!/usr/bin/env python3
"""Measures the store: cold start and memory, bulk load against a bare UNWIND ... CREATE, and reading graphs back.

    python scripts/bench_store.py [--architectures 10000] [--read 1000]

It runs on an embedded server of its own in a temporary directory, with designs of the FlexiBERT 2.0 space where that
space can be imported, else with synthetic ones of the same size (about 100 blocks and 200 edges).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from graphdb import embedded
from graphdb.architecture import Architecture, Block, Edge
from graphdb.connection import connect, open_store
from graphdb.database import Database
from graphdb.errors import InputError
from graphdb.settings import Settings
from graphdb.store import Store, rows

BARE_CREATE: Final = """
UNWIND $rows AS row
CREATE (a:Bare)
SET a = row.properties
WITH a, row
CALL (a, row) {
  UNWIND row.blocks AS properties
  CREATE (a)-[:BARE_HAS]->(b:BareBlock)
  SET b = properties
  RETURN collect(b) AS blocks
}
UNWIND row.edges AS edge
WITH blocks[edge[0]] AS source, blocks[edge[1]] AS target, edge[2] AS properties
CREATE (source)-[f:BARE_FEEDS]->(target)
SET f = properties
"""
_BARE_ELEMENTS = 20_000


def synthetic(rng: np.random.Generator) -> Architecture:
    """A Transformer-like design: 12 layers of heads and feed-forward blocks with residual edges."""
    kinds = ("attention_head", "linear", "activation", "add_norm")
    blocks = [
        Block(kinds[i % 4], {"layer": i // 8, "hidden_size": int(rng.choice((128, 256))), "dropout": 0.1})
        for i in range(100)
    ]
    edges = [Edge(i, i + step) for step in (1, 2, 3) for i in range(100 - step)][:200]
    choices = {"layers": [int(x) for x in rng.integers(0, 2**31, size=12)], "hidden": int(rng.choice((128, 256)))}
    return Architecture.of("transformer", "synthetic", choices, blocks, edges)


def generator() -> tuple[str, Callable[[np.random.Generator], Architecture]]:
    """The FlexiBERT 2.0 space where it exists, else synthetic designs."""
    try:
        from explorer import registry

        space = registry.space("flexibert2")
    except (ImportError, InputError):
        return "synthetic", synthetic
    return "FlexiBERT 2.0", lambda rng: space.build(space.sample(rng))


def elements(architecture: Architecture) -> int:
    """Nodes and relationships that an architecture takes."""
    return 1 + 2 * len(architecture.blocks) + len(architecture.edges)


def load_bare(database: Database, architectures: list[Architecture]) -> float:
    """Create the same nodes and relationships without keys, constraints or look-ups; the seconds that it takes."""
    start = time.perf_counter()
    batch: list[rows.Row] = []
    size = 0
    for architecture in architectures:
        batch.append(rows.architecture_row(architecture))
        size += elements(architecture)
        if size >= _BARE_ELEMENTS:
            database.write(BARE_CREATE, rows=batch)
            batch, size = [], 0
    if batch:
        database.write(BARE_CREATE, rows=batch)
    return time.perf_counter() - start


def report(store: Store, database: Database, count: int, to_read: int, seed: int) -> None:
    """Prints the rates of loading and reading.

    Args:
        store: that is loaded.
        database: the same one, for loads without the store.
        count: architectures to be loaded.
        to_read: how many of them are read back.
        seed: of the architectures.
    """
    name, draw = generator()
    rng = np.random.default_rng(seed)
    architectures = [draw(rng) for _ in range(count)]
    for architecture in architectures:  # hashes are the caller's in both loads
        assert architecture.key and architecture.fingerprint
    total = sum(map(elements, architectures))
    print(f"{count} {name} architectures, {total} nodes and relationships, {total / count:.0f} each")
    warm_up = [synthetic(rng) for _ in range(max(50, count // 20))]
    store.architectures.add(warm_up)
    load_bare(database, warm_up)
    half = len(architectures) // 2
    seconds_bare = load_bare(database, architectures[:half])
    start = time.perf_counter()
    added = store.architectures.add(architectures)
    seconds = time.perf_counter() - start
    seconds_bare += load_bare(database, architectures[half:])
    print(f"bulk load: {added / seconds:.0f} architectures/s, {total / seconds:.0f} elements/s ({seconds:.1f} s)")
    print(f"bare UNWIND CREATE: {total / seconds_bare:.0f} elements/s; ratio {seconds_bare / seconds:.2f}")
    keys = [architecture.key for architecture in architectures[:to_read]]
    start = time.perf_counter()
    read = store.architectures.get_many(keys)
    print(f"reading {len(read)} graphs in one query: {time.perf_counter() - start:.2f} s")
    assert all(read[architecture.key] == architecture for architecture in architectures[:to_read])


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", type=int, default=10_000)
    parser.add_argument("--read", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--starts", type=int, default=2, help="how often to start the server; the first makes the data")
    arguments = parser.parse_args()
    embedded.provision()
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data_directory=Path(directory))
        try:
            for attempt in range(arguments.starts):
                embedded.stop(settings.data_directory)
                start = time.perf_counter()
                status = embedded.start(settings.data_directory)
                label = "first start (new database)" if attempt == 0 else "cold start"
                print(f"{label}: {time.perf_counter() - start:.1f} s, {(status.memory_bytes or 0) / 1e9:.2f} GB")
            with open_store(settings) as store:
                report(store, connect(settings), arguments.architectures, arguments.read, arguments.seed)
            memory = embedded.status(settings.data_directory).memory_bytes or 0
            print(f"memory after the load: {memory / 1e9:.2f} GB")
        finally:
            embedded.stop(settings.data_directory, timeout_s=0)


if __name__ == "__main__":
    main()
