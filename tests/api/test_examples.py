"""The examples of the documentation are files, and these tests run exactly those files."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from explorer import registry
from explorer.services.loading import load_published
from tests.api.conftest import EXAMPLES, SNAPSHOT
from tests.places import ROOT

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.graphql") if path != SNAPSHOT)


@pytest.fixture
def run(client):
    def run(name):
        variables = EXAMPLES / f"{name}.json"
        body = {
            "query": (EXAMPLES / f"{name}.graphql").read_text(encoding="utf-8"),
            "variables": json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else {},
        }
        answer = client.post("/graphql", json=body).json()
        assert "errors" not in answer, answer
        return answer["data"]

    return run


def test_architectures(store, run):
    load_published(store)
    page = run("architectures")["architectures"]
    assert page["totalCount"] > 20 and page["pageInfo"]["hasNextPage"]
    assert len(page["edges"]) == 20
    for edge in page["edges"]:
        assert edge["node"]["choices"]["l"] <= 4
        measures = [measure for taken in edge["node"]["measurements"] for measure in taken["measures"]]
        assert any(measure["name"] == "sst2_accuracy" and measure["value"] >= 0.8 for measure in measures)


def test_simulate_then_look_it_up(store, run):
    measured = run("simulateAccelTran")["simulateAccelTran"]
    assert measured["key"] == run("simulateAccelTran")["simulateAccelTran"]["key"]
    model = run("architecture")["architecture"]
    assert model["key"] == registry.preset("bert-tiny").key
    assert model["measurements"][0]["measures"][0].keys() == {"name", "value", "predicted"}
    assert len(model["measurements"]) == 1
    assert store.measurements.get(measured["key"]).measures == {
        measure["name"]: measure["value"] for measure in measured["measures"]
    }


def test_simulate_choices(run):
    measures = {
        measure["name"]: measure["value"] for measure in run("simulateChoices")["simulateAccelTran"]["measures"]
    }
    assert measures["latency_s"] > 0 and measures["energy_j"] > 0


def test_similar(store, run):
    presets = [registry.preset(name) for name in registry.presets("transformer")]
    store.architectures.add(presets)
    store.distances.write("toy", {preset.key: [float(i)] + [0.0] * 127 for i, preset in enumerate(presets)})
    similar = run("similar")["similar"]
    assert len(similar) == 5
    assert [item["distance"] for item in similar] == sorted(item["distance"] for item in similar)


def test_family(store, run):
    presets = {name: registry.preset(name) for name in registry.presets("transformer")}
    store.architectures.add(presets.values())
    keys = [preset.key for preset in presets.values()]
    store.distances.write("toy", {key: [float(i)] + [0.0] * 127 for i, key in enumerate(keys)})
    tiny, mini = presets["bert-tiny"].key, presets["bert-mini"].key
    store.architectures.add_derived(mini, tiny, "weight transfer", {"ratio": 0.5})
    family = run("family")["architecture"]
    assert family["parents"] == [] and len(family["neighbours"]) == 5
    (child,) = family["children"]
    assert (child["how"], child["properties"], child["architecture"]["key"]) == (
        "weight transfer",
        {"ratio": 0.5},
        mini,
    )


def test_search_from_coarse_to_fine(run, client):
    try:
        started = run("searchFlexibert")["searchBoshcode"]
        assert started["state"] == "RUNNING" and started["settings"]["trials_per_level"] == 20
    finally:
        for pid in client.app.state.searches.running():
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_search_with_typed_settings(run, client):
    try:
        settings = run("search")["search"]["settings"]
        assert (settings["models"], settings["optimiser"], settings["batch"]) == ("measured", "random", 4)
    finally:
        for pid in client.app.state.searches.running():
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_registered(run):
    registered = run("registered")
    assert {"transformer", "accelerator"} <= {domain["name"] for domain in registered["domains"]}
    assert "simulateAccelTran" in {simulator["mutation"] for simulator in registered["simulators"]}
    assert {"transcode", "flexibert"} <= {recipe["name"] for recipe in registered["recipes"]}


def test_search_and_its_study(store, run, client):
    started = run("searchBoshcode")["searchBoshcode"]
    try:
        assert started["name"] == "small" and started["state"] == "RUNNING"
        assert len(client.app.state.searches.running()) == 1
        assert run("study")["study"]["budget"] == 60
        assert [study["name"] for study in run("studies")["studies"]] == ["small"]
        assert all(trial["measures"] == [] for trial in run("progress")["study"]["trials"])  # none is measured yet
    finally:
        for pid in client.app.state.searches.running():
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def blocks(path):
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [match[1] for match in re.finditer(r"^```graphql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]


@pytest.mark.parametrize("document", ["docs/api.md", "README.md"])
def test_documents_show_the_examples_word_for_word(document):
    examples = {(EXAMPLES / f"{name}.graphql").read_text(encoding="utf-8") for name in NAMES}
    shown = blocks(ROOT / document)
    assert set(shown) <= examples
    if document == "docs/api.md":
        assert set(shown) == examples


def test_every_example_is_run_here():
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f'run("{name}")' in source for name in NAMES)
