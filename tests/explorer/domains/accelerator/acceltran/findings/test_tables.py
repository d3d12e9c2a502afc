"""Tables and JSON of one simulation: every measure has its place, and parts still sum to their total."""

from __future__ import annotations

import math
from typing import Any

import pytest

from explorer.contracts.measure import nested
from explorer.contracts.table import Table
from explorer.domains.accelerator.acceltran.findings.ablation import ablation, table_rows
from explorer.domains.accelerator.acceltran.findings.energy import TOTALS as SUMS
from explorer.domains.accelerator.acceltran.findings.energy import part_measure
from explorer.domains.accelerator.acceltran.findings.tables import ablation_table, tables
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from graphdb.errors import InputError


def detailed() -> dict[str, float]:
    """Measures of the detailed engine, each part of another size, and sums that hold."""
    values = {name: float(position + 1) for position, name in enumerate(MEASURES)}
    values |= {name: math.fsum(values[part_measure(part)] for part in parts) for name, parts in SUMS.items()}
    areas = [value for name, value in values.items() if name.startswith("area_") and name != "area_mm2"]
    return values | {"area_mm2": math.fsum(areas)}


def cells(table: Table, column: int) -> list[str]:
    return [row[column] for row in table.rows]


def leaves(value: Any) -> list[float]:
    return [leaf for part in value.values() for leaf in leaves(part)] if isinstance(value, dict) else [value]


def test_nesting_loses_no_measure_and_counts_no_energy_twice() -> None:
    measures = detailed()
    groups = nested(measures, MEASURES)
    assert sorted(leaves(groups)) == sorted(measures.values())
    assert math.fsum(groups["energy_parts_j"].values()) == pytest.approx(groups["energy_j"], rel=1e-12)
    assert math.fsum(groups["area_parts_mm2"].values()) == pytest.approx(groups["area_mm2"], rel=1e-12)
    assert groups.keys() >= set(SUMS) | {"area_mm2", "energy_per_sequence_j"}
    assert set(groups["utilisation"]) >= {"mac", "softmax", "weight_buffer"}
    assert set(groups["footprint_bytes"]) == {"weights", "activations", "embeddings"}
    assert set(groups["peak_buffer_bytes"]) == {"weight", "activation", "mask"}
    assert all(isinstance(cycles, int) for cycles in groups["stall_cycles"].values())


def test_tables_show_every_group_with_shares_of_the_whole() -> None:
    measures = detailed()
    shown = list(tables(measures, "a run"))
    assert [table.title for table in shown] == [
        "a run",
        "Energy of a batch",
        "Area",
        "Use",
        "Stalls, summed over heads",
        "Memory",
    ]
    energy = shown[1]
    shares = [float(cell.removesuffix(" %")) for cell in cells(energy, 4)]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))
    assert shares == sorted(shares, reverse=True)
    assert cells(energy, 0).count("main memory") == 1
    for word in ("MAC lanes", "activation buffer", "data missing", "all embeddings", "most in the mask buffer"):
        assert any(word in cells(table, 0) for table in shown)


def test_the_ablation_is_one_row_for_each_correction() -> None:
    def simulate(settings: RunSettings) -> dict[str, float]:
        if settings.switches == frozenset({"refetch"}):
            raise InputError("The run never ends; allowed: larger buffers.")
        size = 100.0 + len(settings.switches)
        return {"cycles": size, "energy_j": size / 1e6, "area_mm2": size / 10, "average_power_w": 1.0}

    shown = ablation_table(table_rows(ablation(simulate, RunSettings(engine="detailed"))))
    assert cells(shown, 0) == list(SWITCHES)
    row = list(SWITCHES).index("refetch")
    alone, left_out = ([cells(shown, first + shift) for shift in range(3)] for first in (1, 4))
    assert [column[row] for column in alone] == ["-"] * 3
    assert [column[0] for column in alone] == ["1.010"] * 3
    assert [column[row] for column in left_out] == [f"{(99 + len(SWITCHES)) / (100 + len(SWITCHES)):.3f}"] * 3
    assert "published: 100 cycles, 100 µJ, 10 mm²" in shown.caption


def test_sums_of_the_published_fast_engine_are_parts_like_the_others() -> None:
    measures = {"energy_j": 3.0, "energy_mac_dynamic_j": 1.0, "energy_buffer_j": 2.0}
    assert nested(measures, MEASURES) == {"energy_j": 3.0, "energy_parts_j": {"mac_dynamic": 1.0, "buffer": 2.0}}
