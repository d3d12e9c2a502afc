"""Learning tasks of surrogates for accelerators."""

from __future__ import annotations

from explorer.contracts.learning_task import LearningTask
from explorer.domains.accelerator.elector.measured import SIMULATOR
from explorer.domains.accelerator.measures import MEASURES

PAIRS = LearningTask(
    name="costs of Transformers on accelerators",
    roles=("model", "accelerator"),
    measures=tuple(MEASURES[name] for name in ("latency_s", "energy_j", "area_mm2")),
    simulators=frozenset({SIMULATOR}),
    embeds={"accelerator": "accelerator"},
    # Smaller than the default, because it only serves the search for similar accelerators: this takes a third of
    # the time on these large graphs.
    sizes={"members": 2, "steps": 300, "trees": 0},
)
TASKS = (PAIRS,)
