"""The detailed engine: schedules a model's program tile by tile on an accelerator, and charges the costs of the run.

Source: `simulate` of the published AccelTran (ea7ba165); a run without corrections reproduces its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.chip.components import BUFFERS, Components, components
from explorer.domains.accelerator.acceltran.costs import Costs, machine, operation_cost, transfer_cost
from explorer.domains.accelerator.acceltran.findings.measures import measures
from explorer.domains.accelerator.acceltran.program import Operation, Program, Transfer
from explorer.domains.accelerator.acceltran.schedule.scheduler import Resources, run
from explorer.domains.accelerator.acceltran.schedule.trace import Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.sparsity import role_sparsities
from explorer.domains.accelerator.elector.hardware import default_issue_width


@dataclass(frozen=True)
class Run:
    """One run, with everything that its measures were derived from.

    Attributes:
        program: program that ran.
        costs: costs of its operations and transfers.
        trace: record of what happened when.
        chip: accelerator that it ran on.
        measures: name of a measure in `measures.MEASURES` -> value.
    """

    program: Program
    costs: Costs
    trace: Trace
    chip: Components
    measures: Mapping[str, float]


def simulate(model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings) -> Run:
    """Simulate one batch.

    Args:
        model: dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`).
        accelerator: choices of the accelerator; by default the issue width is a quarter of the processing elements.
        settings: settings of the run.

    Raises:
        InputError: the model or accelerator is malformed, or the run could never end.
    """
    chip = components(accelerator, settings.training, settings.overlay)
    program = build_program(model, chip.batch_size, settings)
    costs = costs_on(accelerator, settings)
    trace = run(program, costs, _resources(accelerator, chip), settings)
    return Run(program, costs, trace, chip, measures(program, costs, trace, chip, settings))


def costs_on(accelerator: Mapping[str, Any], settings: RunSettings) -> Costs:
    """Costs of operations and transfers on an accelerator, each computed once."""
    on, sparsity = machine(accelerator, settings.training, settings.overlay), role_sparsities(settings)

    def of_operation(operation: Operation) -> Any:
        return operation_cost(operation, on, settings, sparsity)

    def of_transfer(transfer: Transfer) -> Any:
        return transfer_cost(transfer, on, settings, sparsity)

    return Costs(cache(of_operation), cache(of_transfer))


def _resources(accelerator: Mapping[str, Any], chip: Components) -> Resources:
    pe = accelerator["pe"]
    return Resources(
        pe,
        accelerator["lanes_per_pe"],
        accelerator["softmax_per_pe"],
        accelerator.get("issue_width", default_issue_width(pe)),
        *(chip.buffers[name].bits for name in BUFFERS),
    )
