"""What is stored comes back through the queries, in a number of database queries that does not grow."""

import dataclasses
import itertools

import numpy as np
import pytest

from explorer import registry
from explorer.distance.bounds import upper_bound
from explorer.distance.graph import PlacedGraph
from explorer.running.merits import hypervolumes
from explorer.services import studies
from graphdb.measurement import Measurement
from graphdb.records import NewTrial, StudyRecord, StudyState
from tests.api.conftest import code, machine, network, pair

FULL = """
query Page($first: Int! = 20, $after: String, $filter: ArchitectureFilter) {
  architectures(first: $first, after: $after, filter: $filter) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges {
      cursor
      node {
        key domain space fingerprint choices
        blocks { position kind attributes }
        edges { source target attributes }
        measurements {
          key simulator version seed settings
          measures { name value predicted }
          roles { role architecture { key domain } }
        }
      }
    }
  }
}
"""
KEYS = """
query Keys($first: Int!, $after: String, $filter: ArchitectureFilter) {
  architectures(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { key } }
  }
}
"""


@pytest.fixture
def stored(store):
    """Twelve networks, each measured on two machines."""
    networks, machines = [network(i) for i in range(12)], [machine(64), machine(128)]
    store.architectures.add([*networks, *machines])
    store.measurements.add(pair(n, m, (i + 1) / 1000) for i, n in enumerate(networks) for m in machines)
    return networks


def keys(answer):
    return [edge["node"]["key"] for edge in answer["data"]["architectures"]["edges"]]


def test_architecture_shows_all_that_is_stored(store, ask, stored):
    wanted = stored[3]
    answer = ask(
        """query($key: String!) { architecture(key: $key) {
             key domain space fingerprint choices blocks { position kind attributes } edges { source target attributes }
             measurements { key measures { name value predicted } roles { role architecture { key } } } } }""",
        key=wanted.key,
    )
    shown = answer["data"]["architecture"]
    assert (shown["key"], shown["domain"], shown["space"]) == (wanted.key, "transformer", "toy")
    assert shown["fingerprint"] == wanted.fingerprint
    assert shown["choices"] == wanted.choices
    assert shown["blocks"][1] == {"position": 1, "kind": "attention", "attributes": {"heads": 4}}
    assert shown["edges"][0] == {"source": 0, "target": 1, "attributes": {"width": 8}}
    assert len(shown["measurements"]) == 2
    for measurement in shown["measurements"]:
        assert measurement["measures"] == [{"name": "latency_s", "value": 0.004, "predicted": False}]
        assert {role["role"]: role["architecture"]["key"] for role in measurement["roles"]}["model"] == wanted.key


def test_architecture_by_prefix_and_none(ask, stored):
    key = stored[0].key
    query = "query($key: String!) { architecture(key: $key) { key } }"
    assert ask(query, key=key[:12])["data"]["architecture"]["key"] == key
    assert ask(query, key="0" * 64) == {"data": {"architecture": None}}
    assert code(ask(query, key="no-such-design")) == "BAD_USER_INPUT"


def test_pages_join_to_the_whole_listing_in_key_order(store, ask, stored):
    pages, after = [], None
    for _ in range(10):
        answer = ask(KEYS, first=5, after=after)
        pages.append(keys(answer))
        assert answer["data"]["architectures"]["totalCount"] == 14
        info = answer["data"]["architectures"]["pageInfo"]
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    assert [len(page) for page in pages] == [5, 5, 4]
    joined = list(itertools.chain(*pages))
    assert joined == sorted(joined) and len(set(joined)) == 14


