"""The fast engine in reference mode: cycles and energy of many models on many accelerators at once.

Source: `simulate_fast` of the published AccelTran, which walks over whole operations without scheduling tiles. Its
figures are reproduced, faults included (see `tiling`, `operations` and docs/acceltran.md). They do not depend on the
loop order, the issue width, the traffic of the mask buffer, or the capacity of any buffer except the weight buffer,
which holds the embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ, CLOCK_MHZ
from explorer.domains.accelerator.acceltran.chip.hardware import Hardware, hardware
from explorer.domains.accelerator.acceltran.engines import tiling
from explorer.domains.accelerator.acceltran.engines.fit import needed_weight_buffer_mib, stored_bits
from explorer.domains.accelerator.acceltran.engines.head_queue import is_sequential, queue_cycles
from explorer.domains.accelerator.acceltran.engines.operations import (
    COLUMNS,
    LayerOperations,
    ModelOperations,
    RowKind,
    model_operations,
)
from explorer.domains.accelerator.acceltran.engines.tiling import Integers, Numbers, Shapes
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from graphdb.errors import InputError

Figures = dict[str, float]
CHUNK = 64
"""Number of pairs costed together: enough to hide the cost of a call, few enough to stay in the cache."""
_MOST_WORK = 2.0**62


@dataclass(frozen=True)
class _Table:
    """Rows of all operations of several pairs, with what each row belongs to.

    Attributes:
        columns: name from `operations.COLUMNS` -> one entry per row.
        pair: position of the pair.
        layer: position of the distinct layer for forward operations of heads, otherwise -1.
        in_head: whether the operation is part of a head (forward or backward), whose transfers cost no time.
        in_layer: how often the operation occurs in its layer.
        in_model: how often it occurs in the model.
    """

    columns: Mapping[str, Integers]
    pair: Integers
    layer: Integers
    in_head: npt.NDArray[np.bool_]
    in_layer: Integers
    in_model: Integers


def evaluate(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], settings: RunSettings
) -> list[Figures | InputError]:
    """Figures of each (model dictionary, accelerator choices) pair; an error in place of a pair that cannot run."""
    results: list[Figures | InputError] = []
    for start in range(0, len(pairs), CHUNK):
        results += _evaluate_chunk(pairs[start : start + CHUNK], settings)
    return results


def _evaluate_chunk(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], settings: RunSettings
) -> list[Figures | InputError]:
    results: dict[int, Figures | InputError] = {}
    runnable: dict[int, tuple[ModelOperations, Hardware]] = {}
    for index, (model, accelerator) in enumerate(pairs):
        try:
            runnable[index] = _prepared(model, accelerator, settings)
        except InputError as error:
            results[index] = error
    positions, prepared = list(runnable), list(runnable.values())
    if prepared:
        for index, figures in zip(positions, _figures(prepared, settings), strict=True):
            results[index] = figures
    return [results[index] for index in range(len(pairs))]


def _prepared(
    model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings
) -> tuple[ModelOperations, Hardware]:
    training = settings.task == "training"
    machine = hardware(accelerator, training, settings.overlay)
    operations = model_operations(model, settings.sequence_length, settings.vocabulary, training)
    needed = needed_weight_buffer_mib(operations.embedding, settings.weight_sparsity)
    if machine.weight_buffer_mb < needed:
        raise InputError(
            f"A model that does not fit: the embeddings need {needed:.4g} MiB of the weight buffer, which has "
            f"{machine.weight_buffer_mb:g} MiB: {needed - machine.weight_buffer_mb:.4g} MiB are missing."
        )
    return operations, machine


def _figures(prepared: Sequence[tuple[ModelOperations, Hardware]], settings: RunSettings) -> list[Figures | InputError]:
    machines = _columns([machine for _, machine in prepared])
    table, layers = _table([model for model, _ in prepared])
    shapes = _shapes(table, machines)
    work = np.zeros(len(prepared))
    np.add.at(work, table.pair, tiling.work_bound(shapes) * table.in_model)
    if (work > _MOST_WORK).any():
        return _without_too_large(prepared, work, settings)
    cycles, tiles = _costs(table, shapes, machines, settings)
    embedding = np.array([model.embedding for model, _ in prepared], dtype=np.int64)
    load = tiling.transfer_cycles(embedding, stored_bits(settings.weight_sparsity), machines["memory_bandwidth"])
    total = load + _sequential_cycles(table, cycles, len(prepared))
    np.add.at(total, *_head_cycles(table, cycles, layers))
    columns = _energies(table, cycles, tiles, machines, settings)
    columns = {"cycles": total.astype(np.float64), "area_mm2": machines["area_mm2"], **columns}
    columns.update(_derived(columns, machines["batch_size"]))
    values = np.stack(list(columns.values()), axis=1).tolist()
    return [dict(zip(columns, row, strict=True)) for row in values]


def _without_too_large(
    prepared: Sequence[tuple[ModelOperations, Hardware]], work: Numbers, settings: RunSettings
) -> list[Figures | InputError]:
    fits = work <= _MOST_WORK
    kept = [pair for pair, good in zip(prepared, fits, strict=True) if good]
    figures = iter(_figures(kept, settings) if kept else [])
    error = "The model takes more than 2^62 multiplications on the accelerator; allowed: fewer."
    return [next(figures) if good else InputError(error) for good in fits]


def _columns(machines: Sequence[Hardware]) -> dict[str, Numbers]:
    values = np.array(machines, dtype=np.float64)
    return {name: values[:, index] for index, name in enumerate(Hardware._fields)}


def _table(models: Sequence[ModelOperations]) -> tuple[_Table, list[tuple[int, LayerOperations]]]:
    """The table of all operations, and the pair and the operations of each distinct layer."""
    layers = [(pair, layer) for pair, model in enumerate(models) for layer in model.layers]
    rows, tags = [], []
    for index, (pair, layer) in enumerate(layers):
        for head in layer.heads:
            rows.append(head.rows)
            tags.append((pair, index, True, head.repeats, layer.repeats, len(head.rows)))
        for head in layer.backward:
            rows.append(head.rows)
            tags.append((pair, -1, True, head.repeats, layer.repeats, len(head.rows)))
        rows.append(layer.flat)
        tags.append((pair, -1, False, 1, layer.repeats, len(layer.flat)))
    operations = np.ascontiguousarray(np.concatenate(rows).T)
    columns = dict(zip(COLUMNS, operations, strict=True))
    tag = np.array(tags, dtype=np.int64).T
    pair_of, layer_of, in_head, in_section, in_model = np.repeat(tag[:-1], tag[-1], axis=1)
    in_layer = in_section * columns["count"]
    return _Table(columns, pair_of, layer_of, in_head.astype(bool), in_layer, in_layer * in_model), layers


def _shapes(table: _Table, machines: Mapping[str, Numbers]) -> Shapes:
    batch, tile_b, tile = (machines[name].astype(np.int64)[table.pair] for name in ("batch_size", "tile_b", "tile"))
    return Shapes(batch, table.columns["x"], table.columns["y"], table.columns["z"], tile_b, tile)


def _costs(
    table: _Table, shapes: Shapes, machines: Mapping[str, Numbers], settings: RunSettings
) -> tuple[Integers, Integers]:
    """Cycles and tiles of one occurrence of each row; transfers have no tiles."""
    cycles, tiles = np.zeros((2, len(table.pair)), dtype=np.int64)
    active = 1 - settings.activation_sparsity
    kinds = table.columns["kind"]
    for kind in RowKind:
        at = np.flatnonzero(kinds == kind)
        part = Shapes(*(array[at] for array in shapes))
        pair = table.pair[at]
        if kind == RowKind.LOAD:
            bandwidth, bits = machines["memory_bandwidth"][pair], stored_bits(settings.weight_sparsity)
            cycles[at] = tiling.transfer_cycles(part.batch * part.x, bits, bandwidth)
        elif kind in (RowKind.STORE_ACTIVATION, RowKind.STORE_WEIGHT):
            sparsity = settings.weight_sparsity if kind == RowKind.STORE_WEIGHT else settings.activation_sparsity
            bandwidth = machines["buffer_bandwidth"][pair]
            cycles[at] = tiling.transfer_cycles(part.batch * part.x, stored_bits(sparsity), bandwidth)
        elif kind in (RowKind.PRODUCT, RowKind.CONVOLUTION):
            density = np.where(table.columns["backward"][at] == 1, 1 - settings.gradient_sparsity, active)
            product = kind == RowKind.PRODUCT
            tiles[at] = tiling.product_tiles(part) if product else tiling.plane_tiles(part)
            cost = tiling.product_cycles if product else tiling.convolution_cycles
            cycles[at] = cost(part, tiles[at], machines["multipliers"][pair], density)
        elif kind == RowKind.NON_LINEARITY:
            cycles[at] = tiles[at] = tiling.plane_tiles(part)
        else:
            tiles[at] = tiling.plane_tiles(part)
            modules = machines["softmax_modules" if kind == RowKind.SOFTMAX else "pe"][pair]
            cycles[at] = tiling.rowwise_cycles(part, tiles[at], modules, active)
    return cycles, tiles


def _sequential_cycles(table: _Table, cycles: Integers, pairs: int) -> Integers:
    """Cycles of operations that run alone: everything except heads, and the products of backward heads."""
    timed = (table.layer < 0) & ~(table.in_head & (table.columns["kind"] >= RowKind.LOAD))
    return _sums(np.where(timed, cycles * table.in_model, 0), table.pair, pairs)


def _head_cycles(
    table: _Table, cycles: Integers, layers: Sequence[tuple[int, LayerOperations]]
) -> tuple[Integers, Integers]:
    """The pair of each distinct layer, and the cycles of its forward heads times its repeats."""
    kind = table.columns["kind"]
    at = np.flatnonzero((table.layer >= 0) & (kind <= RowKind.SOFTMAX))
    kind, layer, cost, times = kind[at], table.layer[at], cycles[at], table.in_layer[at]
    is_softmax = kind == RowKind.SOFTMAX
    softmax, shortest = np.zeros(len(layers), dtype=np.int64), np.full(len(layers), np.iinfo(np.int64).max)
    np.maximum.at(softmax, layer[is_softmax], cost[is_softmax])
    np.minimum.at(shortest, layer[kind == RowKind.PRODUCT], cost[kind == RowKind.PRODUCT])
    negative = _sums(np.where(is_softmax, 0, np.minimum(cost, 0)) * times, layer, len(layers))
    total = _sums(np.where(is_softmax, 0, cost * times), layer, len(layers))
    total += np.where([operations.ends_in_attention for _, operations in layers], softmax, 0)
    waiting = np.flatnonzero(~is_sequential(softmax, shortest, negative)).tolist()
    starts = np.searchsorted(layer, [*waiting, len(layers)]).tolist()
    for index, start in zip(waiting, starts, strict=False):
        total[index] = _queued(layers[index][1], cost, start)
    pair_of = np.array([pair for pair, _ in layers], dtype=np.int64)
    return pair_of, total * np.array([operations.repeats for _, operations in layers], dtype=np.int64)


def _queued(layer: LayerOperations, cost: Integers, start: int) -> int:
    """Cycles of the heads of one layer, whose compute operations are in `cost` from `start` on."""
    heads = []
    for head in layer.heads:
        steps = [(kind, count) for kind, *_, count in head.rows.tolist() if kind <= RowKind.SOFTMAX]
        taken = zip(steps, cost[start : start + len(steps)].tolist(), strict=True)
        heads.append(
            tuple(chain.from_iterable([(kind == RowKind.SOFTMAX, cycles)] * count for (kind, count), cycles in taken))
        )
        start += len(steps)
    return queue_cycles(tuple(heads), layer.order)


def _energies(
    table: _Table, cycles: Integers, tiles: Integers, machines: Mapping[str, Numbers], settings: RunSettings
) -> dict[str, Numbers]:
    """Energy of each part in joules."""
    pairs = len(machines["pe"])
    kind = table.columns["kind"]

    def total(values: Integers, chosen: npt.NDArray[np.bool_]) -> Integers:
        return _sums((values * table.in_model)[chosen], table.pair[chosen], pairs)

    elements, batch = table.columns["x"], machines["batch_size"]
    on_lanes = (kind == RowKind.PRODUCT) | (kind == RowKind.CONVOLUTION)
    counted = {
        "mac": total(cycles, on_lanes | (kind == RowKind.NON_LINEARITY)),
        "softmax": total(cycles, kind == RowKind.SOFTMAX),
        "layer_norm": total(cycles, kind == RowKind.LAYER_NORM),
        "sparsity": total(tiles, on_lanes & table.in_head),
        "others": total(tiles, on_lanes & table.in_head),
    }
    buffers = total(elements, kind == RowKind.STORE_ACTIVATION) * batch * machines["activation_nj"]
    buffers += total(elements, kind == RowKind.STORE_WEIGHT) * batch * machines["weight_nj"]
    loaded = total(elements, kind == RowKind.LOAD) * batch * (1 - settings.weight_sparsity)
    energies = {"energy_buffer_j": buffers * 1e-9, "energy_main_memory_j": loaded * machines["memory_nj"] * 1e-9}
    for part, amount in counted.items():
        for sort in ("dynamic", "leakage"):
            # mW / MHz = nJ per cycle
            energies[f"energy_{part}_{sort}_j"] = machines[f"{part}_{sort}"] / CLOCK_MHZ * amount * 1e-9
    return energies


def _derived(columns: Mapping[str, Numbers], batch: Numbers) -> dict[str, Numbers]:
    """Sums, and figures derived from cycles and energy."""

    def summed(suffix: str) -> Numbers:
        total: Numbers = np.sum([values for name, values in columns.items() if name.endswith(suffix)], axis=0)
        return total

    dynamic = summed("_dynamic_j") + columns["energy_buffer_j"] + columns["energy_main_memory_j"]
    leakage = summed("_leakage_j")
    latency = columns["cycles"] / CLOCK_HZ
    return {
        "energy_dynamic_j": dynamic,
        "energy_leakage_j": leakage,
        "energy_j": dynamic + leakage,
        "energy_per_sequence_j": (dynamic + leakage) / batch,
        "latency_s": latency,
        "average_power_w": (dynamic + leakage) / latency,
        "sequences_per_s": batch / latency,
    }


def _sums(values: Integers, groups: Integers, count: int) -> Integers:
    """Exact sum of `values` in each of `count` groups."""
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, groups, values)
    return sums
