"""The domain of convolutional networks; imported at every start, so it imports nothing heavy."""

from __future__ import annotations

from explorer.contracts.domain import Domain, SimulatorEntry
from explorer.domains.cnn.nasbench.options import NAME, LookUpSettings
from explorer.domains.cnn.nasbench.presets import PRESETS

_HERE = __package__

DOMAIN = Domain(
    name="cnn",
    spaces={
        "nasbench201": f"{_HERE}.nasbench.cell_space:NasBench201Space",
        "nasbench_macro": f"{_HERE}.nasbench.macro_space:NasBenchMacroSpace",
    },
    simulators=(
        SimulatorEntry(
            NAME,
            "Look up the measured accuracy and latency of a network of NAS-Bench-201 or NAS-Bench-Macro.",
            f"{_HERE}.nasbench.simulator:NasBenchSimulator",
            LookUpSettings,
            title="NasBench",
            example=f"explorer simulate {NAME} --network nasbench201-best --device pixel_3",
        ),
    ),
    presets=tuple(PRESETS),
    preset=f"{_HERE}.nasbench.presets:preset",
    reference_hashes=f"{_HERE}.nasbench.published:reference_hashes",
    learning_tasks=f"{_HERE}.learning:TASKS",
    readers=f"{_HERE}.nasbench.published:READERS",
    facts=f"{_HERE}.nasbench.facts:facts",
    kinds=(
        *("input", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "output"),
        *("inverted_bottleneck", "reduction"),
    ),
    measures=f"{_HERE}.measures:MEASURES",
    headline=("cifar10_accuracy",),
)