def test_pages_hold_when_something_is_added_in_between(store, ask, stored):
    first = ask(KEYS, first=5)
    store.architectures.add([network(i) for i in range(50, 60)])
    after = first["data"]["architectures"]["pageInfo"]["endCursor"]
    rest = ask(KEYS, first=100, after=after)
    assert not set(keys(first)) & set(keys(rest))
    assert min(keys(rest)) > max(keys(first))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"domain": "accelerator"}, 2),
        ({"domain": "transformer", "space": "toy"}, 12),
        ({"space": "elsewhere"}, 0),
        ({"choices": [{"name": "number", "value": 7}]}, 1),
        ({"choices": [{"name": "number", "min": 2, "max": 4}]}, 3),
        ({"choices": [{"name": "number", "min": 10}]}, 2),
        ({"choices": [{"name": "sizes", "min": 9, "max": 9}]}, 1),
        ({"choices": [{"name": "layers", "value": 2}, {"name": "number", "max": 3}]}, 4),
        ({"measures": [{"name": "latency_s", "max": 0.003}], "domain": "transformer"}, 3),
        ({"measures": [{"name": "latency_s", "min": 0.011, "max": 0.011}], "domain": "transformer"}, 1),
        ({"measures": [{"name": "no_such_measure", "min": 0}]}, 0),
        ({"blockKind": "array"}, 2),
        ({"blockKind": "no such kind"}, 0),
    ],
)
def test_filters(ask, stored, condition, expected):
    answer = ask(KEYS, first=100, filter=condition)
    assert answer["data"]["architectures"]["totalCount"] == expected
    assert len(keys(answer)) == expected


@pytest.mark.parametrize(
    "condition",
    [
        {"choices": [{"name": "number"}]},
        {"choices": [{"name": "number", "value": 1, "min": 0}]},
        {"choices": [{"name": "number", "value": [1]}]},
        {"choices": [{"name": "number", "value": 1}, {"name": "number", "value": 2}]},
        {"choices": [{"name": "number", "min": 3, "max": 2}]},
        {"measures": [{"name": "latency_s"}]},
    ],
)
def test_malformed_filters_are_refused(ask, condition):
    assert code(ask(KEYS, first=1, filter=condition)) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "query",
    [
        "{ architectures(first: 0) { totalCount } }",
        "{ architectures(first: -1) { totalCount } }",
        "{ architectures(first: 101) { totalCount } }",
        '{ architectures(after: "nonsense") { totalCount } }',
        '{ architectures(after: "") { totalCount } }',
        '{ architectures(after: "a2V5Og==") { totalCount } }',
    ],
)
def test_malformed_pages_are_refused(ask, query):
    assert code(ask(query)) == "BAD_USER_INPUT"


def test_a_page_costs_the_same_number_of_database_queries_whatever_its_length(store, ask):
    networks, machines = [network(i) for i in range(100)], [machine(64), machine(128)]
    store.architectures.add([*networks, *machines])
    store.measurements.add(pair(n, m, 0.1) for n in networks for m in machines)
    spent = {}
    for first in (5, 100):
        before = store.query_counter
        answer = ask(FULL, first=first, filter={"domain": "transformer"})
        spent[first] = store.query_counter - before
        nodes = [edge["node"] for edge in answer["data"]["architectures"]["edges"]]
        assert len(nodes) == first
        assert all(len(node["measurements"]) == 2 and len(node["blocks"]) == 4 for node in nodes)
    # The page, its total, the measurements, the machines that took part in them.
    assert spent == {5: 4, 100: 4}


def test_trials_with_their_architectures_cost_a_fixed_number_too(store, ask):
    spent = {}
    for count in (3, 30):
        networks, accelerator = [network(i) for i in range(count)], machine(64)
        store.architectures.add([*networks, accelerator])
        store.studies.create(StudyRecord(f"s{count}", "toy", 0, count, {}))
        store.studies.ask(f"s{count}", [_trial(i, n, accelerator) for i, n in enumerate(networks)])
        before = store.query_counter
        answer = ask(
            """query($name: String!) { study(name: $name) {
                 trials(first: 30) { index roles { architecture { key blocks { kind } } } } } }""",
            name=f"s{count}",
        )
        spent[count] = store.query_counter - before
        assert len(answer["data"]["study"]["trials"]) == count
    assert spent[3] == spent[30] == 3


