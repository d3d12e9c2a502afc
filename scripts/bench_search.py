"""Searches compared: tasks x methods x seeds; what they found, and the processor seconds of choosing.

    scripts/bench search                                        every method that is installed on every task
    scripts/bench search --task hartmann-6 --method default --seeds 3
    scripts/bench search --method default --again               measure one method again, and write all tables anew
    scripts/bench search --ablate                               the default without one of its parts at a time
    scripts/bench search --speed                                seconds of one ask after 20 to 2,000 observations
    scripts/bench search --optimum transcode                    search for the optimum of a task by descent
    scripts/bench search --list                                 all tasks and methods

All methods have the same budgets and seeds. A design that a method proposes a second time is answered from memory and
not counted. A run is added to a file under --out when it has ended, and a finished run is not repeated, so an
interrupted comparison goes on where it was. Tables and figures are written to --docs. Methods of other libraries need
the extra `peers`.
"""

# ruff: noqa: E402 (the number of threads is set before NumPy is imported)

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # seconds of the processor are compared

import argparse
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.searching.methods import ABLATIONS, METHODS
from scripts.searching.running import Runs, run
from scripts.searching.tasks import TASKS

SLOW_SEEDS = 3
"""Seeds of the methods that take minutes a run, unless --seeds says otherwise."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK")
    parser.add_argument("--method", nargs="+", choices=[*METHODS, *ABLATIONS], metavar="METHOD")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--seeds", type=int, help=f"default: the task's; {SLOW_SEEDS} for slow methods")
    parser.add_argument("--budget", type=int, help="evaluations, at most those of the task; default: the task's")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "search")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "search")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--again", action="store_true", help="forget the runs of these methods on these tasks first")
    parser.add_argument("--no-run", action="store_true", help="only write tables and figures of the runs there are")
    parser.add_argument("--no-docs", action="store_true", help="write no tables and figures")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--optimum", choices=TASKS, metavar="TASK")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    if given.list:
        print("tasks:  ", ", ".join(TASKS))
        print("methods:", ", ".join(METHODS))
        print("ablations:", ", ".join(ABLATIONS))
    elif given.optimum:
        from scripts.searching.optima import descend

        descend(TASKS[given.optimum](0))
    elif given.speed:
        from scripts.searching.speed import table

        table()
    else:
        compare(given)


def compare(given: argparse.Namespace) -> None:
    """Does the runs that are missing, and writes tables and figures of all runs that are there."""
    names = given.method or (["default", *ABLATIONS] if given.ablate else list(METHODS))
    runs = Runs(given.out)
    if not given.no_run:
        if given.again:
            for task in given.task:
                for method in names:
                    runs.forget(task, method)
        todo = missing(given, names, runs)
        if given.jobs == 1:
            for one in todo:
                single(*one, given.budget, given.out)
        else:
            with ProcessPoolExecutor(given.jobs) as pool:
                for one in [pool.submit(single, *one, given.budget, given.out) for one in todo]:
                    one.result()
    if not given.no_docs:
        from scripts.searching.summary import write

        write(runs, given.docs, TASKS)


def missing(given: argparse.Namespace, names: list[str], runs: Runs) -> list[tuple[str, str, int]]:
    """The runs to be done, cheap methods first and seed by seed: task, method, seed."""
    todo: list[tuple[bool, int, str, str]] = []
    for task_name in given.task:
        try:
            task = TASKS[task_name](0)
        except Exception as error:  # its data are missing: the other tasks must go on
            print(f"{task_name}: {type(error).__name__}: {error}", flush=True)
            continue
        for name in names:
            method = (METHODS | ABLATIONS)[name]
            refusal = method.refusal(task)
            if refusal is not None:
                if given.method:
                    print(f"{task_name}: {name} {refusal}", flush=True)
                continue
            seeds = given.seeds or (min(SLOW_SEEDS, task.seeds) if method.slow else task.seeds)
            done = runs.seeds(task_name, name)
            todo += [(method.slow, seed, task_name, name) for seed in range(seeds) if seed not in done]
    return [(task_name, name, seed) for _, seed, task_name, name in sorted(todo, key=lambda one: one[:2])]


def single(task_name: str, name: str, seed: int, budget: int | None, out: Path) -> None:
    """One run, which is added to its file; a run that fails is reported, and the comparison goes on."""
    warnings.filterwarnings("ignore")
    task = TASKS[task_name](seed)
    if budget is not None:
        task = replace(task, budget=min(budget, task.budget))
    try:
        rows = run(task, name, (METHODS | ABLATIONS)[name].make(task, seed), seed)
    except Exception as error:  # of some other library: the other methods must go on
        print(f"{task_name}, {name}, seed {seed}: {type(error).__name__}: {error}", flush=True)
        return
    Runs(out).add(rows)
    print(f"{task_name}, {name}, seed {seed}: {rows[-1].best:.6g} in {rows[-1].seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
