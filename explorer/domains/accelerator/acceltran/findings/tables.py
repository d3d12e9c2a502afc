"""Tables of one simulation: time, energy and area by module, use, stalls and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from explorer.contracts.measure import Measure, nested
from explorer.contracts.table import Column, Table, number, words
from explorer.contracts.units import in_units
from explorer.domains.accelerator.acceltran.findings.ablation import FIGURES
from explorer.domains.accelerator.acceltran.measures import (
    AREA_PARTS,
    ENERGY_PARTS,
    FOOTPRINT,
    MEASURES,
    PEAKS,
    STALLS,
    USE,
    in_words,
)

_SUMS = (
    "cycles",
    "latency_s",
    "sequences_per_s",
    "energy_j",
    "energy_per_sequence_j",
    "average_power_w",
    "peak_power_w",
    "area_mm2",
    "overlap",
    "main_memory_traffic_bytes",
)
"""Measures in the first table."""
_PREFIXED = frozenset(["s", "J", "W", "B"])
"""Units that are shown with a prefix, as in mJ."""
_ON_TIME = ("_leakage", "_background", "_refresh")
_ON_WORK = ("_dynamic", "_write", "_read", "_access")
_COMPARED = FIGURES[:3]
"""Figures of an ablation that fit in a table."""


def tables(measures: Mapping[str, float], title: str) -> Iterator[Table]:
    """The tables of one measurement; tables without values are left out.

    Args:
        measures: measures of the run, by name.
        title: model and accelerator in words.
    """
    groups = nested(measures, MEASURES)
    sums = [[MEASURES[name].label, _shown(MEASURES[name], measures[name])] for name in _SUMS if name in measures]
    yield Table(title, [words("measure"), Column("value")], sums)
    yield _energy(groups[ENERGY_PARTS], measures["energy_j"])
    if AREA_PARTS in groups:
        yield _areas(groups[AREA_PARTS], measures["area_mm2"])
    if USE in groups:
        rows = [[in_words(name), _percent(share)] for name, share in groups[USE].items()]
        yield Table("Use", [words("module"), Column("busy")], rows)
    if STALLS in groups:
        rows = [[in_words(name), f"{cycles:,}"] for name, cycles in groups[STALLS].items()]
        yield Table("Stalls, summed over heads", [words("cause"), Column("cycles")], rows)
    sizes = [(MEASURES[name], size) for name, size in measures.items() if name in MEASURES]
    rows = [[measure.label, _shown(measure, size)] for measure, size in sizes if measure.group in (FOOTPRINT, PEAKS)]
    if rows:
        yield Table("Memory", [words("kind"), Column("size")], rows)


def ablation_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One row for each correction of an ablation: its effect alone, and that of leaving it out; `-` if not run."""
    ends = {row["case"]: row for row in rows if not row["correction"]}
    only, without = ({row["correction"]: row for row in rows if row["case"] == case} for case in ("only", "without"))
    labels = [f"{case}: {MEASURES[name].label}" for case in ("alone", "left out") for name in _COMPARED]
    return Table(
        "Corrections: alone, as a ratio to the published run; left out, as a ratio to the run with all",
        [words("correction"), *(Column(label) for label in labels)],
        [[name, *_ratios(row), *_ratios(without[name])] for name, row in only.items()],
        caption="; ".join(f"{case}: {_figures(row)}" for case, row in ends.items()),
    )


def _ratios(row: Mapping[str, Any]) -> list[str]:
    ratios = (row[f"{name}_ratio"] for name in _COMPARED)
    return ["-" if ratio is None else f"{ratio:.3f}" for ratio in ratios]


def _figures(row: Mapping[str, Any]) -> str:
    if row["cycles"] is None:
        return "cannot run"
    cycles, *others = ((MEASURES[name], row[name]) for name in _COMPARED)
    return ", ".join([f"{cycles[1]:,.0f} cycles", *(_shown(measure, value) for measure, value in others)])


def _shown(measure: Measure, value: float) -> str:
    """A readable value with its unit."""
    if measure.whole:
        return f"{value:,.0f}"
    if measure.unit == "%":
        return _percent(value)
    return in_units(value, measure.unit) if measure.unit in _PREFIXED else f"{number(value)} {measure.unit}".rstrip()


def _energy(parts: Mapping[str, float], total: float) -> Table:
    """The energy of each module: the share spent on work and the share spent on time."""
    modules: dict[str, list[float]] = {}
    for part, joules in parts.items():
        on_time = part.endswith(_ON_TIME)
        name = next((part.removesuffix(kind) for kind in (*_ON_TIME, *_ON_WORK) if part.endswith(kind)), part)
        modules.setdefault(name, [0.0, 0.0])[on_time] += joules
    rows = [
        [
            in_words(name),
            *(in_units(joules, "J") for joules in (work, time, work + time)),
            _percent((work + time) / total),
        ]
        for name, (work, time) in sorted(modules.items(), key=lambda item: -sum(item[1]))
        if work or time
    ]
    columns = [words("module"), *(Column(heading) for heading in ("dynamic", "leakage", "total", "share"))]
    return Table("Energy of a batch", columns, rows)


def _areas(parts: Mapping[str, float], total: float) -> Table:
    rows = [
        [in_words(name), number(area), _percent(area / total)]
        for name, area in sorted(parts.items(), key=lambda item: -item[1])
        if area
    ]
    return Table("Area", [words("module"), Column(MEASURES["area_mm2"].heading), Column("share")], rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
