"""Power over time: its integral is the energy, whatever the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ
from explorer.domains.accelerator.acceltran.findings.charges import Charge
from explorer.domains.accelerator.acceltran.findings.profile import GROUPS, energy_breakdown, power_profile
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from tests.explorer.domains.accelerator.acceltran.handmade import case


def charge(start: int, end: int, part: str, joules: float) -> Charge:
    return Charge(start, end, None, {part: joules})


def test_charges_that_overlap_add_up() -> None:
    one = 700.0 / CLOCK_HZ
    found = power_profile([charge(0, 10, "mac_dynamic", 10 * one), charge(5, 15, "mac_dynamic", 20 * one)])
    assert found.edges_cycles.tolist() == [0, 5, 10, 15]
    assert found.power_w["mac_dynamic"] == pytest.approx([700, 2100, 1400])
    assert found.peak_w == pytest.approx(2100)
    assert found.energy_j == pytest.approx(30 * one)


def test_nothing_spent() -> None:
    found = power_profile([])
    assert found.peak_w == found.energy_j == 0


SPANS = st.tuples(
    st.integers(0, 1000), st.integers(1, 300), st.sampled_from([*GROUPS]), st.floats(1e-12, 1e-3, allow_nan=False)
)


@given(st.lists(SPANS, min_size=1, max_size=30), st.integers(1, 50))
def test_integral_is_the_energy(spans: list[tuple[int, int, str, float]], intervals: int) -> None:
    charges = [charge(start, start + length, part, joules) for start, length, part, joules in spans]
    total = sum(joules for *_, joules in spans)
    found = power_profile(charges)
    assert found.energy_j == pytest.approx(total, rel=1e-9)
    assert all((power >= 0).all() for power in found.power_w.values())
    assert found.peak_w >= total * CLOCK_HZ / 1300 * (1 - 1e-9)
    edges = np.linspace(0.0, 1300.0, intervals + 1)
    means = found.means_w(edges)
    assert set(means) == {GROUPS[part] for *_, part, _ in spans}
    assert sum(float(power @ np.diff(edges)) for power in means.values()) / CLOCK_HZ == pytest.approx(total, rel=1e-9)


def test_a_run_with_all_corrections() -> None:
    names = [name for name, switch in SWITCHES.items() if switch.part == "energy"]
    run = case(*names, task="training")
    found, energies = power_profile(run.charges), run.energies
    assert found.energy_j == pytest.approx(energies["energy_j"], rel=1e-9)
    assert found.peak_w > energies["energy_j"] * CLOCK_HZ / 1500
    breakdown = energy_breakdown(energies)
    assert sum(sum(kinds.values()) for kinds in breakdown.values()) == pytest.approx(energies["energy_j"], rel=1e-12)
    assert breakdown["main memory"]["leakage"] > 0 and breakdown["control"]["leakage"] == 0
    assert {"mac", "layer norm", "weight buffer", "wake up", "control", "dma"} < set(breakdown)
