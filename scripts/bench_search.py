"""Seconds per refit-and-query of BOSHCODE, and what it finds against random search on synthetic tables of pairs.

Run from the root of the repository: `python scripts/bench_search.py [--seeds 10] [--batch 4]`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from explorer.contracts.optimiser import Inputs, Optimiser, Outcome
from explorer.search.baselines import RandomSearch, RegularisedEvolution
from explorer.search.boshcode import Boshcode
from tests.explorer.search.synthetic import best_so_far, pair_table

BUDGETS = (20, 40, 60)


def refit_and_query(points: int) -> tuple[float, float]:
    """Wall and processor seconds of one refit and GOBI query with 37 + 12 inputs."""
    candidates, performance = pair_table(0, models=500, accelerators=1000)
    search = Boshcode(candidates, 0)
    for design in candidates.sample(np.random.default_rng(1), points):
        search.tell(design, Outcome((float(performance[candidates.indices(design)]),)))
    # The lot of the next trial decides whether it optimises; look for a round in which it does.
    count = next(n for n in range(1, 50) if search.origin(points + n - 1) == "optimise")
    wall, processor = time.perf_counter(), time.process_time()
    search.ask(count)
    return time.perf_counter() - wall, time.process_time() - processor


def compare(seeds: int, batch: int) -> None:
    """Median regret over the seeds, each with its own table of 200 x 300 pairs."""
    kinds: dict[str, type[Optimiser[Inputs]]] = {
        "random": RandomSearch,
        "regularised evolution": RegularisedEvolution,
        "BOSHCODE": Boshcode,
    }
    regrets: dict[str, list[list[float]]] = {name: [] for name in kinds}
    for seed in range(seeds):
        candidates, performance = pair_table(seed)
        for name, kind in kinds.items():
            best = best_so_far(kind(candidates, seed), candidates, performance, BUDGETS[-1], batch)
            regrets[name].append([float(performance.max() - best[budget - 1]) for budget in BUDGETS])
        rows = ", ".join(f"{name} {np.round(regrets[name][-1], 4).tolist()}" for name in kinds)
        print(f"  seed {seed}: {rows}", flush=True)
    print(f"median regret (best possible - found) of {seeds} seeds after {BUDGETS} evaluations, batch {batch}")
    for name, rows in regrets.items():
        print(f"  {name:22s}", *(f"{value:.4f}" for value in np.median(rows, axis=0)))
    wins = np.mean(np.array(regrets["BOSHCODE"]) < np.array(regrets["random"]), axis=0)
    print("  share of seeds in which BOSHCODE is ahead of random:", *(f"{share:.2f}" for share in wins))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--speed-only", action="store_true")
    given = parser.parse_args()
    refit_and_query(20)  # the first one loads libraries
    for points in (20, 100, 500):
        wall, processor = refit_and_query(points)
        print(f"refit and query, {points:3d} points: {wall:.2f} s wall, {processor:.2f} s processor", flush=True)
    if not given.speed_only:
        compare(given.seeds, given.batch)


if __name__ == "__main__":
    main()
