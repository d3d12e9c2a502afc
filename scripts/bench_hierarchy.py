"""FlexiBERT's hierarchical search against flat ones: best predicted accuracy after 20, 40 and 60 evaluations.

    scripts/bench hierarchy --seeds 10

What is searched is the surrogate's prediction, a function that is known everywhere; how well it predicts is another
matter. All searches choose among self-attention models of one FlexiBERT space and ask four at a time. The database is
the one of EXPLORER_DATA or NEO4J_URI; it holds the trained networks afterwards; no study is stored.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

from explorer import registry
from explorer.contracts.optimiser import Outcome
from explorer.domains.transformer.hierarchy import LEVELS, Level
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.learning import similarity
from explorer.learning.known import KnownValues, known_values
from explorer.recipes.flexibert.levels import Encode, Levels
from explorer.recipes.flexibert.options import KNOWN
from explorer.recipes.flexibert.settings import MEASURED_HEADS
from explorer.search.making import make
from explorer.search.options import OptimiserName
from explorer.search.staged import StagedSearch
from graphdb.connection import open_store
from graphdb.settings import Settings

MARKS, BATCH, MOST = (20, 40, 60), 4, 10_000
SEARCHES: dict[str, tuple[OptimiserName, Sequence[Level]]] = {
    "random, flat": (OptimiserName.RANDOM, LEVELS[2:]),
    "random, 3 levels": (OptimiserName.RANDOM, LEVELS),
    "evolution, flat": (OptimiserName.EVOLUTION, LEVELS[2:]),
    "evolution, 3 levels": (OptimiserName.EVOLUTION, LEVELS),
    "BOSHNAS, flat": (OptimiserName.BOSHNAS, LEVELS[2:]),
    "BOSHNAS, 2 levels": (OptimiserName.BOSHNAS, LEVELS[:2]),
    "BOSHNAS, 3 levels": (OptimiserName.BOSHNAS, LEVELS),
    "default, flat": (OptimiserName.DEFAULT, LEVELS[2:]),
    "default, 3 levels": (OptimiserName.DEFAULT, LEVELS),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--space", default="flexibert", choices=("flexibert", "flexibert_large"))
    parser.add_argument("--target", default=KNOWN[0], choices=KNOWN)
    arguments = parser.parse_args()
    with open_store(Settings.from_environment()) as store:
        accuracies = known_values(store, MODELS, arguments.target, EarlyFlexiBertSpace(), lambda phase: None)
        encode = similarity.encoder_of(store, "transformer", lambda phase: None).embed
    space = registry.space(arguments.space)
    assert isinstance(space, LayeredSpace)
    print(f"{arguments.target} of {arguments.space}, {arguments.seeds} seeds: median (least to most)")
    for name, (optimiser, ladder) in SEARCHES.items():
        began = time.monotonic()
        curves = [curve(space, ladder, optimiser, accuracies, encode, seed) for seed in range(arguments.seeds)]
        cells = []
        for mark in MARKS:
            values = [best[mark - 1] for best in curves]
            cells.append(f"{mark}: {statistics.median(values):.4f} ({min(values):.4f} to {max(values):.4f})")
        seconds = (time.monotonic() - began) / arguments.seeds
        print(f"{name:20s} {'   '.join(cells)}   {seconds:.1f} s a run", flush=True)


def curve(
    space: LayeredSpace,
    ladder: Sequence[Level],
    optimiser: OptimiserName,
    accuracies: KnownValues,
    encode: Encode,
    seed: int,
) -> list[float]:
    """Best value after each evaluation; the levels share the evaluations equally."""
    options = replace(space.options, head_kinds=MEASURED_HEADS)
    trials = MARKS[-1] // len(ladder)
    levels = Levels(space, options, ladder, encode, trials=trials, most=MOST, seed=seed)
    search = StagedSearch(len(ladder), levels.stage, lambda designs, own: make(optimiser, {}, designs, own), seed)
    best: list[float] = []
    while len(best) < MARKS[-1]:
        proposals = search.ask(min(BATCH, MARKS[-1] - len(best)))
        if not proposals:  # nothing is left to try
            return best + best[-1:] * (MARKS[-1] - len(best))
        for proposal in proposals:
            value, _ = accuracies.of(levels.architecture_of(proposal.design))
            search.tell(proposal.design, Outcome((value,)))
            best.append(max(value, best[-1]) if best else value)
    return best


if __name__ == "__main__":
    main()