def _trial(index, model, accelerator):
    measurement = pair(model, accelerator, 1.0)
    pending = type(measurement)("toy", "1", measurement.roles, {"task": "training"}, {})
    return NewTrial(index, pending, "initial")


def test_relatives(store, ask, stored):
    keys = sorted(n.key for n in stored)
    for child in keys[1:4]:
        store.architectures.add_derived(child, keys[0], "crossover", {"ratio": 0.25})
    query = (
        "query($key: String!, $first: Int!) { architecture(key: $key) "
        "{ parents { how properties architecture { key } } children(first: $first) { architecture { key } } } }"
    )
    family = ask(query, key=keys[0], first=2)["data"]["architecture"]
    assert family["parents"] == []
    assert [item["architecture"]["key"] for item in family["children"]] == keys[1:3]
    child = ask(query, key=keys[1], first=1)["data"]["architecture"]
    assert child["parents"] == [{"how": "crossover", "properties": {"ratio": 0.25}, "architecture": {"key": keys[0]}}]
    assert code(ask(query, key=keys[0], first=101)) == "BAD_USER_INPUT"
    # The page in two domains, its total, all parents, all children.
    for first in (2, 5, len(keys)):
        before = store.query_counter
        ask(f"{{ architectures(first: {first}) {{ edges {{ node {{ parents {{ how }} children {{ how }} }} }} }} }}")
        assert store.query_counter - before <= 5


def test_similar(store, ask, stored):
    vectors = {n.key: [1.0, i / 10.0] + [0.0] * 30 for i, n in enumerate(stored)}
    store.embeddings.write("toy", vectors)
    query = (
        "query($key: String!, $k: Int!) { similar(key: $key, k: $k) { score architecture { key blocks { kind } } } }"
    )
    answer = ask(query, key=stored[0].key, k=3)
    similar = answer["data"]["similar"]
    assert [item["architecture"]["key"] for item in similar] == [n.key for n in stored[1:4]]
    assert 1 >= similar[0]["score"] > similar[1]["score"] > similar[2]["score"] > 0
    assert code(ask(query, key=stored[0].key, k=0)) == "BAD_USER_INPUT"
    assert code(ask(query, key=stored[0].key, k=101)) == "BAD_USER_INPUT"
    assert code(ask(query, key="0" * 64, k=1)) == "NOT_FOUND"


def test_similar_by_edit_distance(store, ask):
    space = registry.space("flexibert")
    generator = np.random.default_rng(0)
    models = [space.build(space.sample(generator)) for _ in range(6)]
    store.architectures.add(models)
    vectors = {model.key: [float(i)] + [0.0] * 127 for i, model in enumerate(models)}
    store.distances.write("toy", vectors)
    query = (
        "query($key: String!, $by: Likeness!, $again: Boolean) { similar(key: $key, k: 5, by: $by, rankAgain: $again) "
        "{ score distance atLeast estimated architecture { key } } }"
    )
    near = ask(query, key=models[0].key, by="DISTANCE", again=False)["data"]["similar"]
    assert [item["architecture"]["key"] for item in near] == [model.key for model in models[1:]]
    assert [item["distance"] for item in near] == pytest.approx([1.0, 4.0, 9.0, 16.0, 25.0], rel=1e-3)
    assert all(item["estimated"] and item["atLeast"] is None for item in near)
    again = ask(query, key=models[0].key, by="DISTANCE", again=True)["data"]["similar"]
    assert ask(query, key=models[0].key, by="DISTANCE")["data"]["similar"] == again
    assert all(not item["estimated"] and item["atLeast"] <= item["distance"] for item in again)
    place = registry.metric("transformer").place
    graphs = {model.key: PlacedGraph.of(model, place) for model in models}
    bounds = {key: upper_bound(graphs[models[0].key], graph) for key, graph in graphs.items()}
    assert [item["distance"] for item in again] == sorted(bounds.values())[1:]
    assert all(item["distance"] == bounds[item["architecture"]["key"]] for item in again)
    for by in ("BEHAVIOUR", "BEGINNING"):
        assert code(ask(query, key=models[0].key, by=by, again=True)) == "BAD_USER_INPUT"
    begun = ask(query, key=models[0].key, by="BEGINNING", again=False)["data"]["similar"]
    beginning = registry.metric("transformer").beginning
    choices = {model.key: model.choices for model in models}
    shared = [beginning(models[0].choices, choices[item["architecture"]["key"]]) for item in begun]
    assert shared == sorted(shared, reverse=True)
    of_node = """query($key: String!) { architecture(key: $key) {
        neighbours { distance architecture { key } }
        begun: neighbours(k: 5, by: BEGINNING) { architecture { key } } } }"""
    node = ask(of_node, key=models[0].key)["data"]["architecture"]
    assert node["neighbours"] == [{k: item[k] for k in ("distance", "architecture")} for item in again]
    assert [item["architecture"] for item in node["begun"]] == [item["architecture"] for item in begun]


