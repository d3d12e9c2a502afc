"""Runs of the scheduler for the tests of the detailed engine."""

from __future__ import annotations

from functools import cache
from typing import Any

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.chip.components import components
from explorer.domains.accelerator.acceltran.costs import Costs, Sparsity, machine, operation_cost, transfer_cost
from explorer.domains.accelerator.acceltran.findings.energy import energies
from explorer.domains.accelerator.acceltran.program import Program, TensorRole
from explorer.domains.accelerator.acceltran.schedule.scheduler import Resources, run
from explorer.domains.accelerator.acceltran.schedule.trace import Trace
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import ALL

MEBIBYTE_BITS = 8 << 20


def reference(**settings: Any) -> RunSettings:
    """Settings without corrections."""
    return RunSettings(engine="detailed", mode="reference", **settings)


def corrected(*without: str, only: tuple[str, ...] = (), **settings: Any) -> RunSettings:
    """Settings with all corrections but some, or with some only."""
    names = only or sorted(ALL - set(without))
    return RunSettings(engine="detailed", mode="corrected", correct=",".join(names), **settings)


def constant_sparsity(settings: RunSettings) -> Sparsity:
    """One sparsity for all activations, one for all weights."""

    def sparsity(role: TensorRole) -> float:
        if role in {TensorRole.WEIGHT, TensorRole.EMBEDDING, TensorRole.OPTIMISER_STATE}:
            return settings.weight_sparsity
        return settings.gradient_sparsity if role is TensorRole.GRADIENT else settings.activation_sparsity

    return sparsity


def costs_on(choices: dict[str, Any], settings: RunSettings) -> Costs:
    """Costs with one sparsity for all activations."""
    on, sparsity = machine(choices, settings.training), constant_sparsity(settings)
    return Costs(
        cache(lambda operation: operation_cost(operation, on, settings, sparsity)),
        cache(lambda transfer: transfer_cost(transfer, on, settings, sparsity)),
    )


def resources(choices: dict[str, Any]) -> Resources:
    """Modules and buffers of an accelerator."""
    counts = (choices[name] for name in ("pe", "lanes_per_pe", "softmax_per_pe", "issue_width"))
    sizes = (choices[f"{name}_buffer_mb"] * MEBIBYTE_BITS for name in ("activation", "weight", "mask"))
    return Resources(*counts, *sizes)


def schedule(model: dict[str, Any], choices: dict[str, Any], settings: RunSettings) -> Trace:
    """A run of a model."""
    program = build_program(model, choices["batch_size"], settings)
    return run(program, costs_on(choices, settings), resources(choices), settings)


def schedule_program(program: Program, choices: dict[str, Any], settings: RunSettings) -> Trace:
    """A run of a program."""
    return run(program, costs_on(choices, settings), resources(choices), settings)


def energies_j(model: dict[str, Any], choices: dict[str, Any], settings: RunSettings, trace: Trace) -> dict[str, float]:
    """Energies of a run."""
    program = build_program(model, choices["batch_size"], settings)
    chip = components(choices, settings.training)
    return energies(program, costs_on(choices, settings), trace, chip, settings)
