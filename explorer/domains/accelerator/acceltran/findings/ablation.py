"""Ablation of the corrections: the effect of each one alone, and of all the others without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from explorer.domains.accelerator.acceltran.settings.run import Mode, RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import ALL, SWITCHES, switches_text
from graphdb.errors import InputError

FIGURES = ("cycles", "energy_j", "area_mm2", "average_power_w")


class Case(StrEnum):
    """Set of corrections that a run has."""

    PUBLISHED = "published"
    """No correction."""
    ONLY = "only"
    """One."""
    WITHOUT = "without"
    """All corrections except one."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class AblationRow:
    """The figures of a run with one set of corrections.

    Attributes:
        case: kind of set.
        switch: the only correction that is on or off; empty otherwise.
        figures: measure of `FIGURES` -> value; empty if the run was refused.
        ratios: measure -> ratio to the published run (`only`, `all`), or to the run with all corrections (`without`);
            empty if one of the two runs was refused.
        refusal: why the run was refused; empty if it was not.
    """

    case: Case
    switch: str
    figures: Mapping[str, float]
    ratios: Mapping[str, float]
    refusal: str = ""


def ablation(simulate: Callable[[RunSettings], Mapping[str, float]], settings: RunSettings) -> list[AblationRow]:
    """All rows: published, each correction alone, each one left out, all.

    Args:
        simulate: function from settings to measures that include `FIGURES`. It may refuse a run with `InputError`, as
            the published behaviour does if data do not fit; the row then says why.
        settings: settings of the runs; their mode and corrections are replaced.
    """
    published, refusal = _figures(simulate, settings, frozenset())
    whole, whole_refusal = _figures(simulate, settings, ALL)
    rows = [_row(Case.PUBLISHED, "", published, published, refusal)]
    for switch in SWITCHES:
        figures, refusal = _figures(simulate, settings, frozenset({switch}))
        rows.append(_row(Case.ONLY, switch, figures, published, refusal))
    for switch in SWITCHES:
        figures, refusal = _figures(simulate, settings, ALL - {switch})
        rows.append(_row(Case.WITHOUT, switch, figures, whole, refusal))
    return [*rows, _row(Case.ALL, "", whole, published, whole_refusal)]


def _figures(
    simulate: Callable[[RunSettings], Mapping[str, float]], settings: RunSettings, switches: frozenset[str]
) -> tuple[dict[str, float], str]:
    chosen = settings.model_copy(update={"mode": Mode.CORRECTED, "correct": switches_text(switches)})
    try:
        measures = simulate(chosen)
    except InputError as error:
        return {}, str(error)
    return {name: measures[name] for name in FIGURES}, ""


def _row(case: Case, switch: str, figures: Mapping[str, float], base: Mapping[str, float], refusal: str) -> AblationRow:
    ratios = {name: figures[name] / base[name] for name in figures if base}
    return AblationRow(case, switch, figures, ratios, refusal)


def table_rows(rows: list[AblationRow]) -> list[dict[str, Any]]:
    """The rows for a table or JSON: case, correction, each figure and its ratio; None where a figure is missing."""
    return [
        {
            "case": row.case.value,
            "correction": row.switch,
            **{name: row.figures.get(name) for name in FIGURES},
            **{f"{name}_ratio": row.ratios.get(name) for name in FIGURES},
            "refusal": row.refusal,
        }
        for row in rows
    ]
