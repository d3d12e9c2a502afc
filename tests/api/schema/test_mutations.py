"""Pairs are measured and stored; what is malformed is refused in one sentence."""

import json
import os
import re
import signal

import pytest

from api.jobs.searches import Searches
from explorer import registry
from graphdb.errors import ConflictError
from graphdb.records import StudyRecord
from tests.api.conftest import code, machine, network

SIMULATE = """
mutation($model: ArchitectureInput!, $accelerator: ArchitectureInput!, $task: Task! = INFERENCE) {
  simulateAccelTran(model: $model, accelerator: $accelerator, task: $task) {
    key settings measures { name value predicted } roles { role architecture { key } }
  }
}
"""
SEARCH = """
mutation($recipe: String! = "transcode", $budget: Int! = 2, $seed: Int! = 0, $name: String, $objective: String,
         $constraints: [ConstraintInput!], $target: String, $levels: Int) {
  searchBoshcode(recipe: $recipe, budget: $budget, seed: $seed, name: $name, objective: $objective,
                 constraints: $constraints, target: $target, levels: $levels) { name settings }
}
"""
TINY, EDGE = {"preset": "bert-tiny"}, {"preset": "edge"}


def test_a_measurement_is_what_the_simulator_says_and_is_stored(store, ask):
    measured = ask(SIMULATE, model=TINY, accelerator=EDGE)["data"]["simulateAccelTran"]
    edge = registry.preset("edge")
    direct = registry.simulator("acceltran").run(
        {"model": registry.preset("bert-tiny"), "accelerator": edge}, {"task": "inference", "engine": "detailed"}
    )
    assert measured["key"] == direct.key
    assert {item["name"]: item["value"] for item in measured["measures"]} == direct.measures
    assert store.measurements.get(direct.key) == direct
    assert store.architectures.get(edge.key) == edge


def test_the_published_detailed_simulation_can_be_asked_for(ask):
    query = """mutation { simulateAccelTran(model: { preset: "bert-tiny" }, accelerator: { preset: "edge" },
        engine: DETAILED, mode: REFERENCE) { measures { name value } } }"""
    measured = ask(query)["data"]["simulateAccelTran"]["measures"]
    assert {item["name"]: item["value"] for item in measured}["cycles"] == 79324


def test_results_of_decoders_are_marked_as_beyond_the_published_simulator(ask):
    query = """mutation { simulateAccelTran(model: { preset: "llama-tiny" }, accelerator: { preset: "edge" },
        engine: FAST, phase: TOKEN, sequenceLength: 64) { notes settings } }"""
    measured = ask(query)["data"]["simulateAccelTran"]
    assert [note.startswith("Decoders are beyond the published simulator") for note in measured["notes"]] == [True]
    assert measured["settings"]["phase"] == "token"


def test_presets_keys_and_choices_name_the_same_pair(ask):
    first = ask(SIMULATE, model=TINY, accelerator=EDGE)["data"]["simulateAccelTran"]["key"]
    model, accelerator = registry.preset("bert-tiny"), registry.preset("edge")
    ways = [
        ({"key": model.key}, {"key": accelerator.key[:10]}),
        ({"choices": model.choices}, {"choices": accelerator.choices}),
        (
            {"domain": model.domain, "space": model.space, "choices": model.choices},
            {"domain": accelerator.domain, "space": accelerator.space, "choices": accelerator.choices},
        ),
    ]
    for model_input, accelerator_input in ways:
        answer = ask(SIMULATE, model=model_input, accelerator=accelerator_input)
        assert answer["data"]["simulateAccelTran"]["key"] == first


def test_training_is_another_measurement(ask):
    inference = ask(SIMULATE, model=TINY, accelerator=EDGE)["data"]["simulateAccelTran"]
    training = ask(SIMULATE, model=TINY, accelerator=EDGE, task="TRAINING")["data"]["simulateAccelTran"]
    assert training["settings"]["task"] == "training"
    assert _latency(training) > _latency(inference)