def test_similar_without_embedding(ask, stored):
    assert code(ask("query($key: String!) { similar(key: $key) { score } }", key=stored[0].key)) == "NOT_FOUND"


def test_study_shows_its_trials(store, ask, stored):
    accelerator = machine(64)
    store.studies.create(StudyRecord("mine", "toy", 2**40, 4, {"batch": 2}))
    trials = [_trial(i, stored[i], accelerator) for i in range(3)]
    store.studies.ask("mine", trials)
    pending = trials[0].pending
    done = type(pending)(pending.simulator, pending.version, pending.roles, pending.settings, {"latency_s": 0.5})
    store.studies.tell("mine", 0, done)
    store.studies.fail("mine", 1, "too large")
    answer = ask(
        """{ study(name: "mine") { name recipe state budget seed message settings created
             counts { pending done failed }
             trials { index state origin message measurementKey
                      measures { name value } roles { role architecture { key } } }
             rest: trials(first: 1, after: 0) { index } } }"""
    )
    study = answer["data"]["study"]
    assert (study["state"], study["seed"], study["budget"], study["settings"]) == (
        "INTERRUPTED",
        2**40,
        4,
        {"batch": 2},
    )
    assert study["counts"] == {"pending": 1, "done": 1, "failed": 1}
    assert [trial["state"] for trial in study["trials"]] == ["DONE", "FAILED", "PENDING"]
    assert study["trials"][0]["measures"] == [{"name": "latency_s", "value": 0.5}]
    assert study["trials"][1]["message"] == "too large"
    assert study["trials"][2]["roles"][1]["architecture"]["key"] == stored[2].key
    assert study["rest"] == [{"index": 1}]
    assert study["created"]


def test_measures_say_what_they_are(store, ask, stored):
    query = """query($key: String!) { architecture(key: $key) { measurements(first: 1) {
        measures { name label unit direction } } } }"""
    (measured,) = ask(query, key=stored[0].key)["data"]["architecture"]["measurements"]
    declared = registry.measure("latency_s")
    assert measured["measures"] == [
        {"name": "latency_s", "label": declared.label, "unit": "s", "direction": "MINIMISE"},
    ]
    unknown = Measurement("toy", "1", {"model": stored[1].key}, {}, {"wing_span": 1.0})
    store.measurements.add([unknown])
    query = """query($key: String!) { architecture(key: $key) { measurements {
        measures { name label unit direction } } } }"""
    taken = ask(query, key=stored[1].key)["data"]["architecture"]["measurements"]
    measures = [measure for measurement in taken for measure in measurement["measures"]]
    assert {"name": "wing_span", "label": "wing span", "unit": "", "direction": None} in measures


