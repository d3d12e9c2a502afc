"""TransCODE's search against random search on the same pairs: best objective after 20, 40 and 60 evaluations.

    scripts/bench transcode --seeds 10

Both optimisers choose among the same models and accelerators, and are measured by the same simulator. The database is
the one of EXPLORER_DATA or NEO4J_URI; it is read, and holds the trained surrogate afterwards; no study is stored.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

from explorer import registry
from explorer.domains.accelerator.acceltran.settings.run import Mode
from explorer.recipes.transcode.options import Models, Scales
from explorer.recipes.transcode.recipe import COSTS, RECIPE
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.records import StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store

MARKS = (20, 40, 60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--objective", default=Scales.DECADES.value, choices=[scales.value for scales in Scales])
    parser.add_argument("--models", choices=[models.value for models in Models], default=Models.ALL.value)
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=COSTS["mode"])
    arguments = parser.parse_args()
    with open_store(Settings.from_environment()) as store:
        curves = {
            optimiser: [
                curve(store, optimiser, seed, arguments.objective, arguments.models, arguments.mode)
                for seed in range(arguments.seeds)
            ]
            for optimiser in ("random", "boshcode")
        }
    print(f"objective {arguments.objective}, models {arguments.models}, mode {arguments.mode}")
    print(f"{arguments.seeds} seeds: median (min to max)")
    for optimiser, runs in curves.items():
        cells = []
        for mark in MARKS:
            values = [values_[mark - 1] for values_, _ in runs]
            cells.append(f"{mark}: {statistics.median(values):.4f} ({min(values):.4f} to {max(values):.4f})")
        seconds = statistics.median(seconds_ for _, seconds_ in runs)
        print(f"{optimiser:9s} {'   '.join(cells)}   {seconds:.1f} s a run")
    wins = [
        sum(b[mark - 1] > r[mark - 1] for (b, _), (r, _) in zip(curves["boshcode"], curves["random"], strict=True))
        for mark in MARKS
    ]
    print(
        "boshcode ahead in",
        ", ".join(f"{won}/{arguments.seeds} at {mark}" for won, mark in zip(wins, MARKS, strict=True)),
    )


def curve(store: Store, optimiser: str, seed: int, objective: str, models: str, mode: str) -> tuple[list[float], float]:
    """Best objective after each evaluation, and the seconds that choosing and measuring took."""
    settings = RECIPE.settings(
        {"optimiser": optimiser, "objective": objective, "models": models, "mode": mode}, MARKS[-1]
    )
    record = StudyRecord("bench", RECIPE.name, seed, MARKS[-1], settings)
    record = replace(record, basis=RECIPE.basis(store, record, lambda phase: None))
    plan = RECIPE.prepare(store, record, lambda phase: None)
    simulator = registry.simulator(plan.simulator)
    best, reached, began = float("-inf"), [], time.monotonic()
    while len(reached) < MARKS[-1]:
        for proposal in plan.optimiser.ask(min(plan.batch, MARKS[-1] - len(reached))):
            roles = plan.architectures(proposal.design)
            try:
                outcome = plan.objective.outcome(simulator.run(roles, plan.pending(roles, []).settings).measures)
                best = max(best, *outcome.values)
            except InputError:
                outcome = plan.objective.failed()
            plan.optimiser.tell(proposal.design, outcome)
            reached.append(best)
    return reached, time.monotonic() - began


if __name__ == "__main__":
    main()