def _latency(measured):
    return next(item["value"] for item in measured["measures"] if item["name"] == "latency_s")


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"preset": "bert-tiny", "key": "bb743eecf67f"},
        {"preset": "bert-tiny", "domain": "transformer"},
        {"choices": {"l": 2}, "domain": "transformer"},
        {"choices": {"l": 2}},
        {"choices": [1, 2]},
        {"choices": "bert-tiny"},
        {"domain": "transformer", "space": "flexibert2"},
        {"domain": "transformer", "space": "no such space", "choices": {}},
        {"preset": "edge"},
        {"preset": ""},
        {"preset": "bert"},
        {"key": "xyz"},
        {"key": ""},
    ],
)
def test_malformed_references(store, ask, model):
    answer = ask(SIMULATE, model=model, accelerator=EDGE)
    assert code(answer) == "BAD_USER_INPUT"
    assert store.architectures.counts() == {}


def test_files_of_the_server_are_not_read(ask, tmp_path, monkeypatch):
    """The command line reads a file where it is given one's name; a client of the API must not reach it."""
    choices = json.dumps(registry.preset("bert-tiny").choices)
    for name in ("model.json", "abcdef"):
        (tmp_path / name).write_text(choices, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for reference in ({"preset": "model.json"}, {"preset": str(tmp_path / "model.json")}, {"preset": "abcdef"}):
        assert code(ask(SIMULATE, model=reference, accelerator=EDGE)) == "BAD_USER_INPUT"
    assert code(ask(SIMULATE, model={"key": "abcdef"}, accelerator=EDGE)) == "NOT_FOUND"


def test_architectures_of_the_wrong_domain(store, ask):
    store.architectures.add([machine(1)])
    assert code(ask(SIMULATE, model={"key": machine(1).key}, accelerator=EDGE)) == "BAD_USER_INPUT"
    assert code(ask(SIMULATE, model={"key": network(1).key}, accelerator=EDGE)) == "NOT_FOUND"


@pytest.mark.parametrize(
    "given",
    [
        {"recipe": "no such recipe"},
        {"budget": 0},
        {"budget": -1},
        {"seed": -1},
        {"name": "a/b"},
        {"name": "../up"},
        {"name": "x" * 101},
        {"objective": "no such objective"},
        {"recipe": "flexibert", "target": "beauty"},
        {"recipe": "flexibert", "target": "mlm_accuracy"},  # a corpus is a file of the server, and no client's to name
        {"recipe": "flexibert", "levels": 4},
        {"target": "qnli_accuracy"},
        {"constraints": [{"measure": "area_mm2"}]},
        {"constraints": [{"measure": "no_such_measure", "max": 1}]},
        {"constraints": [{"measure": "area_mm2", "min": 2, "max": 1}]},
    ],
)
def test_malformed_searches_start_nothing(store, client, ask, given):
    assert code(ask(SEARCH, **given)) == "BAD_USER_INPUT"
    assert store.studies.list() == []
    assert not client.app.state.searches.running()


def test_target_and_levels_are_those_of_the_study(client, ask):
    try:
        started = ask(SEARCH, recipe="flexibert", name="coarse", target="sst2_acc", levels=2, budget=2)
        settings = started["data"]["searchBoshcode"]["settings"]
        assert (settings["target"], settings["levels"], settings["trials_per_level"]) == ("sst2_accuracy", 2, 1)
    finally:
        for pid in client.app.state.searches.running():
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


SETTINGS = """
mutation($recipe: RecipeInput!, $objective: String) {
  search(recipe: $recipe, budget: 2, seed: 0, name: "typed", objective: $objective) { name recipe settings }
}
"""


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({}, "recipe has the fields none; allowed: exactly one of"),
        ({"transcode": None}, "recipe has the fields none"),
        ({"transcode": {}, "flexibert": {}}, "recipe has the fields .* and .*; allowed: exactly one of"),
        ({"transcode": {"batch": 0}}, "batch"),
        ({"transcode": {"optimiser": "LUCK"}}, "LUCK"),
        ({"transcode": {"simulation": {}}}, "simulation"),
        ({"flexibert": {"space": "pyproject.toml"}}, "space is 'pyproject.toml'; allowed: JSON, or a name"),
        ({"flexibert": {"target": "mlm_accuracy"}}, ""),  # needs a corpus
        ({"flexibert": {"corpus": "README.md"}}, "corpus"),
        ({"flexibert": {"training": {"corpus": ["README.md"]}}}, "training"),
    ],
)
def test_settings_that_are_not_allowed_start_nothing(store, client, ask, recipe, said):
    answer = ask(SETTINGS, recipe=recipe)
    assert code(answer) == "BAD_USER_INPUT"
    assert re.search(said, answer["errors"][0]["message"])
    assert store.studies.list() == []
    assert not client.app.state.searches.running()


