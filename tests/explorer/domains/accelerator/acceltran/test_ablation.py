"""The table of corrections, and what each of them does to BERT-Tiny on AccelTran-Edge."""

from __future__ import annotations

from explorer.domains.accelerator.acceltran.ablation import FIGURES, ablation, table_rows
from explorer.domains.accelerator.acceltran.settings import RunSettings
from explorer.domains.accelerator.acceltran.switches import SWITCHES
from graphdb.errors import InputError


def simulate(settings: RunSettings) -> dict[str, float]:
    """A run whose figures say which corrections are on; without `refetch` and with `backward` data do not fit."""
    if "backward" in settings.switches and "refetch" not in settings.switches:
        raise InputError("The weights do not fit.")
    places = {name: 2**index for index, name in enumerate(SWITCHES)}
    on = 1.0 + sum(places[name] for name in settings.switches)
    return {**dict.fromkeys(FIGURES, on), "peak_power_w": 1.0}


def test_rows() -> None:
    rows = ablation(simulate, RunSettings(engine="detailed", task="training"))
    assert [row.case for row in rows] == ["published", *["only"] * len(SWITCHES), *["without"] * len(SWITCHES), "all"]
    assert [row.switch for row in rows if row.case == "only"] == [*SWITCHES]
    first, last = rows[0], rows[-1]
    assert first.figures["cycles"] == 1 and last.figures["cycles"] == 2 ** len(SWITCHES)
    assert first.ratios == dict.fromkeys(FIGURES, 1.0)
    for index, row in enumerate(rows[1 : 1 + len(SWITCHES)]):
        if row.switch == "backward":
            assert (row.figures, row.ratios, row.refusal) == ({}, {}, "The weights do not fit.")
        else:
            assert row.ratios["energy_j"] == 1 + 2**index
    without = {row.switch: row for row in rows if row.case == "without"}
    assert without["refetch"].refusal
    assert without["bandwidth"].ratios["cycles"] < 1


def test_a_published_run_that_is_refused_leaves_figures_without_ratios() -> None:
    def only_corrected(settings: RunSettings) -> dict[str, float]:
        if settings.switches != frozenset(SWITCHES):
            raise InputError("A dead-lock.")
        return dict.fromkeys(FIGURES, 2.0)

    rows = ablation(only_corrected, RunSettings(engine="detailed"))
    assert rows[0].refusal == "A dead-lock."
    assert rows[-1].figures == dict.fromkeys(FIGURES, 2.0)
    assert rows[-1].ratios == {}


def test_table() -> None:
    table = table_rows(ablation(simulate, RunSettings(engine="detailed")))
    assert {tuple(row) for row in table} == {
        ("case", "correction", *FIGURES, *(f"{name}_ratio" for name in FIGURES), "refusal")
    }
    refused = next(row for row in table if row["refusal"])
    assert refused["cycles"] is None and refused["cycles_ratio"] is None
