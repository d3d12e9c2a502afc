"""Measures how long AccelTran's engines take, and how many pairs the fast one evaluates in a second, in one process.

python scripts/bench_simulators.py [--pairs 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from explorer import registry
from explorer.contracts.simulator import Simulator
from explorer.contracts.space import DesignSpace
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Pair = dict[str, Architecture]
MODES = ("reference", "corrected")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000, help="pairs in a batch")
    parser.add_argument("--seed", type=int, default=0, help="of the random designs")
    given = parser.parse_args()
    simulator = registry.simulator("acceltran")
    detailed(simulator)
    for mode in MODES:
        single(simulator, mode)
    for space in ("flexibert_early", "flexibert2"):
        for task in ("inference", "training"):
            side_by_side(simulator, registry.space(space), task, given.pairs, given.seed)


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


def side_by_side(simulator: Simulator, models: DesignSpace, task: str, count: int, seed: int) -> None:
    """The fast engine in both modes on the same random models and accelerators: all in one call, then one by one."""
    generator, accelerators = np.random.default_rng(seed), registry.space("elector")
    # Fresh designs for each way, so that neither profits from what the other has cached.
    batched, alone = (
        [
            {"model": models.build(models.sample(generator)), "accelerator": accelerators.build(sample)}
            for sample in (accelerators.sample(generator) for _ in range(n))
        ]
        for n in (count, min(count, 200))
    )
    rates: dict[str, tuple[float, float]] = {}
    for mode in MODES:
        settings = simulator.settings({"engine": "fast", "mode": mode, "task": task})
        outcomes: list[object] = []
        processor = time.process_time()
        at_once = seconds(lambda out=outcomes, given=settings: out.extend(simulator.run_batch(batched, given)))
        processor = time.process_time() - processor
        one_by_one = seconds(lambda given=settings: [simulator.run_batch([pair], given) for pair in alone])
        refused = sum(isinstance(outcome, InputError) for outcome in outcomes)
        rates[mode] = count / at_once, len(alone) / one_by_one
        print(
            f"{models.name}, {mode}, {task}: {count} pairs in one call {at_once:.3f} s = {rates[mode][0]:.0f} pairs/s, "
            f"{processor:.3f} s of processor time ({refused} do not fit); one by one {rates[mode][1]:.0f} pairs/s"
        )
    first, second = MODES
    shares = [f"{rates[second][way] / rates[first][way]:.2f}" for way in (0, 1)]
    print(
        f"{models.name}, {task}: {second} at {shares[0]} times the rate of {first} in one call, {shares[1]} one by one"
    )


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