def test_the_hypervolume_of_a_study_grows(store, ask):
    recipe = registry.recipe("transcode")
    studies.plan_study(store, recipe="transcode", budget=3, seed=0, name="volume")
    model, accelerator = registry.preset("bert-tiny"), registry.preset("edge")
    store.architectures.add([model, accelerator])
    measures = [dict.fromkeys(recipe.measures, 0.5) | {"latency_s": latency} for latency in (0.3, 0.2, 0.1)]
    pending = [
        Measurement("toy", "1", {"model": model.key, "accelerator": accelerator.key}, {"run": i}, {}) for i in range(3)
    ]
    store.studies.ask("volume", [NewTrial(i, one, "initial") for i, one in enumerate(pending)])
    for i, one in enumerate(pending):
        store.studies.tell("volume", i, dataclasses.replace(one, measures=measures[i]))
    query = '{ study(name: "volume") { trials { index hypervolume } rest: trials(after: 1) { hypervolume } } }'
    study = ask(query)["data"]["study"]
    record, trials = store.studies.get("volume"), store.studies.trials("volume")
    expected = hypervolumes(recipe, record, trials)
    assert [trial["hypervolume"] for trial in study["trials"]] == expected == sorted(expected)
    assert study["rest"] == [{"hypervolume": expected[2]}]


def test_studies_newest_first(store, ask):
    for name in ("one", "two", "three"):
        store.studies.create(StudyRecord(name, "toy", 0, 1, {}))
    names = [study["name"] for study in ask("{ studies { name } }")["data"]["studies"]]
    assert names == ["three", "two", "one"]
    assert len(ask("{ studies(first: 2) { name } }")["data"]["studies"]) == 2
    assert ask('{ study(name: "four") { name } }') == {"data": {"study": None}}


def _infeasible(store):
    """A study of two trials that both need more area than allowed."""
    studies.plan_study(
        store, recipe="transcode", budget=2, seed=0, name="strict", constraints=["max:area_mm2=10", "min:accuracy=0.5"]
    )
    model, accelerator = registry.preset("bert-tiny"), registry.preset("edge")
    store.architectures.add([model, accelerator])
    for i, area in enumerate((40.0, 15.0)):
        pending = Measurement("toy", "1", {"model": model.key, "accelerator": accelerator.key}, {"run": i}, {})
        store.studies.ask("strict", [NewTrial(i, pending, "initial")])
        measures = dict.fromkeys(registry.recipe("transcode").measures, 0.5) | {"area_mm2": area}
        store.studies.tell("strict", i, dataclasses.replace(pending, measures=measures))


def test_the_closest_trial_of_a_study_that_nothing_satisfies(store, ask):
    _infeasible(store)
    query = """{ study(name: "strict") { closest { trial violation sentence
        misses { measure value minimum maximum by share } ranges { measure seen feasible } } } }"""
    closest = ask(query)["data"]["study"]["closest"]
    assert (closest["trial"], closest["violation"]) == (1, 0.5)
    assert closest["misses"] == [
        {"measure": "area_mm2", "value": 15.0, "minimum": None, "maximum": 10.0, "by": 5.0, "share": 0.5}
    ]
    assert closest["ranges"] == [
        {"measure": "area_mm2", "seen": [15.0, 40.0], "feasible": [15.0, 40.0]},
        {"measure": "accuracy", "seen": [0.5, 0.5], "feasible": None},
    ]
    assert closest["sentence"].startswith("The closest is trial 1: area_mm2 is 15, above its maximum of 10 by 5 (50 %)")
    studies.plan_study(store, recipe="transcode", budget=2, seed=0, name="new")
    assert ask('{ study(name: "new") { closest { trial } } }')["data"]["study"]["closest"] is None


def test_a_study_is_running_only_while_a_process_holds_it(store, ask):
    store.studies.create(StudyRecord("mine", "transcode", 0, 4, {}))
    query = '{ study(name: "mine") { state } }'
    assert ask(query)["data"]["study"]["state"] == "INTERRUPTED"
    store.studies.lease("mine", "elsewhere:1", 600)
    assert ask(query)["data"]["study"]["state"] == "RUNNING"
    store.studies.release("mine", "elsewhere:1")
    store.studies.set_state("mine", StudyState.STOPPED)
    assert ask(query)["data"]["study"]["state"] == "STOPPED"
