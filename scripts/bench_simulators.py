"""Measures how long AccelTran's engines take, and how many pairs the fast one evaluates in a second, in one process.

python scripts/bench_simulators.py [--pairs 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from explorer import registry
from explorer.contracts.simulator import Simulator
from explorer.contracts.space import DesignSpace
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Pair = dict[str, Architecture]
PAIRS_PER_S = 1000.0
"""What one process is meant to reach."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000, help="pairs in a batch")
    parser.add_argument("--seed", type=int, default=0, help="of the random designs")
    given = parser.parse_args()
    simulator = registry.simulator("acceltran")
    detailed(simulator)
    for mode, pairs in (("reference", given.pairs), ("corrected", given.pairs // 5)):
        single(simulator, mode)
        for space in ("flexibert_early", "flexibert2"):
            for task in ("inference", "training"):
                settings = simulator.settings({"engine": "fast", "mode": mode, "task": task})
                batch(simulator, registry.space(space), settings, pairs, np.random.default_rng(given.seed))


def detailed(simulator: Simulator) -> None:
    """Presets tile by tile, each once: nothing of a run is kept but its program."""
    wide = registry.preset("edge").choices | {"pe": 1024}
    machines = {name: registry.preset(name) for name in ("edge", "server")}
    machines["edge with 1,024 elements"] = registry.space("acceltran_free").build(wide)
    for model, machine, mode in (
        ("bert-tiny", "edge", "reference"),
        ("bert-tiny", "edge", "corrected"),
        ("bert-tiny", "edge with 1,024 elements", "corrected"),
        ("bert-base", "server", "corrected"),
    ):
        pair = {"model": registry.preset(model), "accelerator": machines[machine]}
        settings = simulator.settings({"engine": "detailed", "mode": mode})
        spent = seconds(lambda pair=pair, settings=settings: simulator.run(pair, settings))
        print(f"{model} on {machine}, detailed, {mode}: {spent:.3f} s")


def single(simulator: Simulator, mode: str) -> None:
    """BERT-Base on the server preset, once warm."""
    pair = {"model": registry.preset("bert-base"), "accelerator": registry.preset("server")}
    settings = simulator.settings({"engine": "fast", "mode": mode})
    simulator.run(pair, settings)
    runs = [seconds(lambda: simulator.run(pair, settings)) for _ in range(50)]
    print(f"BERT-Base on server, fast, {mode}, warm: {1e3 * float(np.median(runs)):.2f} ms (median of {len(runs)})")


def batch(
    simulator: Simulator, models: DesignSpace, settings: dict[str, Any], count: int, generator: np.random.Generator
) -> None:
    """Random models on random accelerators: all in one call, then one by one."""
    accelerators = registry.space("elector")
    # Fresh designs for each way, so that neither profits from what the other has cached.
    batched, alone = (
        [
            {"model": models.build(models.sample(generator)), "accelerator": accelerators.build(sample)}
            for sample in (accelerators.sample(generator) for _ in range(n))
        ]
        for n in (count, min(count, 200))
    )
    outcomes: list[object] = []
    processor = time.process_time()
    at_once = seconds(lambda: outcomes.extend(simulator.run_batch(batched, settings)))
    processor = time.process_time() - processor
    one_by_one = seconds(lambda: [simulator.run_batch([pair], settings) for pair in alone])
    refused = sum(isinstance(outcome, InputError) for outcome in outcomes)
    what = f"{models.name}, {settings['mode']}, {settings['task']}"
    print(
        f"{what}: {count} pairs in one call {at_once:.3f} s = {count / at_once:.0f} pairs/s "
        f"({count / at_once / PAIRS_PER_S:.1f} times {PAIRS_PER_S:.0f}), {processor:.3f} s of processor time "
        f"({refused} do not fit); "
        f"one by one {len(alone) / one_by_one:.0f} pairs/s"
    )


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
