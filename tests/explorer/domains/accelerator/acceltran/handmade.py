"""A small program and a run of it, made by hand, for tests of what is charged for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from explorer.domains.accelerator.acceltran.chip.components import Components, Module, components
from explorer.domains.accelerator.acceltran.costs import Costs, OperationCost, TransferCost
from explorer.domains.accelerator.acceltran.findings.charges import Charge, charges
from explorer.domains.accelerator.acceltran.findings.energy import summed
from explorer.domains.accelerator.acceltran.program import Heads, Kind, Operation, Program, TensorRole, Transfer
from explorer.domains.accelerator.acceltran.schedule.trace import (
    COMPUTE_STALLS,
    MEMORY_STALLS,
    OperationRun,
    Trace,
    TransferRun,
)
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from tests.explorer.domains.accelerator.acceltran import reading

SMALL: dict[str, Any] = {**reading.EDGE, "pe": 1, "lanes_per_pe": 4}
WEIGHT = Transfer("w", "load", "weight", 4096, TensorRole.WEIGHT)
RESULT = Transfer("q", "store", "activation", 4096, TensorRole.QUERY, made_by="q")
PRODUCT = Operation("q", Kind.PRODUCT, 4, 32, 32, 32, left=TensorRole.INPUT, right=TensorRole.WEIGHT, needs=("w",))
SOFTMAX = Operation("s", Kind.SOFTMAX, 4, 32, 32, left=TensorRole.QUERY, right=TensorRole.QUERY, needs=("q",))
PROGRAM = Program((Heads(((PRODUCT, SOFTMAX),)),), (Heads(((WEIGHT, RESULT),)),), (("weights", 1024),))
RUNS = (OperationRun(PRODUCT, 60, 1100, 32, 32 * 128, 5), OperationRun(SOFTMAX, 1110, 1500, 16, 16 * 128, 3))


def operation_cost(operation: Operation) -> OperationCost:
    """Of the published simulator."""
    if operation.kind is Kind.PRODUCT:
        return OperationCost(Module.MAC_LANE, 32, 128, 4096, (256, 256))
    return OperationCost(Module.SOFTMAX, 16, 128, 0, (256, 0))


def transfer_cost(transfer: Transfer) -> TransferCost:
    """Of the published simulator: half of the numbers are zero, and elements count as bytes."""
    n, load = transfer.elements, transfer.action == "load"
    bandwidth = 785.365 if load else 11350.98
    return TransferCost(
        bits=10 * n,
        mask_bits=n,
        cycles=math.ceil(10 * n / bandwidth),
        mask_cycles=math.ceil(n / bandwidth),
        buffer_bytes=0.0 if load else n,
        mask_buffer_bytes=0.0 if load else n,
        memory_bytes=2 * 0.5 * n if load else 0.0,
    )


COSTS = Costs(operation_cost, transfer_cost)


def trace(**changes: Any) -> Trace:
    """The run, with some of its attributes replaced."""
    return replace(
        Trace(
            cycles=1500,
            operations=RUNS,
            transfers=(TransferRun(WEIGHT, 0, 53, 6), TransferRun(RESULT, 1100, 1104, 1101)),
            module_cycles={Module.MAC_LANE: 32 * 128, Module.SOFTMAX: 16 * 128, Module.LAYER_NORM: 0},
            buffer_cycles={"weight": 53, "activation": 4, "mask": 7},
            held_bit_cycles={"weight": 1447 * 40960.0, "activation": 396 * 40960.0, "mask": 1494 * 4096.0},
            peak_bits={"weight": 40960.0, "activation": 40960.0, "mask": 8192.0},
            stalls=dict.fromkeys((*MEMORY_STALLS, *COMPUTE_STALLS), 3),
            overlap_cycles=15,
        ),
        **changes,
    )


def settings(*switches: str, **changes: Any) -> RunSettings:
    """Of a run of the detailed engine with these corrections."""
    return RunSettings(engine="detailed", mode="corrected", correct=",".join(switches) or "none", **changes)


@dataclass(frozen=True)
class Case:
    """The run on an accelerator with some corrections."""

    chip: Components
    settings: RunSettings
    trace: Trace

    @property
    def charges(self) -> list[Charge]:
        """What it spends."""
        return charges(PROGRAM, COSTS, self.trace, self.chip, self.settings)

    @property
    def energies(self) -> dict[str, float]:
        """Energies in J."""
        return summed(self.charges)


def case(*switches: str, choices: dict[str, Any] | None = None, **changes: Any) -> Case:
    """The run with corrections, on the small accelerator with some choices replaced."""
    chosen = settings(*switches, **changes)
    return Case(components({**SMALL, **(choices or {})}, chosen.training), chosen, trace())
