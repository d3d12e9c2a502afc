"""The entry of the TransCODE recipe; imported at every start, so it imports nothing heavy."""

from __future__ import annotations

from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.domains.accelerator.acceltran.settings.run import Engine
from explorer.recipes.transcode.options import NAME, TransCodeRun, TransCodeSettings

_HERE = __package__

ENTRY = RecipeEntry(
    name=NAME,
    help="Find the best pair of a Transformer and its accelerator.",
    load=f"{_HERE}.recipe:RECIPE",
    options=TransCodeSettings,
    example="explorer search transcode --budget 60 --seed 0 --max area_mm2=200",
    simulators=(
        SimulatorEntry(
            NAME,
            "Simulate a Transformer of known accuracy on an accelerator, as in a trial of TransCODE's search.",
            f"{_HERE}.simulator:TransCodeSimulator",
            TransCodeRun,
            title="TransCode",
            example="explorer simulate transcode --model bert-tiny --accelerator edge --accuracy 0.86 "
            "--accuracy-source measured",
            swift={"engine": Engine.FAST.value},
        ),
    ),
    title="TransCode",
)
