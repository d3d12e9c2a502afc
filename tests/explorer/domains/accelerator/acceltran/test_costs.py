"""Costs of operations and transfers: the published figures, and the direction of each correction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.chip.components import Module
from explorer.domains.accelerator.acceltran.costs import (
    OperationCost,
    TransferCost,
    machine,
    operation_cost,
    transfer_cost,
)
from explorer.domains.accelerator.acceltran.program import Kind, Operation, TensorRole, Transfer
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading
from tests.explorer.domains.accelerator.acceltran.scheduling import constant_sparsity, corrected, reference

ON = machine(reading.EDGE, training=False)
PRODUCT = Operation("p", Kind.PRODUCT, 4, 128, 130, 512, TensorRole.INPUT, TensorRole.WEIGHT)
CONVOLUTION = Operation("c", Kind.CONVOLUTION, 4, 128, 128, 9)
SOFTMAX = Operation("s", Kind.SOFTMAX, 4, 128, 128, 0, TensorRole.SCORES, TensorRole.SCORES)
LAYER_NORM = Operation("l", Kind.LAYER_NORM, 4, 128, 128)
LOAD = Transfer("w", "load", "weight", 100_000, TensorRole.WEIGHT)
STORE = Transfer("a", "store", "activation", 100_000, TensorRole.INPUT, "p")


def cost(operation: Operation, settings: RunSettings, choices: dict[str, Any] = reading.EDGE) -> OperationCost:
    return operation_cost(operation, machine(choices, False), settings, constant_sparsity(settings))


def moved(transfer: Transfer, settings: RunSettings) -> TransferCost:
    return transfer_cost(transfer, ON, settings, constant_sparsity(settings))


def test_published_operations() -> None:
    settings = reference(activation_sparsity=0.3)
    assert cost(PRODUCT, settings) == OperationCost(Module.MAC_LANE, 4 * 8 * 9 * 32, 180, 4096, (256, 256))
    assert cost(replace(PRODUCT, backward=True), settings).cycles == 26  # 256 times 0.1
    assert cost(CONVOLUTION, settings).cycles == 5  # 16 times 7 multiplications, by 16, times 0.7
    assert cost(SOFTMAX, settings) == OperationCost(Module.SOFTMAX, 4 * 8 * 8, 180, 0, (256, 0))
    assert cost(LAYER_NORM, settings).cycles == 23  # 32 times 0.7
    assert cost(replace(LAYER_NORM, kind=Kind.NON_LINEARITY), settings).cycles == 1


def test_published_transfers() -> None:
    load, store = moved(LOAD, reference(weight_sparsity=0.25)), moved(STORE, reference())
    assert (load.bits, load.mask_bits, load.cycles, load.mask_cycles) == (1.5e6, 1e5, 1910, 128)
    assert (load.memory_bytes, load.buffer_bytes, load.mask_buffer_bytes) == (150_000, 0, 0)
    assert (store.bits, store.cycles, store.mask_cycles) == (1e6, 89, 9)
    assert (store.memory_bytes, store.buffer_bytes, store.mask_buffer_bytes) == (0, 1e5, 1e5)


def test_a_causal_mask_leaves_tiles_out() -> None:
    dense, half = cost(SOFTMAX, reference()), cost(replace(SOFTMAX, density=0.5), reference())
    assert half == replace(dense, tiles=dense.tiles // 2)


def test_a_convolution_of_negative_work_is_refused_or_counted_right() -> None:
    long = replace(CONVOLUTION, z=13)
    choices = {**reading.EDGE, "tile_x": 8, "tile_y": 8}
    with pytest.raises(InputError, match=r"kernel of 13 in tiles of 8.*effectual-pairs"):
        cost(long, reference(), choices)
    assert cost(long, corrected(), choices).multiplications == 8 * 8 * 13


def test_effectual_pairs_take_both_operands() -> None:
    both = cost(PRODUCT, corrected(only=("effectual-pairs",), activation_sparsity=0.5, weight_sparsity=0.25))
    assert both.cycles == 96  # 256 times 0.5 times 0.75
    mirrored = replace(PRODUCT, left=TensorRole.WEIGHT, right=TensorRole.INPUT)
    assert cost(mirrored, corrected("effectual-pairs", "lane-imbalance", activation_sparsity=0.25)).cycles == 192


@given(st.floats(0, 0.99), st.sampled_from([1, 16]))
def test_imbalance_lies_between_even_and_dense(sparsity: float, multipliers: int) -> None:
    choices = {**reading.EDGE, "mac_per_lane": multipliers}
    even = cost(PRODUCT, corrected("lane-imbalance", activation_sparsity=sparsity), choices)
    uneven = cost(PRODUCT, corrected(activation_sparsity=sparsity), choices)
    assert even.cycles <= uneven.cycles <= 4096 // multipliers
    if multipliers == 1:
        assert even == uneven


@given(
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.sampled_from([(), ("effectual-pairs",), ("effectual-pairs", "lane-imbalance"), ("lane-imbalance",)]),
)
def test_more_sparsity_never_costs_more(one: float, other: float, switches: tuple[str, ...]) -> None:
    low, high = sorted((one, other))
    for name in ("activation_sparsity", "weight_sparsity"):
        settings = [
            corrected(only=switches, **{name: zeros}) if switches else reference(**{name: zeros})
            for zeros in (low, high)
        ]
        for operation in (PRODUCT, CONVOLUTION, SOFTMAX, LAYER_NORM):
            less, more = (cost(operation, each).cycles for each in settings)
            assert more <= less
        for transfer in (LOAD, STORE):
            before, after = (moved(transfer, each) for each in settings)
            assert after.bits <= before.bits
            assert after.cycles <= before.cycles
            assert after.memory_bytes <= before.memory_bytes


def test_rows_are_passed_over_twice() -> None:
    settings = corrected(only=("row-normalisation",), activation_sparsity=0.9)
    choices = {**reading.EDGE, "tile_b": 4}
    assert cost(SOFTMAX, settings, choices).cycles == 2 * 4 * 16 * 16
    assert cost(LAYER_NORM, settings, choices).cycles == 2 * 4 * (16 + 16)


def test_bandwidth_is_nominal() -> None:
    slow, fast = moved(LOAD, corrected(only=("bandwidth",))), moved(LOAD, reference())
    assert slow.cycles == pytest.approx(1e6 / (25.6e9 * 8 / 700e6), abs=1)
    assert slow.cycles / fast.cycles == pytest.approx(20 * 2**30 / 8e9, rel=1e-2)


def test_bytes_are_those_that_move() -> None:
    data, mask = corrected(only=("data-bytes",)), corrected(only=("mask-bytes",))
    assert moved(LOAD, data).buffer_bytes == moved(LOAD, data).bits / 8 == 125_000
    assert moved(LOAD, data).memory_bytes == 125_000 + 50_000
    assert moved(LOAD, mask).memory_bytes == 50_000 + 12_500
    assert moved(STORE, mask).mask_buffer_bytes == 12_500
    both = corrected(only=("data-bytes", "mask-bytes"))
    back = moved(replace(STORE, action="write_back"), both)
    assert back.memory_bytes == 125_000 + 12_500
    assert back.cycles == moved(replace(LOAD, buffer="activation"), both).cycles


def test_elementwise_work_is_shared_by_multipliers() -> None:
    addition = Operation("r", Kind.ELEMENTWISE, 4, 128, 128, 0, TensorRole.INPUT, TensorRole.ATTENTION_OUTPUT)
    assert cost(addition, corrected()) == OperationCost(Module.MAC_LANE, 256, 16, 256, (256, 256))
    scaling = replace(addition, left=TensorRole.SCORES, right=TensorRole.SCORES)
    assert cost(scaling, corrected()).tile_elements == (256, 0)
