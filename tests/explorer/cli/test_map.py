"""`explorer map` on published designs, with and without a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from explorer import registry
from explorer.cli.map import defaults
from explorer.services.loading import load_published
from gnn.network import SurrogateSettings
from graphdb.errors import InputError
from graphdb.records import ArchitectureFilter, NewTrial, StudyRecord
from graphdb.store import Store
from tests.explorer.cli.test_bad_input import refused
from tests.explorer.conftest import Run


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """How good the embeddings are is tested where they are learnt."""
    sizes = SurrogateSettings(members=1, steps=20, trees=0)
    monkeypatch.setattr("explorer.learning.surrogates.settings_of", lambda task: sizes)


def test_what_is_not_given_comes_from_what_surrogates_learn() -> None:
    assert defaults(None, None, None) == ("transformer", "qnli_accuracy")
    assert defaults("accelerator", None, None) == ("accelerator", "latency_s")
    assert defaults(None, None, "elector") == ("accelerator", "latency_s")
    assert defaults(None, "glue", "of my own") == ("transformer", "glue")


def test_without_learning_tasks_all_must_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "learning_tasks", lambda: ())
    assert defaults("bridge", "mass_kg", None) == ("bridge", "mass_kg")
    for domain, word in ((None, "name a domain"), ("bridge", "give --measure")):
        with pytest.raises(InputError, match=word):
            defaults(domain, None, None)


def test_published_designs_and_the_path_of_a_study(run: Run, store: Store, tmp_path: Path) -> None:
    load_published(store)
    refused(run("map", "--study", "nowhere", "--plots", tmp_path), "nowhere")
    assert not list(tmp_path.iterdir())

    found = run("map", "transformer", "--plots", tmp_path, "--json").json
    published = registry.published(["flexibert"])
    assert found["designs"] == len(store.architectures.keys(ArchitectureFilter(domain="transformer")))
    assert found["measured"] == sum("qnli_accuracy" in m.measures for m in published.measurements)
    assert 0.2 < sum(found["explained"]) <= 1
    assert found["path"] == 0
    names = ["map-transformer-qnli_accuracy.png", "map-transformer-qnli_accuracy.svg"]
    assert sorted(Path(file).name for file in found["plots"]) == names
    early = run("map", "--space", "flexibert_early", "--measure", "sst2_accuracy", "--plots", tmp_path)
    assert "818 designs of the space flexibert_early, 620 measured" in early.out

    store.studies.create(StudyRecord("walk", "transcode", 0, 3, {}))
    measured = [m for m in published.measurements if "qnli_accuracy" in m.measures][:3]
    store.studies.ask("walk", [NewTrial(index, replace(m, measures={}), "initial") for index, m in enumerate(measured)])
    before = (tmp_path / names[1]).read_bytes()
    walked = run("map", "--study", "walk", "--plots", tmp_path, "--json").json
    assert walked["path"] == 3
    assert (tmp_path / names[1]).read_bytes() == before  # a map of a study has its own name
    picture = Path(walked["plots"][1]).read_text()
    assert "search (3 designs" in picture
    assert "QNLI accuracy (%)" in picture


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("toaster",), ("toaster", "explorer load")),
        (("transformer", "--space", "flexibert2"), ("transformer", "flexibert2", "explorer load")),
    ],
)
def test_maps_of_nothing(run: Run, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert store.architectures.counts() == {}
    refused(run("map", *arguments), *words)


def test_an_unknown_measure_is_refused_and_the_known_ones_are_named(run: Run, tmp_path: Path) -> None:
    refused(
        run("map", "transformer", "--measure", "qnli_acuracy", "--plots", tmp_path), "qnli_acuracy", "qnli_accuracy"
    )
    assert not list(tmp_path.iterdir())
