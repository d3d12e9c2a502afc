"""What one simulation found, as tables: time, energy and area by module, use, stalls and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from explorer.cli.output import nested_measures, number, table
from explorer.report.figure import in_units

# Measure -> what it is called, and its unit; a percentage where the unit is %.
_SUMS = {
    "cycles": ("cycles", ""),
    "latency_s": ("latency", "s"),
    "sequences_per_s": ("sequences/s", ""),
    "energy_j": ("energy", "J"),
    "energy_per_sequence_j": ("energy per sequence", "J"),
    "average_power_w": ("average power", "W"),
    "peak_power_w": ("peak power", "W"),
    "area_mm2": ("area", "mm2"),
    "overlap": ("lanes and softmax busy at once", "%"),
    "main_memory_traffic_bytes": ("main memory traffic", "B"),
}
_ON_TIME = ("_leakage", "_background", "_refresh")
_ON_WORK = ("_dynamic", "_write", "_read", "_access")


def tables(measures: Mapping[str, float], title: str) -> Iterator[Table]:
    """The tables of one measurement; those of which nothing is known are left out."""
    nested = nested_measures(measures)
    yield _sums(nested, title)
    yield _energy(nested["energy_parts_j"], nested["energy_j"])
    if "area_parts_mm2" in nested:
        yield _shares("Area", "area (mm2)", nested["area_parts_mm2"], nested["area_mm2"])
    if "utilisation" in nested:
        rows = table("Use", "module", "busy")
        for name, share in nested["utilisation"].items():
            rows.add_row(_words(name), f"{100 * share:.1f} %")
        yield rows
    if "stall_cycles" in nested:
        rows = table("Stalls, summed over heads", "cause", "cycles")
        for name, cycles in nested["stall_cycles"].items():
            rows.add_row(_words(name), f"{cycles:,}")
        yield rows
    if "footprint_bytes" in nested:
        rows = table("Memory", "kind", "size")
        for name, size in nested["footprint_bytes"].items():
            rows.add_row(f"all {name}", in_units(size, "B"))
        for name, size in nested["peak_buffer_bytes"].items():
            rows.add_row(f"most in the {name} buffer", in_units(size, "B"))
        yield rows


def ablation_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One row for each correction of an ablation: what it does alone, and what its absence does; `-` without a run."""
    ends = {row["case"]: row for row in rows if not row["correction"]}
    only, without = ({row["correction"]: row for row in rows if row["case"] == case} for case in ("only", "without"))
    made = table(
        "Corrections: alone, as a ratio to the published run; left out, as a ratio to the run with all",
        "correction",
        *(f"{case}: {name}" for case in ("alone", "left out") for name in ("cycles", "energy", "area")),
    )
    for name, row in only.items():
        made.add_row(name, *_ratios(row), *_ratios(without[name]))
    made.caption = "; ".join(f"{case}: {_figures(row)}" for case, row in ends.items())
    made.caption_justify = "left"
    return made


def _ratios(row: Mapping[str, Any]) -> list[str]:
    found = (row[f"{name}_ratio"] for name in ("cycles", "energy_j", "area_mm2"))
    return ["-" if ratio is None else f"{ratio:.3f}" for ratio in found]


def _figures(row: Mapping[str, Any]) -> str:
    if row["cycles"] is None:
        return "cannot run"
    return f"{row['cycles']:,.0f} cycles, {in_units(row['energy_j'], 'J')}, {number(row['area_mm2'])} mm2"


def _sums(nested: Mapping[str, Any], title: str) -> Table:
    rows = table(title, "measure", "value")
    for name, (words, unit) in _SUMS.items():
        if name in nested:
            rows.add_row(words, _value(nested[name], unit))
    return rows


def _value(value: float, unit: str) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if unit == "%":
        return f"{100 * value:.1f} %"
    return f"{number(value)} {unit}".rstrip() if unit in {"", "mm2"} else in_units(value, unit)


def _energy(parts: Mapping[str, float], total: float) -> Table:
    """By module, what is spent on work and what on time."""
    modules: dict[str, list[float]] = {}
    for part, joules in parts.items():
        on_time = part.endswith(_ON_TIME)
        name = next((part.removesuffix(kind) for kind in (*_ON_TIME, *_ON_WORK) if part.endswith(kind)), part)
        modules.setdefault(name, [0.0, 0.0])[on_time] += joules
    rows = table("Energy of a batch", "module", "dynamic", "leakage", "total", "share")
    for name, (work, time) in sorted(modules.items(), key=lambda item: -sum(item[1])):
        if work or time:
            figures = (in_units(work, "J"), in_units(time, "J"), in_units(work + time, "J"))
            rows.add_row(_words(name), *figures, f"{100 * (work + time) / total:.1f} %")
    return rows


def _shares(title: str, heading: str, parts: Mapping[str, float], total: float) -> Table:
    rows = table(title, "module", heading, "share")
    for name, amount in sorted(parts.items(), key=lambda item: -item[1]):
        if amount:
            rows.add_row(_words(name), number(amount), f"{100 * amount / total:.1f} %")
    return rows


def _words(name: str) -> str:
    return {"mac": "MAC lanes", "dma": "DMA", "fifo": "FIFOs"}.get(name, name.replace("_", " "))
