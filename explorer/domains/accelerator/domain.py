"""The domain of accelerators; imported at every start, so it imports nothing heavy."""

from __future__ import annotations

from explorer.contracts.domain import Domain, SimulatorEntry
from explorer.domains.accelerator.acceltran.settings.run import NAME, Engine, RunSettings
from explorer.domains.accelerator.acceltran.verbs.dataflow import DATAFLOW
from explorer.domains.accelerator.acceltran.verbs.simulating import SIMULATE

_HERE = __package__

DOMAIN = Domain(
    name="accelerator",
    spaces={
        "elector": f"{_HERE}.elector.space:ElectorSpace",
        "acceltran_free": f"{_HERE}.elector.free:FreeAccelTranSpace",
    },
    simulators=(
        SimulatorEntry(
            NAME,
            "Simulate a Transformer on an AccelTran or ELECTOR accelerator.",
            f"{_HERE}.acceltran.simulator:AccelTranSimulator",
            RunSettings,
            title="AccelTran",
            example=SIMULATE.example,
            swift={"engine": Engine.FAST.value},
        ),
    ),
    presets=("edge", "edge-lp", "server", "nano"),
    preset=f"{_HERE}.elector.presets:preset",
    published={"elector": f"{_HERE}.elector.measured:published"},
    learning_tasks=f"{_HERE}.learning:TASKS",
    readers=f"{_HERE}.elector.published:READERS",
    space_readers=f"{_HERE}.elector.published:SPACE_READERS",
    overrides=f"{_HERE}.elector.overrides:OVERRIDES",
    facts=f"{_HERE}.facts:facts",
    kinds=(
        *("main_memory", "dma", "activation_buffer", "weight_buffer", "mask_buffer", "control", "dataflow", "mac_lane"),
        *("softmax", "layer_norm", "fifo", "pre_sparsity", "multiplier", "post_sparsity"),
    ),
    measures=f"{_HERE}.measures:MEASURES",
    headline=("latency_s", "energy_j", "area_mm2", "energy_per_sequence_j", "sequences_per_s"),
    verbs=(SIMULATE, DATAFLOW),
)
