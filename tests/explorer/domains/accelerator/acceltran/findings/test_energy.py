"""Energy of a run: the published rules by hand, what each correction adds, and sums that hold for any run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.chip.components import components
from explorer.domains.accelerator.acceltran.findings.charges import DYNAMIC, LEAKAGE, PARTS, charges
from explorer.domains.accelerator.acceltran.findings.energy import (
    TOTALS,
    energies,
    part_measure,
    summed,
)
from explorer.domains.accelerator.acceltran.findings.reuse import ORDERS, reuse
from explorer.domains.accelerator.acceltran.program import TensorRole, Transfer
from explorer.domains.accelerator.acceltran.schedule.trace import OperationRun, TransferRun
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from tests.explorer.domains.accelerator.acceltran import reading
from tests.explorer.domains.accelerator.acceltran.handmade import (
    COSTS,
    PRODUCT,
    PROGRAM,
    RESULT,
    RUNS,
    SMALL,
    SOFTMAX,
    WEIGHT,
    case,
    settings,
    trace,
)

ENERGY_SWITCHES = tuple(name for name, switch in SWITCHES.items() if switch.part == "energy")
MODULES = ("mac", "softmax", "layer_norm")
NJ = 1e-9


def spent(found: dict[str, float]) -> dict[str, float]:
    """Parts that something is spent on, in nJ."""
    return {part: found[part_measure(part)] / NJ for part in PARTS if found[part_measure(part)]}


def test_the_published_rules() -> None:
    """Powers in mW at 700 MHz, 64 elements an access, a buffer that leaks while it moves data."""
    assert spent(case().energies) == pytest.approx(
        {
            "mac_dynamic": 5.1955 / 700 * 4096,
            "mac_leakage": 0.3189685 / 700 * 4096,
            "softmax_dynamic": 34.6343 / 700 * 2048,
            "softmax_leakage": 2.6696 / 700 * 2048,
            "main_memory_access": 2 * 13.43777522 * 4096 * 0.5 / 64,
            "activation_buffer_write": 0.079275099 * 2 * 4096 / 64,
            "mask_buffer_write": 0.08200675 * 1 * 4096 / 64,
            "weight_buffer_leakage": 210.40467 * 8 / 700 * 53,
            "activation_buffer_leakage": 247.918667 * 4 / 700 * 4,
            "mask_buffer_leakage": 238.196 / 700 * 7,
        },
        rel=1e-12,
    )


def test_the_golden_split() -> None:
    """BERT-Tiny on AccelTran-Edge: the published figures in microjoules, to the printed digit."""
    from explorer.domains.accelerator.acceltran.engines.detailed import simulate

    accelerator = {**reading.EDGE, "issue_width": 8, "loop_order": "b_i_j_k"}
    found = simulate(reading.BERT_TINY, accelerator, settings()).measures
    main_memory = found["energy_main_memory_j"] / 2
    elements = [sum(found[f"energy_{name}_{kind}_j"] for name in MODULES) for kind in ("dynamic", "leakage")]
    assert [f"{1e6 * joules:.3f}" for joules in (*elements, found["energy_j"])] == ["85.479", "5.652", "1425.720"]
    split = {
        "activation": found["energy_activation_buffer_write_j"],
        "weight": main_memory,
        "mask": main_memory + found["energy_mask_buffer_write_j"],
    }
    assert {name: f"{1e6 * joules:.3f}" for name, joules in split.items()} == {
        "activation": "4.871",
        "weight": "576.991",
        "mask": "579.510",
    }
    leakage = [f"{1e6 * found[f'energy_{name}_buffer_leakage_j']:.3f}" for name in split]
    assert leakage == ["2.462", "168.309", "2.445"]


def test_a_transfer_that_the_end_cuts_off_is_charged_for_what_it_moved() -> None:
    half = trace(transfers=(TransferRun(RESULT, 1498, 1502, 1499),))
    found = energies(PROGRAM, COSTS, half, case().chip, settings())
    assert found["energy_activation_buffer_write_j"] == pytest.approx(0.5 * 0.079275099 * 2 * 64 * NJ)
    assert found["energy_mask_buffer_write_j"] == pytest.approx(0.08200675 * 64 * NJ)


@pytest.mark.parametrize(("switches", "share"), [([], 1 / 2), (["data-bytes"], 10 / 8), (["mask-bytes"], 1 - 1 / 8)])
def test_a_mask_that_is_there_already_does_not_move(switches: list[str], share: float) -> None:
    """Bytes of the data by bytes of both; the hand-made costs have one byte in all for each number."""
    alone = trace(transfers=(TransferRun(WEIGHT, 0, 53, 0),))
    found = energies(PROGRAM, COSTS, alone, case().chip, settings(*switches))
    both = 13.43777522 * 4096 / 64 * NJ
    assert found["energy_main_memory_access_j"] == pytest.approx(min(share, 1) * both)


def test_a_write_back_reads_the_buffer() -> None:
    back = Transfer("q", "write_back", "activation", 4096, TensorRole.QUERY)
    found = energies(PROGRAM, COSTS, trace(transfers=(TransferRun(back, 0, 4, 1),)), case().chip, settings())
    assert found["energy_activation_buffer_read_j"] > 0
    assert found["energy_activation_buffer_write_j"] == 0


@pytest.mark.parametrize("order", ORDERS)
def test_operands_that_are_not_reused_are_read(order: str) -> None:
    """32 tiles of 256 elements on four lanes: from the buffers with their masks, the values through the FIFOs."""
    found = case("buffer-reads", choices={"loop_order": "_".join(order)})
    saved = reuse(order, 4, 2, 2, 2, lanes=4)
    first, second = 32 - saved.operand_1, 32 - saved.operand_2
    assert {part: nj for part, nj in spent(found.energies).items() if part.endswith("read") or "fifo" in part} == (
        pytest.approx(
            {
                # The softmax reads its 16 tiles once.
                "activation_buffer_read": 0.079275099 * 2 * 256 / 64 * (first + 16),
                "weight_buffer_read": 0.0856588 * math.sqrt(8) * 256 / 64 * second,
                "mask_buffer_read": 0.08200675 * 256 / 64 * (first + second + 16),
                # 128 values are not zero: four cycles of 32.
                "fifo_dynamic": 0.0563909 / 700 * 4 * (first + second),
                "fifo_leakage": 0.0140774 / 700 * 4 * (first + second),
            },
            rel=1e-12,
        )
    )


def test_the_loop_order_matters_and_more_lanes_reuse_less() -> None:
    reads = [
        case("buffer-reads", choices={"loop_order": order}).energies["energy_buffer_j"] for order in ("bijk", "ijbk")
    ]
    assert reads[0] != reads[1]
    one, many = (
        case("buffer-reads", choices={"loop_order": "b_i_k_j", "lanes_per_pe": lanes}).energies for lanes in (1, 64)
    )
    assert one["energy_activation_buffer_read_j"] < many["energy_activation_buffer_read_j"]


def test_weights_that_are_loaded_once_are_read_less() -> None:
    chosen = {"loop_order": "i_j_k_b", "lanes_per_pe": 1}
    each, once = (case(*names, choices=chosen) for names in (["buffer-reads"], ["buffer-reads", "weights-once"]))
    assert once.energies["energy_weight_buffer_read_j"] == pytest.approx(
        each.energies["energy_weight_buffer_read_j"] / 4
    )


def test_a_weight_tile_is_no_larger_for_several_sequences() -> None:
    """Costs give operands of 256 elements for tiles of four sequences; of a weight that is loaded once they are 64."""
    chosen = {"tile_b": 4, "lanes_per_pe": 64}
    each, once = (case(*names, choices=chosen) for names in (["buffer-reads"], ["buffer-reads", "weights-once"]))
    for measure, ratio in {"energy_weight_buffer_read_j": 4, "energy_activation_buffer_read_j": 1}.items():
        assert each.energies[measure] == pytest.approx(ratio * once.energies[measure])


def test_tiles_that_ran_twice_are_read_twice() -> None:
    twice = trace(operations=(replace(RUNS[0], tiles=64), RUNS[1]))
    found = energies(PROGRAM, COSTS, twice, case().chip, settings("buffer-reads"))
    assert found["energy_weight_buffer_read_j"] == 2 * case("buffer-reads").energies["energy_weight_buffer_read_j"]


def test_what_works_for_a_cycle_of_each_tile() -> None:
    before = case().energies
    sparsity, others = case("sparsity-modules").energies, case("dataflow-dma").energies
    assert sparsity["energy_sparsity_dynamic_j"] == pytest.approx((0.2852968 + 0.2613971) / 700 * 32 * NJ)
    assert sparsity["energy_sparsity_leakage_j"] == pytest.approx((0.1507329 + 0.0324301) / 700 * 32 * NJ)
    assert sparsity["energy_rounding_dynamic_j"] == before["energy_sparsity_dynamic_j"] == 0
    training = case("sparsity-modules", task="training").energies
    assert training["energy_rounding_dynamic_j"] == pytest.approx(0.021657 / 700 * 32 * NJ)
    assert others["energy_dataflow_dynamic_j"] == pytest.approx(11.3711 / 700 * 48 * NJ)
    assert others["energy_dma_leakage_j"] == pytest.approx(0.0063819 / 700 * 57 * NJ)


@pytest.mark.parametrize(("memory", "refreshed"), [("dram_32_2_1", True), ("hbm_32_1_4", True), ("rram_32_2_1", False)])
def test_background_and_refresh(memory: str, refreshed: bool) -> None:
    found = case("background", choices={"memory": memory})
    longer = energies(PROGRAM, COSTS, trace(cycles=3000), found.chip, found.settings)
    assert found.energies["energy_main_memory_background_j"] > 0
    assert (found.energies["energy_main_memory_refresh_j"] > 0) == refreshed
    for part in ("background", "refresh"):
        measure = f"energy_main_memory_{part}_j"
        assert longer[measure] == pytest.approx(2 * found.energies[measure])


def test_background_of_lpddr3_of_two_ranks() -> None:
    """Four devices of 21 mA at 1.2 V, and (150 - 21) mA more for 168 of 3120 cycles."""
    found = case("background").energies
    seconds = 1500 / 700e6
    assert found["energy_main_memory_background_j"] == pytest.approx(4 * 21e-3 * 1.2 * seconds)
    assert found["energy_main_memory_refresh_j"] == pytest.approx(4 * 129e-3 * 1.2 * 168 / 3120 * seconds)


def test_a_buffer_that_holds_data_leaks() -> None:
    """Whole while it moves data; in between the banks that hold some, the last one half full, and no more than all."""
    found = spent(case("retention").energies)
    share = (1447 * 40960 / 1500 + 64 * 1024 * 8 / 2) / (8 << 23)
    assert found["weight_buffer_leakage"] == pytest.approx(210.40467 * 8 / 700 * (53 + (1500 - 53) * share))
    full = trace(held_bit_cycles={"weight": 1e30, "activation": 1e30, "mask": 1e30})
    most = spent(energies(PROGRAM, COSTS, full, case().chip, settings("retention")))
    assert most["weight_buffer_leakage"] == pytest.approx(210.40467 * 8 / 700 * 1500)
    assert most["activation_buffer_leakage"] == pytest.approx(247.918667 * 4 / 700 * 400)


def test_waking_up_costs_no_more_than_it_saved() -> None:
    few = spent(case("wake-up").energies)["wake_up"]
    assert few == pytest.approx(14 * (5 * 0.3189685 + 3 * 2.6696) / 700)
    many = tuple(replace(run, wake_ups=10**6) for run in RUNS)
    found = energies(PROGRAM, COSTS, trace(operations=many), case().chip, settings("wake-up"))
    idle = 0.3189685 * (4 * 1500 - 4096) + 2.6696 * (4 * 1500 - 2048)
    assert found["energy_wake_up_j"] == pytest.approx(idle / 700 * NJ)


def test_control_is_a_share_of_what_the_chip_does() -> None:
    """Leakage and main memory have no part in it."""
    before, after = case().energies, case("control").energies
    on_chip = before["energy_dynamic_j"] - before["energy_main_memory_access_j"]
    assert after["energy_control_j"] == pytest.approx(0.25 * on_chip)
    assert after["energy_j"] == pytest.approx(before["energy_j"] + 0.25 * on_chip)


@pytest.mark.parametrize("switch", ENERGY_SWITCHES)
def test_each_correction_adds(switch: str) -> None:
    before, after = case().energies, case(switch).energies
    changed = {part for part in PARTS if before[part_measure(part)] != after[part_measure(part)]}
    assert changed and all(after[part_measure(part)] > before[part_measure(part)] for part in changed)


WHENS = st.tuples(st.integers(0, 2000), st.integers(0, 500), st.integers(0, 2000))


@given(
    st.sets(st.sampled_from([*ENERGY_SWITCHES, "weights-once"])),
    st.lists(WHENS, max_size=5),
    st.lists(WHENS, max_size=5),
    st.booleans(),
)
def test_any_run(switches: set[str], operations: list[Any], transfers: list[Any], training: bool) -> None:
    """Parts sum to the totals, nothing is below zero, and operations take their part of the whole."""
    chosen = settings(*switches, task="training" if training else "inference")
    run = trace(
        operations=tuple(
            OperationRun(PRODUCT if amount % 2 else SOFTMAX, start, start + length, amount, 100 * amount, amount)
            for start, length, amount in operations
        ),
        transfers=tuple(
            TransferRun(RESULT, start, start + length, start + amount) for start, length, amount in transfers
        ),
    )
    spent = charges(PROGRAM, COSTS, run, components(SMALL, training), chosen)
    energy = summed(spent)
    assert all(energy[part_measure(part)] >= 0 for part in PARTS)
    assert energy["energy_j"] == pytest.approx(energy["energy_dynamic_j"] + energy["energy_leakage_j"], rel=1e-12)
    assert {*DYNAMIC} | {*LEAKAGE} == {*PARTS} and not {*DYNAMIC} & {*LEAKAGE}
    for measure, parts in TOTALS.items():
        assert energy[measure] == pytest.approx(sum(energy[part_measure(part)] for part in parts), rel=1e-12)
    assert [charge.run for charge in spent if isinstance(charge.run, OperationRun)] == list(run.operations)
