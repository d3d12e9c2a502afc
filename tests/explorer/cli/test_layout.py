"""Tables at the width of a terminal: keys and numbers stay whole, and what does not fit is named below."""

from __future__ import annotations

import io
from typing import cast

import numpy as np
import pytest
from rich.console import Console

from explorer import registry
from explorer.cli import explore, listing, show, study_findings
from explorer.cli.layout import fitted
from explorer.cli.output import drawn
from explorer.cli.show import Known
from explorer.cli.study_findings import StudyFindings
from explorer.contracts.measure import Direction
from explorer.contracts.session import Sweep
from explorer.contracts.table import KEY_DIGITS, Column, Predicted, Table, keys, prose, values, words
from explorer.domains.accelerator.acceltran.findings.tables import tables
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.services.explorations import Exploration, Sample
from graphdb.measurement import Measurement
from graphdb.records import ListedArchitecture, Page, Span, StudyRecord, TrialRecord, TrialState
from graphdb.store import Store
from tests.explorer.conftest import Run

KEYS = [f"{digit}" * 64 for digit in "abcdef"]
MODEL, DEVICE = KEYS[0], KEYS[1]


def printed(table: Table, width: int = 80) -> str:
    written = Console(file=io.StringIO(), width=width)
    written.print(drawn(table, width))
    return cast(io.StringIO, written.file).getvalue()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Table]:
    """The tables that commands print."""
    made: list[Table] = []
    for module in (listing, show, study_findings):
        monkeypatch.setattr(module, "print_table", made.append)
    return made


def check_whole(table: Table, width: int = 80) -> None:
    """Every cell that is shown is whole, apart from free text; nothing is wider than the terminal."""
    fit, wide = fitted(table, width), fitted(table, None)
    text = printed(table, width)
    assert max(map(len, text.splitlines())) <= width
    everything = [column.heading for column in wide.columns]
    for column, cells in zip(fit.columns, zip(*fit.rows, strict=True), strict=True):
        whole = [row[everything.index(column.heading)] for row in wide.rows]
        if column.prose:
            continue
        if column.text and not column.key:
            assert [cell.replace("\n", " ") for cell in cells] == whole
        else:
            assert list(cells) == whole
            assert all(cell in text for cell in cells)
        assert "…" not in "".join(cells)
    for heading in fit.left_out:
        assert heading in " ".join(text.split())


def measured(simulator: str = "acceltran", **measures: float) -> Measurement:
    return Measurement(
        simulator, "1", {"model": MODEL, "accelerator": DEVICE}, {}, measures, predicted=frozenset(["accuracy"])
    )


def test_a_table_of_trials_fits_into_a_terminal(shown: list[Table]) -> None:
    recipe = registry.recipe("transcode")
    known = recipe.measures
    numbers = {name: 1.234567e-5 * (place + 1) for place, name in enumerate(recipe.columns)}
    measurement = measured(**numbers | {"accuracy": 0.81234, "area_mm2": 1234.56})
    record = StudyRecord("a-study", "transcode", 0, 3, {})
    trials = [TrialRecord(index, TrialState.DONE, "surrogate and random", measurement) for index in range(98, 101)]
    study = StudyFindings(record, recipe, trials, {98: 0.5, 99: 0.25, 100: 1 / 3}, trials, trials[0], None, "", [], {})
    study_findings.print_trials(study, trials, "Trials")
    (table,) = shown
    check_whole(table)
    lines = printed(table)
    assert "a" * KEY_DIGITS in lines and "b" * KEY_DIGITS in lines
    assert "(µs)" in lines and "(µJ)" in lines
    assert {known[name].label for name in recipe.front} <= {column.heading for column in fitted(table, 80).columns}


def test_a_listing_fits_into_a_terminal(shown: list[Table]) -> None:
    items = [ListedArchitecture(key, "transformer", "flexibert2", '{"h":[' + "128," * 90 + "128]}") for key in KEYS]
    spans = {key: {"qnli_accuracy": Span(0.7123, 0.8123, 2, False)} for key in KEYS}
    listing._show(Page(tuple(items), None, False, len(items)), spans, ["qnli_accuracy"])
    check_whole(shown[0])
    assert "0.7123 to 0.8123" in printed(shown[0])


def test_measurements_of_an_architecture_fit_into_a_terminal(shown: list[Table]) -> None:
    model = registry.preset("bert-tiny")
    roles = {"model": model.key, "accelerator": DEVICE}
    names = ("latency_s", "energy_j", "area_mm2", "average_power_w", "sequences_per_s", "cycles")
    one = Measurement("acceltran", "1", roles, {}, dict.fromkeys(names, 4.56e-5))
    show._show_measurements(Known(model, [one], [], {}, [], []))
    check_whole(shown[0])
    text = printed(shown[0])
    assert "45.6 µJ" in text and "45.6 µs" in text and "4.56e-05 mm²" in text and DEVICE[:KEY_DIGITS] in text
    assert "from space" not in text


