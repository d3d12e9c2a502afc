"""The entry of the FlexiBERT recipe; imported at every start, so it imports nothing heavy."""

from __future__ import annotations

from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.recipes.flexibert.options import (
    NAME,
    PRETRAINING,
    FlexiBertSettings,
    KnownAccuracyRun,
    TrainingSettings,
)

_HERE = __package__

ENTRY = RecipeEntry(
    name=NAME,
    help="Find the best Transformer, from coarse to fine.",
    load=f"{_HERE}.recipe:RECIPE",
    options=FlexiBertSettings,
    example="explorer search flexibert --target qnli_acc --levels 2",
    simulators=(
        SimulatorEntry(
            NAME,
            "Count the parameters of a Transformer whose accuracy is known.",
            f"{_HERE}.simulator:KnownAccuracySimulator",
            KnownAccuracyRun,
            shown=False,
        ),
        SimulatorEntry(
            PRETRAINING,
            "Train a Transformer on text and measure it on held-out text.",
            f"{_HERE}.training:PretrainingSimulator",
            TrainingSettings,
            shown=False,
        ),
    ),
    title="FlexiBert",
    arguments=("target", "levels"),
)
