"""The fast engine in mode `corrected`: the detailed engine's measures, estimated without a schedule.

Program, costs and energies are those of the detailed engine, switch by switch; only the order of events is not
followed. Operations outside heads run one after the other, each with its transfers before and after it, because their
stores wait for them and hold up later transfers. The heads of a layer share modules and ports: they take as long as the
busiest of these, or as the longest head. Peak power, overlap, stalls, occupancy of the buffers, wake-ups, and spills of
tensors that fit one by one but not together need a schedule, and are left out.

Many pairs are estimated at once: all operations with one pattern, of all pairs, are one operation whose sizes are
columns, and so are transfers (see `columns` and `side_by_side`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.chip.components import Components, components
from explorer.domains.accelerator.acceltran.chip.constants import MEBIBYTE_BITS
from explorer.domains.accelerator.acceltran.costs import machine
from explorer.domains.accelerator.acceltran.engines.composing import model_outline
from explorer.domains.accelerator.acceltran.engines.detailed import costs_on
from explorer.domains.accelerator.acceltran.engines.side_by_side import Pair, estimates
from explorer.domains.accelerator.acceltran.program import flat
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.elector.hardware import default_issue_width
from graphdb.errors import InputError

CHUNK = 256
"""Number of pairs estimated together: enough to hide the cost of a call, few enough to stay in the cache."""
_SCHEDULED = ("peak_power_w", "overlap", "stall_", "peak_")
"""Prefixes of measures that need a schedule."""


def evaluate(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], settings: RunSettings
) -> list[dict[str, float] | InputError]:
    """Measures of each (model dictionary, accelerator choices) pair; an error in place of a pair that cannot run."""
    outcomes: dict[int, dict[str, float] | InputError] = {}
    ready: dict[str, list[tuple[int, Pair]]] = {}
    for number, (model, accelerator) in enumerate(pairs):
        try:
            pair = _pair(model, accelerator, settings)
            ready.setdefault(pair.chip.loop_order, []).append((number, pair))
        except InputError as error:
            outcomes[number] = error
    for same_order in ready.values():
        for start in range(0, len(same_order), CHUNK):
            chunk = same_order[start : start + CHUNK]
            figures = _estimated([pair for _, pair in chunk], settings)
            for (number, pair), values in zip(chunk, figures, strict=True):
                outcomes[number] = (
                    values if isinstance(values, dict) else _refusal(*pairs[number], pair.chip, settings, values)
                )
    return [outcomes[number] for number in range(len(pairs))]


def estimate(model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings) -> dict[str, float]:
    """Estimate the measures of one batch.

    Args:
        model: dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`).
        accelerator: choices of the accelerator; by default the issue width is a quarter of the processing elements.
        settings: settings of the run.

    Raises:
        InputError: the model or accelerator is malformed, or a tensor does not fit and the correction `refetch` is off.
    """
    (outcome,) = evaluate([(model, accelerator)], settings)
    if isinstance(outcome, InputError):
        raise outcome
    return outcome


def _pair(model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings) -> Pair:
    chip = components(accelerator, settings.training, settings.overlay)
    rows = model_outline(model, chip.batch_size, settings)
    on = machine(accelerator, settings.training, settings.overlay)
    return Pair(rows, chip, on, accelerator.get("issue_width", default_issue_width(accelerator["pe"])))


def _estimated(pairs: Sequence[Pair], settings: RunSettings) -> Iterator[dict[str, float] | InputError]:
    """Measures of each pair; an error in place of one that cannot run."""
    try:
        values, fits = estimates(pairs, settings)
    except InputError as error:  # an operation or the loop order is refused; columns do not tell whose
        yield from (one for pair in pairs for one in ([error] if len(pairs) == 1 else _estimated([pair], settings)))
        return
    names = [name for name in values if not name.startswith(_SCHEDULED)]
    table = np.stack([np.broadcast_to(values[name], len(pairs)) for name in names], axis=1)
    for row, fit in zip(table.tolist(), fits, strict=True):
        yield dict(zip(names, row, strict=True)) if fit else InputError("A tensor does not fit.")


def _refusal(
    model: Mapping[str, Any], accelerator: Mapping[str, Any], chip: Components, settings: RunSettings, error: InputError
) -> InputError:
    """The reason why a pair cannot run, with the name of the first item of the program that cannot, if there is one.

    Args:
        model, accelerator: the pair.
        chip: components of the accelerator.
        settings: settings of the run.
        error: reason without the name.
    """
    program, costs = build_program(model, chip.batch_size, settings), costs_on(accelerator, settings)
    try:
        for operation in flat(program.compute):
            costs.operation(operation)
    except InputError as named:
        return named
    for transfer in flat(program.memory):
        cost, buffer = costs.transfer(transfer), chip.buffers[transfer.buffer]
        large = cost.bits > buffer.bits or (cost.bits > 0 and cost.mask_bits > chip.buffers["mask"].bits)
        if large and transfer.action != "write_back" and "refetch" not in settings.switches:
            return InputError(
                f"The tensor {transfer.tensor} needs {cost.bits / MEBIBYTE_BITS:.4g} MiB of the {transfer.buffer} "
                f"buffer and {cost.mask_bits / MEBIBYTE_BITS:.4g} MiB of the mask buffer; allowed: larger buffers, or "
                "the correction refetch."
            )
    return error