def test_the_front_of_a_sample_fits_into_a_terminal() -> None:
    space, simulator = registry.space("elector"), registry.simulator("acceltran")
    designs = [space.build(space.sample(np.random.default_rng(seed))) for seed in range(4)]
    given = dict.fromkeys(simulator.measures, 1.234567e-5)
    measurements = {
        at: Measurement("acceltran", "1", {"model": MODEL, "accelerator": one.key}, {}, given)
        for at, one in enumerate(designs)
    }
    sample = Sample("acceltran", "accelerator", designs, {"model": registry.preset("bert-tiny")}, {})
    measures = dict.fromkeys(("area_mm2", "energy_j", "latency_s"), Direction.MINIMISE)
    table = explore._table(Exploration(sample, Sweep(measurements, {}, 0), measures, list(measurements)))
    check_whole(table)
    text = printed(table)
    assert all(one.key[:KEY_DIGITS] in text for one in designs)
    assert "(µJ)" in text and "(µs)" in text and "(mm²)" in text


def test_random_designs_fit_into_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Table] = []
    monkeypatch.setattr("explorer.cli.space.print_table", made.append)
    run("space", "flexibert2", "--sample", 5)
    check_whole(made[0])
    assert len(made[0].rows) == 5


def test_studies_fit_into_a_terminal(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Table] = []
    monkeypatch.setattr("explorer.cli.studies.print_table", made.append)
    for name in ("a", "a-study-with-a-name-that-says-much"):
        store.studies.create(StudyRecord(name, "transcode", 0, 12345, {}))
    run("study", "list")
    check_whole(made[0])
    text = printed(made[0])
    assert "a-study-with-a-name-that-says-much" in text and "12345" in text and "interrupted" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_tables_of_a_simulation_fit_into_a_terminal(width: int) -> None:
    run = dict.fromkeys(MEASURES, 1234.5)
    for table in tables(run, "a pair"):
        check_whole(table, width)


def test_what_does_not_fit_is_left_out_by_rank_and_named() -> None:
    columns = [keys("design"), Column("plain", rank=2), values(MEASURES["energy_j"]), words("origin", rank=1)]
    table = Table("Designs", columns, [[KEYS[0], 12345, 4.5e-5, "random"], [KEYS[1], 7, Predicted(2e-6), "chosen"]])
    assert fitted(table, 80).left_out == []
    fit = fitted(table, 32)
    assert fit.left_out == ["plain"]
    assert [column.heading for column in fit.columns] == ["design", "energy", "origin"]
    assert [row[1] for row in fit.rows] == ["45", "~2"]
    assert fit.headings[1].split() == ["energy", "(µJ)"]
    assert "plain; --json has all" in " ".join(printed(table, 32).split())
    assert fitted(table, 5).left_out == ["plain", "energy (µJ)", "origin"]


def test_columns_without_any_value_are_left_out() -> None:
    table = Table("T", [keys("key"), words("note"), Column("value")], [[KEYS[0], "", None], [KEYS[1], "-", "-"]])
    assert [column.heading for column in fitted(table, 80).columns] == ["key"]
    assert len(fitted(Table("T", [keys("key"), words("note")], []), 80).columns) == 2


def test_short_keys_tell_designs_apart() -> None:
    alike = ["a" * 20 + digit * 44 for digit in "bc"]
    cells = [row[0] for row in fitted(Table("T", [keys("key")], [[key] for key in alike]), 80).rows]
    assert cells == [key[:21] for key in alike]
    assert fitted(Table("T", [keys("key")], [[alike[0]], [alike[0]]]), 80).rows[0] == ["a" * KEY_DIGITS]


def test_only_free_text_is_cut_and_a_number_stays_with_its_unit() -> None:
    long = ", ".join(f"measure\u00a0{number}.25\u00a0ms" for number in range(30))
    fit = fitted(Table("T", [keys("key"), prose("measures")], [[KEYS[0], long]]), 60)
    lines = fit.rows[0][1].splitlines()
    assert len(lines) == 3 and lines[-1].endswith("…")
    assert all(line.endswith("ms,") for line in lines[:-1])


def test_all_is_shown_in_a_pipe() -> None:
    columns = [keys("key"), *(Column(f"column {at}", unit="s") for at in range(40)), prose("text")]
    table = Table("T", columns, [[KEYS[0], *map(float, range(1, 41)), "word " * 200]])
    fit = fitted(table, None)
    assert not fit.left_out and len(fit.rows[0]) == 42 and "\n" not in "".join(fit.rows[0])
