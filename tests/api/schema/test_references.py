"""Every argument of the API that names an architecture takes a preset, a key, the beginning of a key, or JSON."""

import json

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from api.schema.build import build_schema
from api.schema.inputs import WAYS
from explorer import registry
from explorer.domains.transformer.multiplications import multiplication_count
from explorer.domains.transformer.parameters import parameter_count
from explorer.services.loading import load_published
from tests.api.conftest import code

SCHEMA = build_schema()
NAMES = {"key", "architecture", "design"}
KEYS = [
    (name, argument)
    for name, field in SCHEMA.query_type.fields.items()
    for argument, about in field.args.items()
    if argument in NAMES or about.description == WAYS
]
INPUTS = [
    (name, argument)
    for name, field in SCHEMA.mutation_type.fields.items()
    for argument, about in field.args.items()
    if get_named_type(about.type).name == "ArchitectureInput"
]


def ways(architecture, preset):
    document = {name: getattr(architecture, name) for name in ("domain", "space", "choices")}
    return {
        "preset": preset,
        "key": architecture.key,
        "beginning": architecture.key[:8],
        "JSON": json.dumps(document),
    }


def test_arguments_that_name_architectures_say_how():
    assert {name for name, _ in KEYS} >= {"architecture", "similar"}
    assert {name for name, _ in INPUTS} >= {"simulateAccelTran"}
    for name, argument in KEYS:
        assert SCHEMA.query_type.fields[name].args[argument].description == WAYS
    given = SCHEMA.type_map["ArchitectureInput"]
    assert isinstance(given, GraphQLInputObjectType) and given.fields["key"].description == WAYS


@pytest.mark.parametrize(("field", "argument"), KEYS)
def test_queries_take_all_ways(store, ask, field, argument):
    tiny = registry.preset("bert-tiny")
    presets = [registry.preset(name) for name in ("bert-tiny", "bert-mini")]
    store.architectures.add(presets)
    store.embeddings.write("toy", {one.key: [1.0, float(i)] + [0.0] * 30 for i, one in enumerate(presets)})
    answers = []
    for reference in ways(tiny, "bert-tiny").values():
        answer = ask(f"query($it: String!) {{ {field}({argument}: $it) {{ __typename }} }}", it=reference)
        assert "errors" not in answer, answer
        answers.append(answer["data"][field])
    assert answers[0] and all(answer == answers[0] for answer in answers)
    refused = ask(f"query($it: String!) {{ {field}({argument}: $it) {{ __typename }} }}", it="no-such-design")
    assert code(refused) == "BAD_USER_INPUT"
    assert "is no preset (" in refused["errors"][0]["message"]


def test_a_query_stores_nothing(store, ask):
    shown = ask('{ architecture(key: "bert-tiny") { key notes twins { key } measurements { key } blocks { kind } } }')
    assert shown["data"]["architecture"]["key"] == registry.preset("bert-tiny").key
    assert len(shown["data"]["architecture"]["blocks"]) == 12
    assert store.architectures.counts() == {}
    missing = ask('{ similar(key: "bert-tiny") { score } }')
    assert code(missing) == "NOT_FOUND"
    assert store.architectures.counts() == {}


@pytest.mark.parametrize(("field", "role"), INPUTS)
def test_mutations_take_all_ways(store, ask, field, role):
    """Refused only after the architecture is read: for a setting, which no design has."""
    entry = next(registry.simulator_entry(n) for n in registry.simulators() if field == f"simulate{_title(n)}")
    roles = registry.simulator(entry.name).roles
    preset = registry.presets(roles[role].domain)[0]
    store.architectures.add([registry.preset(preset)])
    others = " ".join(
        f'{n}: {{ preset: "{registry.presets(who.domain)[0]}" }}' for n, who in roles.items() if n != role
    )
    more = REQUIRED.get(entry.name, "")
    query = f"mutation($it: String!) {{ {field}({role}: {{ key: $it }} {others} {more}) {{ key notes }} }}"
    keys = set()
    for reference in ways(registry.preset(preset), preset).values():
        answer = ask(query, it=reference)
        assert "errors" not in answer, answer
        keys.add(answer["data"][field]["key"])
        assert answer["data"][field]["notes"] == []
    assert len(keys) == 1
    assert "is no preset (" in ask(query, it="no-such-design")["errors"][0]["message"]


REQUIRED = {"transcode": "accuracy: 0.86, accuracySource: MEASURED"}


def _title(simulator):
    entry = registry.simulator_entry(simulator)
    return entry.title or entry.name


def test_files_of_the_server_stay_out_of_reach(ask, tmp_path, monkeypatch):
    text = json.dumps(registry.preset("bert-tiny").choices)
    for name in ("model.json", "abcdef"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for reference in ("model.json", str(tmp_path / "model.json"), "-", "abcdef", ""):
        answer = ask("query($it: String!) { architecture(key: $it) { key } }", it=reference)
        assert answer.get("data") == {"architecture": None} or code(answer) == "BAD_USER_INPUT", reference


def test_notes_of_reading_are_part_of_the_answer(ask, monkeypatch):
    def reading(store, reference, *, domain=None, overrides=None, note=None):
        note("The design was put in order.")
        return registry.preset("bert-nano" if domain in (None, "transformer") else "edge")

    monkeypatch.setattr("api.schema.inputs.resolve_architecture", reading)
    shown = ask('{ architecture(key: "bert-tiny") { notes } }')["data"]["architecture"]
    assert shown["notes"] == ["The design was put in order."]
    query = """mutation { simulateAccelTran(model: { choices: {} }, accelerator: { key: "edge" }) { notes } }"""
    assert ask(query)["data"]["simulateAccelTran"]["notes"] == ["The design was put in order."] * 2


def test_facts_and_twins(store, ask):
    load_published(store)
    query = """{ architecture(key: "bert-tiny") { key facts { name value label unit }
        twins { key space measurements { measures { name value } } } } }"""
    shown = ask(query)["data"]["architecture"]
    choices = registry.preset("bert-tiny").choices
    facts = {one["name"]: one["value"] for one in shown["facts"]}
    assert facts == {"parameters": parameter_count(choices), "multiplications": multiplication_count(choices)}
    assert {one["label"] for one in shown["facts"]} == {"parameters", "multiplications for 128 tokens"}
    (twin,) = shown["twins"]
    assert twin["space"] == "flexibert_early" and twin["key"] != shown["key"]
    assert twin["measurements"][0]["measures"][0]["name"] == "qnli_accuracy"


def test_what_was_not_measured_is_filtered(store, ask):
    load_published(store)
    query = "query($m: Boolean) { architectures(filter: { measured: $m }, first: 1) { totalCount } }"
    total, yes, no = (ask(query, m=m)["data"]["architectures"]["totalCount"] for m in (None, True, False))
    assert total == yes + no and yes > 0 and no > 0
