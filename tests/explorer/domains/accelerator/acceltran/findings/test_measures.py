"""All measures of a run of the detailed engine."""

from __future__ import annotations

import pytest

from explorer.domains.accelerator.acceltran.chip.area import areas
from explorer.domains.accelerator.acceltran.chip.hardware import hardware
from explorer.domains.accelerator.acceltran.findings.measures import measures
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from tests.explorer.domains.accelerator.acceltran.closing import unclosed
from tests.explorer.domains.accelerator.acceltran.handmade import COSTS, PROGRAM, SMALL, case

ENERGY_SWITCHES = [name for name, switch in SWITCHES.items() if switch.part == "energy"]


def values(*switches: str) -> dict[str, float]:
    run = case(*switches)
    return measures(PROGRAM, COSTS, run.trace, run.chip, run.settings)


def test_a_run_has_every_measure_in_order() -> None:
    assert [*values()] == [name for name in MEASURES if name != "dynatran_score"]


def test_by_hand() -> None:
    """1500 cycles on four lanes and four softmax modules, see `handmade`."""
    got = values()
    assert got["cycles"] == 1500
    assert got["latency_s"] == pytest.approx(1500 / 700e6)
    assert got["area_mm2"] == pytest.approx(hardware(SMALL, training=False).area_mm2)
    assert got["energy_per_sequence_j"] == got["energy_j"] / 4
    assert got["average_power_w"] == pytest.approx(got["energy_j"] / got["latency_s"])
    assert got["sequences_per_s"] == pytest.approx(4 * 700e6 / 1500)
    assert got["peak_power_w"] > got["average_power_w"]
    assert got["utilisation_mac"] == pytest.approx(32 * 128 / (4 * 1500))
    assert got["utilisation_softmax"] == pytest.approx(16 * 128 / (4 * 1500))
    assert got["utilisation_layer_norm"] == 0
    assert got["utilisation_weight_buffer"] == pytest.approx(53 / 1500)
    assert got["overlap"] == pytest.approx(0.01)
    assert got["stall_no_space_cycles"] == got["stall_waiting_for_result_cycles"] == 3
    assert got["footprint_weights_bytes"] == 1024 * 2.5
    assert got["peak_mask_buffer_bytes"] == 1024
    # Values of the weights that are not zero, and a mask bit for each.
    assert got["main_memory_traffic_bytes"] == 4096 * 11 / 8


@pytest.mark.parametrize("switches", [[], ENERGY_SWITCHES, *([name] for name in ENERGY_SWITCHES)])
def test_parts_sum(switches: list[str]) -> None:
    got = values(*switches)
    assert unclosed(got) == []
    wrong = {**got, "energy_mac_dynamic_j": 2 * got["energy_mac_dynamic_j"]}
    assert len(unclosed(wrong)) == 2
    assert unclosed(wrong)[0].startswith("The measure energy_j is ")


def test_corrections_of_energy_leave_time_alone() -> None:
    """And area but for the share of control."""
    before, after = values(), values(*ENERGY_SWITCHES)
    assert before["cycles"] == after["cycles"]
    chip = case().chip
    control = chip.control_area * sum(areas(chip, frozenset()).values())
    assert after["area_mm2"] - before["area_mm2"] == pytest.approx(control) == pytest.approx(after["area_control_mm2"])
