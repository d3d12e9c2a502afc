"""`explorer study` on a recipe of one measure, which is no accuracy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from explorer import registry
from explorer.contracts.simulator import Roles
from explorer.running.study import Study
from graphdb.errors import InputError
from graphdb.records import StudyRecord
from graphdb.store import Store
from tests.explorer.conftest import Run
from tests.fault import toy


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """The recipe, for as long as a test runs."""
    toy.register()
    yield
    registry.refresh()


def _search(store: Store, name: str, **settings: object) -> None:
    record = StudyRecord(name, "toy", 3, 12, toy.RECIPE.settings(settings, 12))
    store.studies.create(record)
    with ThreadPoolExecutor(1) as executor:
        Study(store, record, toy.RECIPE, executor).run()


def test_the_front_has_its_plot_and_its_growth(run: Run, store: Store, tmp_path: Path) -> None:
    _search(store, "mine")
    found = run("study", "pareto", "mine", "--plots", tmp_path, "--json").json
    kinds = ("mine-pareto", "mine-hypervolume")
    assert [Path(file).name for file in found["plots"]] == [f"{kind}.{end}" for kind in kinds for end in ("png", "svg")]
    assert all(Path(file).stat().st_size > 1000 for file in found["plots"])
    volumes = found["hypervolume"]
    assert len(volumes) == found["trials"] == 12
    assert volumes == sorted(volumes)
    assert volumes[-1] > 0
    assert "squared distance" in (tmp_path / "mine-pareto.svg").read_text()

    text = run("study", "pareto", "mine", "--plots", tmp_path).out
    assert f"Hypervolume of squared distance: {volumes[-1]:.4g}\n" in text
    assert str(tmp_path / "mine-hypervolume.svg") in text
    shown = run("study", "show", "mine")
    assert all(word in shown.out for word in ("squared", "distance"))  # the label of the measure, on two lines
    assert len(run("study", "show", "mine", "--json").json["trials"]) == 12


def test_without_a_trial_that_meets_the_constraints_there_is_nothing_to_plot(
    run: Run, store: Store, tmp_path: Path
) -> None:
    _search(store, "strict", worst=-1.0)
    found = run("study", "pareto", "strict", "--plots", tmp_path, "--json").json
    assert (found["best"], found["pareto"], found["plots"]) == (None, [], [])
    assert set(found["hypervolume"]) == {0.0}
    assert "No trial of strict meets its constraints" in run("study", "pareto", "strict", "--plots", tmp_path).out
    assert "infeasible" in run("study", "show", "strict").out


def test_a_search_that_nothing_satisfies_names_the_closest_trial(run: Run, store: Store) -> None:
    _search(store, "strict", worst=-1.0)
    told = run("study", "pareto", "strict", "--json").json
    losses = [trial["measures"].get("loss") for trial in run("study", "show", "strict", "--json").json["trials"]]
    least, greatest = (limit(loss for loss in losses if loss is not None) for limit in (min, max))
    closest = told["closest"]
    assert closest["trial"] == losses.index(least)
    assert closest["misses"] == [
        {"measure": "loss", "value": least, "minimum": None, "maximum": -1.0, "by": least + 1, "share": least + 1}
    ]
    assert closest["ranges"] == {"loss": {"seen": [least, greatest], "feasible": [least, greatest]}}
    for command in ("pareto", "show"):
        text = " ".join(run("study", command, "strict").out.split())
        assert f"The closest is trial {closest['trial']}: loss is {least:.4g}, above its maximum of -1" in text
    _search(store, "mine")
    assert run("study", "show", "mine", "--json").json["closest"] is None


def test_nothing_is_written_unless_asked_for(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _search(store, "mine")
    monkeypatch.chdir(tmp_path)
    assert run("study", "pareto", "mine", "--json").json["plots"] == []
    assert "Plots" not in run("study", "pareto", "mine").out
    assert list(tmp_path.iterdir()) == []


def test_trials_are_exported_with_everything_that_is_known_of_them(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet

    measured = toy.ToySimulator.measured

    def picky(self: toy.ToySimulator, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        if architectures["model"].choices["x"] % 2:
            raise InputError("x is odd.")
        return measured(self, architectures, settings)

    monkeypatch.setattr(toy.ToySimulator, "measured", picky)
    _search(store, "mine", worst=300.0)
    assert run("study", "export", "mine", "--out", tmp_path / "trials.csv").status == 0
    written = run("study", "export", "mine", "--out", tmp_path / "trials.parquet", "--json").json
    assert written == {"study": "mine", "trials": 12, "file": str(tmp_path / "trials.parquet")}
    with (tmp_path / "trials.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    typed = parquet.read_table(tmp_path / "trials.parquet").to_pylist()
    shown = run("study", "show", "mine", "--json").json["trials"]
    assert {trial["state"] for trial in shown} == {"done", "failed"}
    assert list(rows[0])[-4:] == ["model.space", "model.x", "accelerator.space", "accelerator.x"]
    for row, cells, trial in zip(rows, typed, shown, strict=True):
        roles = {role: trial["roles"][role] for role in ("model", "accelerator")}
        assert (cells["trial"], cells["state"], cells["origin"]) == (trial["index"], trial["state"], trial["origin"])
        assert {role: cells[f"{role}_key"] for role in roles} == {role: one["key"] for role, one in roles.items()}
        assert {role: cells[f"{role}.x"] for role in roles} == {
            role: one["choices"]["x"] for role, one in roles.items()
        }
        assert cells["loss"] == trial["measures"].get("loss")
        assert cells["violation"] == cells["violation.loss"]
        if trial["state"] == "done":
            assert cells["violation"] == max(0.0, cells["loss"] - 300) / 300
            assert cells["feasible"] is (trial["objective"] is not None)
            assert trial["objective"] in (None, cells["performance"])
        else:
            assert (cells["performance"], cells["message"]) == (None, "x is odd.")
        assert row == {name: "" if cell is None else str(cell) for name, cell in cells.items()}
    assert run("study", "export", "mine", "--out", tmp_path / "trials.txt").status == 2
    assert "nothing" in run("study", "export", "nothing", "--out", tmp_path / "no.csv").err
    assert not (tmp_path / "no.csv").exists()


def test_an_interrupted_study_is_not_shown_as_running(run: Run, store: Store) -> None:
    store.studies.create(StudyRecord("left", "toy", 3, 12, toy.RECIPE.settings({}, 12)))
    store.studies.begin("left")
    (listed,) = run("study", "list", "--json").json
    assert (listed["state"], run("study", "show", "left", "--json").json["state"]) == ("interrupted", "interrupted")
    assert "interrupted" in run("study", "list").out
    assert store.studies.lease("left", "elsewhere:1", 600)
    assert run("study", "list", "--json").json[0]["state"] == "running"
    asked = run("study", "stop", "left")
    assert (asked.status, "explorer search --resume left" in " ".join(asked.out.split())) == (0, True)
    assert store.studies.get("left").stopping
    store.studies.release("left", "elsewhere:1")
    refused = run("study", "stop", "left")
    assert (refused.status, "not running: its state is interrupted" in refused.err) == (2, True)


def test_a_study_is_deleted_only_if_that_was_meant(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _search(store, "mine")
    measured = {trial.measurement.key for trial in store.studies.trials("mine")}
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    refused = run("study", "delete", "mine")
    assert (refused.status, len(store.studies.list())) == (1, 1)
    assert "12 trials" in refused.err
    assert run("study", "delete", "mine", "--yes", "--json").json == {"study": "mine", "trials": 12, "deleted": True}
    assert store.studies.list() == []
    assert store.measurements.get_many(sorted(measured)).keys() == measured
    assert run("study", "delete", "mine", "--yes").status == 2
    store.studies.create(StudyRecord("held", "toy", 3, 12, toy.RECIPE.settings({}, 12)))
    store.studies.lease("held", "elsewhere:1", 600)
    refused = run("study", "delete", "held", "--yes")
    assert (refused.status, "explorer study stop held" in " ".join(refused.err.split())) == (2, True)


def test_a_folder_that_cannot_be_written_to_is_refused_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run("study", "pareto", "nothing", "--plots", tmp_path / "file")
    assert refused.status == 2
    assert "--plots" in refused.err