def test_all_settings_of_a_recipe_are_typed(client, ask):
    try:
        recipe = {"transcode": {"optimiser": "RANDOM", "models": "MEASURED", "weights": {"accuracy": 0.9}}}
        study = ask(SETTINGS, recipe=recipe, objective="published")["data"]["search"]
        assert (study["name"], study["recipe"]) == ("typed", "transcode")
        settings = study["settings"]
        assert (settings["optimiser"], settings["models"], settings["objective"]) == ("random", "measured", "published")
        assert settings["weights"] == {"accuracy": 0.9} and settings["batch"] == 4
    finally:
        for pid in client.app.state.searches.running():
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_what_is_registered_can_be_asked_for(ask):
    data = ask("{ domains { name spaces presets } simulators { name help mutation } recipes { name help } }")["data"]
    assert [domain["name"] for domain in data["domains"]] == list(registry.domains())
    for domain in data["domains"]:
        assert domain["spaces"] == list(registry.spaces(domain["name"]))
        assert domain["presets"] == list(registry.presets(domain["name"]))
    assert {"acceltran": "simulateAccelTran"}.items() <= {
        one["name"]: one["mutation"] for one in data["simulators"]
    }.items()
    assert [recipe["name"] for recipe in data["recipes"]] == list(registry.recipes())


def test_more_settings_than_the_usual_ones(ask):
    query = """mutation($own: JSON) { simulateAccelTran(model: { preset: "bert-tiny" }, accelerator: { preset: "edge" },
        sequenceLength: 64, schedule: EQUAL, library: $own) { settings } }"""
    settings = ask(query)["data"]["simulateAccelTran"]["settings"]
    assert (settings["sequence_length"], settings["schedule"], settings["engine"]) == (64, "equal", "detailed")
    assert code(ask(query, own="modules.yaml")) == "BAD_USER_INPUT"
    assert code(ask(query, own={"no such module": 1})) == "BAD_USER_INPUT"


def test_settings_that_would_have_no_effect_are_refused(ask):
    query = """mutation { simulateAccelTran(model: { preset: "bert-tiny" }, accelerator: { preset: "edge" },
        recompute: true) { key } }"""
    assert code(ask(query)) == "BAD_USER_INPUT"


def test_a_name_that_is_taken(store, ask):
    store.studies.create(StudyRecord("mine", "transcode", 0, 1, {}))
    assert code(ask(SEARCH, name="mine")) == "CONFLICT"


def test_no_more_searches_than_allowed(server_settings):
    def plan():
        raise AssertionError("nothing may be planned where there is no room")

    with pytest.raises(ConflictError, match="at most 0"):
        Searches(server_settings, maximum=0).start(plan)


def test_a_search_that_was_started_here_is_running_at_once_and_can_be_stopped(store, client, ask):
    try:
        assert ask(SEARCH, name="mine")["data"]["searchBoshcode"]["name"] == "mine"
        stopping = ask('mutation { stopStudy(name: "mine") { name state } }')
        assert stopping["data"]["stopStudy"] == {"name": "mine", "state": "RUNNING"}
        assert store.studies.get("mine").stopping
        assert code(ask('mutation { deleteStudy(name: "mine") }')) == "CONFLICT"
    finally:
        for pid in client.app.state.searches.running():
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert ask('{ study(name: "mine") { state } }')["data"]["study"]["state"] == "INTERRUPTED"
    assert code(ask('mutation { stopStudy(name: "mine") { name } }')) == "CONFLICT"
    assert ask('mutation { deleteStudy(name: "mine") }')["data"] == {"deleteStudy": "mine"}
    assert store.studies.list() == []
    assert code(ask('mutation { deleteStudy(name: "mine") }')) == "NOT_FOUND"
    assert code(ask('mutation { stopStudy(name: "mine") { name } }')) == "NOT_FOUND"
