"""Tables and JSON of one simulation: every measure has its place, and parts still sum to their total."""

from __future__ import annotations

import math
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from explorer.cli.output import SUBTOTALS, TOTALS, nested_measures
from explorer.domains.accelerator.acceltran.findings.ablation import ablation, table_rows
from explorer.domains.accelerator.acceltran.findings.energy import TOTALS as SUMS
from explorer.domains.accelerator.acceltran.findings.energy import part_measure
from explorer.domains.accelerator.acceltran.findings.measures import MEASURES
from explorer.domains.accelerator.acceltran.findings.tables import ablation_table, tables
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from graphdb.errors import InputError


def detailed() -> dict[str, float]:
    """Measures of the detailed engine, each part of another size, and sums that hold."""
    found = {name: float(position + 1) for position, name in enumerate(MEASURES)}
    found |= {name: math.fsum(found[part_measure(part)] for part in parts) for name, parts in SUMS.items()}
    areas = [value for name, value in found.items() if name.startswith("area_") and name != "area_mm2"]
    return found | {"area_mm2": math.fsum(areas)}


def text(*shown: Table) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        for table in shown:
            console.print(table)
    return captured.get()


def leaves(value: Any) -> list[float]:
    return [leaf for part in value.values() for leaf in leaves(part)] if isinstance(value, dict) else [value]


def test_nesting_loses_no_measure_and_counts_no_energy_twice() -> None:
    measures = detailed()
    nested = nested_measures(measures)
    assert sorted(leaves(nested)) == sorted(measures.values())
    assert math.fsum(nested["energy_parts_j"].values()) == pytest.approx(nested["energy_j"], rel=1e-12)
    assert math.fsum(nested["area_parts_mm2"].values()) == pytest.approx(nested["area_mm2"], rel=1e-12)
    assert nested.keys() >= SUBTOTALS | TOTALS
    assert set(nested["utilisation"]) >= {"mac", "softmax", "weight_buffer"}
    assert set(nested["footprint_bytes"]) == {"weights", "activations", "embeddings"}
    assert set(nested["peak_buffer_bytes"]) == {"weight", "activation", "mask"}
    assert all(isinstance(cycles, int) for cycles in nested["stall_cycles"].values())


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
    shares = [float(str(cell).removesuffix(" %")) for cell in energy.columns[4].cells]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))
    assert shares == sorted(shares, reverse=True)
    assert list(energy.columns[0].cells).count("main memory") == 1
    for word in ("MAC lanes", "activation buffer", "data missing", "all embeddings", "most in the mask buffer"):
        assert word in text(*shown)


def test_the_ablation_is_one_row_for_each_correction() -> None:
    def simulate(settings: RunSettings) -> dict[str, float]:
        if settings.switches == frozenset({"refetch"}):
            raise InputError("The run never ends; allowed: larger buffers.")
        size = 100.0 + len(settings.switches)
        return {"cycles": size, "energy_j": size / 1e6, "area_mm2": size / 10, "average_power_w": 1.0}

    shown = ablation_table(table_rows(ablation(simulate, RunSettings(engine="detailed"))))
    assert list(shown.columns[0].cells) == list(SWITCHES)
    row = list(SWITCHES).index("refetch")
    alone, left_out = ([list(column.cells) for column in shown.columns[first : first + 3]] for first in (1, 4))
    assert [cells[row] for cells in alone] == ["-"] * 3
    assert [cells[0] for cells in alone] == ["1.010"] * 3
    assert [cells[row] for cells in left_out] == [f"{(99 + len(SWITCHES)) / (100 + len(SWITCHES)):.3f}"] * 3
    assert "published: 100 cycles, 100 µJ, 10 mm2" in " ".join(str(shown.caption).split())
