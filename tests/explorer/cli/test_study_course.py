"""What `explorer study show` tells of the course of a small study that is stored trial by trial."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from explorer import registry
from graphdb.errors import InputError
from graphdb.records import NewTrial, StudyRecord, StudyState
from graphdb.store import Store
from tests.explorer.conftest import Run
from tests.fault import toy

TRIALS = [
    (39, 29, "random", None),  # a loss of 784, beyond the limit
    (21, 29, "random", None),  # 100
    (5, 29, "near", None),  # refused
    (12, 29, "near", (0.99, 0.02)),  # 1
    (11, 39, "near", (0.985, 0.001)),  # 100
    (11, 29, "near", (0.998, 0.01)),  # 0, the best
]


@pytest.fixture
def study(store: Store) -> Iterator[StudyRecord]:
    """A study of six trials."""
    toy.register()
    record = StudyRecord("mine", "toy", 0, 6, toy.RECIPE.settings({"worst": 500.0}, 6))
    store.studies.create(record)
    simulator = toy.ToySimulator()
    for index, (x, y, origin, expected) in enumerate(TRIALS):
        roles = {"model": toy.architecture(x), "accelerator": toy.architecture(y)}
        store.architectures.add(roles.values())
        pending = simulator.pending(roles, {"task": "a"})
        store.studies.ask("mine", [NewTrial(index, pending, origin, index, expected)], expectation=0.00125)
        try:
            measures = simulator.measured(roles, {"task": "a"})
        except InputError as error:
            store.studies.fail("mine", index, str(error))
        else:
            store.studies.tell("mine", index, replace(pending, measures=measures))
    store.studies.set_state("mine", StudyState.DONE)
    yield record
    registry.refresh()


def test_the_course_is_told_as_json(run: Run, study: StudyRecord) -> None:
    shown = run("study", "show", "mine", "--json").json
    trials = shown["trials"]
    best = 1 - 100 / 3200
    assert [trial["incumbent"] for trial in trials] == [None, best, best, 1 - 1 / 3200, 1 - 1 / 3200, 1.0]
    assert [trial["expected"] for trial in trials][:4] == [None, None, None, {"mean": 0.99, "deviation": 0.02}]
    assert trials[3]["expected_improvement"] > 0.02 and trials[1]["expected_improvement"] is None
    volumes = [trial["hypervolume"] for trial in trials]
    assert volumes == sorted(volumes) and volumes[-1] == shown["hypervolume"] > 0
    assert shown["expected_improvement"] == 0.00125
    assert shown["calibration"] == {"count": 3, "within": pytest.approx(2 / 3), "spearman": pytest.approx(1.0)}
    random, near = shown["origins"]
    assert random == {
        "origin": "random",
        "proposals": 2,
        "feasible": 1,
        "median": best,
        "best": best,
        "improvements": 0,
        "gain": 0,
    }
    assert (near["proposals"], near["feasible"], near["best"], near["improvements"]) == (4, 3, 1.0, 2)
    assert near["gain"] == pytest.approx(1 - best)
    assert shown["plots"] == []


def test_the_course_is_told_to_people(run: Run, study: StudyRecord) -> None:
    text = run("study", "show", "mine").out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "random 2 1 0.9688 0.9688 0 0" in lines
    assert "near 4 3 0.9997 1 2 0.03125" in lines
    assert "Best: 1.0000, trial 5 of 6." in lines
    assert "Predictions: 3 designs, 67 % within one deviation (68 % if errors are normal), Spearman 1.00." in lines
    assert "Improvement that was expected of the latest choice: 0.00125." in lines
    assert any("0.99 ± 0.02" in line for line in lines)


def test_every_plot_is_written_where_it_was_asked_for(
    run: Run, study: StudyRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt = [("0.0", 0.75), ("1.0", 0.25)]
    monkeypatch.setattr(toy.HillClimb, "relevance", lambda self: learnt, raising=False)
    files = [Path(file) for file in run("study", "show", "mine", "--plots", tmp_path, "--json").json["plots"]]
    kinds = ("pareto", "convergence", "decisions", "importance", "predictions")
    assert [file.name for file in files] == [f"mine-{kind}.{end}" for kind in kinds for end in ("png", "svg")]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert "6 trials, best 1.0000" in (tmp_path / "mine-convergence.svg").read_text()
    assert "Spearman 1.00" in (tmp_path / "mine-predictions.svg").read_text()
    assert "relevance that the surrogate learnt" in (tmp_path / "mine-importance.svg").read_text()
    text = run("study", "show", "mine", "--plots", tmp_path).out
    assert "Pictures: " in text and str(tmp_path / "mine-convergence.svg") in text
    (tmp_path / "file").write_text("")
    refused = run("study", "show", "mine", "--plots", tmp_path / "file")
    assert (refused.status, "--plots" in refused.err) == (2, True)


def test_six_trials_do_not_say_what_matters(run: Run, study: StudyRecord, tmp_path: Path) -> None:
    written = run("study", "show", "mine", "--plots", tmp_path, "--json").json["plots"]
    assert written and not any("importance" in file for file in written)


def test_a_study_without_trials_has_no_course(run: Run, store: Store, study: StudyRecord, tmp_path: Path) -> None:
    store.studies.create(replace(study, name="new"))
    shown = run("study", "show", "new", "--plots", tmp_path, "--json").json
    assert (shown["origins"], shown["calibration"], shown["expected_improvement"]) == ([], None, None)
    assert (shown["hypervolume"], shown["plots"], list(tmp_path.iterdir())) == (None, [], [])
    assert run("study", "show", "new").status == 0


def test_predictions_are_exported(run: Run, study: StudyRecord, tmp_path: Path) -> None:
    from pyarrow import parquet

    for name in ("trials.csv", "trials.parquet"):
        assert run("study", "export", "mine", "--out", tmp_path / name).status == 0
    with (tmp_path / "trials.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["origin"] for row in rows] == [origin for _, _, origin, _ in TRIALS]
    assert [row["expected_mean"] for row in rows] == ["", "", "", "0.99", "0.985", "0.998"]
    typed = parquet.read_table(tmp_path / "trials.parquet").to_pylist()
    assert [row["expected_deviation"] for row in typed] == [None, None, None, 0.02, 0.001, 0.01]
