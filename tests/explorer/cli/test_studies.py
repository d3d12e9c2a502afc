"""`explorer study` on a recipe of one measure, which is no accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from explorer import registry
from explorer.running.study import Study
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
    assert "squared distance" in shown.out  # the heading is the label of the measure
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


def test_a_folder_that_cannot_be_written_to_is_refused_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run("study", "pareto", "nothing", "--plots", tmp_path / "file")
    assert refused.status == 2
    assert "--plots" in refused.err
