"""Hostile requests are refused with a code or answered, and never take long.

The bound on processor time is some twenty times what is needed here; without the limits several of these texts take
seconds, or for ever.
"""

import json
import time

import pytest

from explorer import registry
from tests.api.conftest import code, network
from tests.api.server.test_limits import doubling

BOUND_S = 2.0
NESTED_LISTS = "[" * 100_000 + "]" * 100_000


@pytest.fixture(scope="module")
def imported():
    """Importing PyTorch takes seconds, once; the server does it while it starts."""
    from explorer.learning import similarity  # noqa: F401

    registry.recipe("transcode")


def post(client, query, **variables):
    began = time.process_time()
    response = client.post("/graphql", json={"query": query, "variables": variables})
    assert time.process_time() - began < BOUND_S
    assert response.status_code < 500
    return response.json()


def nested(levels):
    """Legal by the schema, deep through measurements, roles and architectures."""
    inner = "key"
    for _ in range(levels):
        inner = f"measurements(first: 1) {{ roles {{ architecture {{ {inner} }} }} }}"
    return '{ architecture(key: "aaaaaa") { ' + inner + " } }"


ATTACKS = {
    "nested 5,000 levels": ("{" + "a{" * 5_000 + "a" + "}" * 5_001, {"GRAPHQL_PARSE_FAILED"}),
    "nested 190 levels": ("{" + "a{" * 190 + "a" + "}" * 191, {"TOO_DEEP"}),
    "a legal chain of 13 levels": (nested(4), {"TOO_DEEP"}),
    "10,000 aliases": (
        "{" + " ".join(f"a{i}: studies {{ name }}" for i in range(10_000)) + "}",
        {"GRAPHQL_PARSE_FAILED"},
    ),
    "100 aliases": (
        '{ architecture(key: "aaaaaa") {' + " ".join(f"a{i}: key" for i in range(100)) + "} }",
        {"TOO_MANY_ALIASES"},
    ),
    "11 root fields": (
        "{" + " ".join(f"a{i}: studies {{ name }}" for i in range(11)) + "}",
        {"TOO_MANY_ROOT_FIELDS"},
    ),
    "300 equal selections": ("{" + "studies { name } " * 160 + "}", {"TOO_REPETITIVE"}),
    "300 equal scalars": ("{ studies {" + " name" * 300 + "} }", {"TOO_REPETITIVE"}),
    "equal selections at every level": (
        "{" + ("studies {" + ("trials {" + "measures { name } " * 5 + "} ") * 5 + "} ") * 5 + "}",
        {"TOO_REPETITIVE"},
    ),
    "equal selections through fragments": (
        "{"
        + " ".join(f"...F{i}" for i in range(40))
        + "}"
        + " ".join(f"fragment F{i} on Query {{ studies {{ name }} }}" for i in range(40)),
        {"TOO_REPETITIVE"},
    ),
    "5,000 directives": ("{ studies" + " @skip(if: false)" * 5_000 + " { name } }", {"GRAPHQL_PARSE_FAILED"}),
    "200 directives": ("{ studies" + " @skip(if: false)" * 100 + " { name } }", {"GRAPHQL_VALIDATION_FAILED"}),
    "cyclic fragments": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "cyclic through a field": (
        '{ architecture(key: "aaaaaa") { ...A } } fragment A on Architecture '
        "{ measurements { roles { architecture { ...A } } } }",
        {"TOO_DEEP"},
    ),
    "doubling 2^12": (doubling(12), {"TOO_COMPLEX", "TOO_DEEP", "TOO_MANY_ALIASES"}),
    "doubling 2^16": (doubling(16), {"TOO_COMPLEX", "TOO_DEEP", "TOO_MANY_ALIASES"}),
    "doubling 2^20": (doubling(20), {"TOO_COMPLEX", "TOO_DEEP", "TOO_MANY_ALIASES"}),
    "two nested pages of 100": (
        "{ studies(first: 100) { trials(first: 100) { index } } }",
        {"COST_EXCEEDED"},
    ),
    "pages nested through measurements": (
        "{ architectures(first: 100) { edges { node { measurements(first: 100) { key } } } } }",
        {"COST_EXCEEDED"},
    ),
    "ten searches at once": (
        "mutation {"
        + " ".join(f's{i}: searchBoshcode(recipe: "no", budget: 1, seed: {i}) {{ name }}' for i in range(10))
        + " more: __typename }",
        {"TOO_MANY_ROOT_FIELDS"},
    ),
    "a huge integer": ("{ architectures(first: " + "9" * 400 + ") { totalCount } }", {"GRAPHQL_VALIDATION_FAILED"}),
    "an infinite number": (
        '{ architectures(filter: { measures: [{ name: "latency_s", max: 1e400 }] }) { totalCount } }',
        {"BAD_USER_INPUT"},
    ),
    "many operations": (
        " ".join(f"query Q{i} {{ studies {{ name }} }}" for i in range(120)),
        {"BAD_USER_INPUT"},
    ),
    "a subscription": ("subscription { studies { name } }", {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}),
    "a schema definition": ("type Query { a: Int }", {"BAD_USER_INPUT"}),
    "an unknown field": ("{ studies { nmae } }", {"GRAPHQL_VALIDATION_FAILED"}),
    "a wrong type": ("{ architecture(key: 3) { key } }", {"GRAPHQL_VALIDATION_FAILED"}),
    "a missing argument": ("{ architecture { key } }", {"GRAPHQL_VALIDATION_FAILED"}),
    "no query language at all": ("SELECT * FROM users", {"GRAPHQL_PARSE_FAILED"}),
    "a lone surrogate": ('{ study(name: "\\ud800") { name } }', {"GRAPHQL_PARSE_FAILED"}),
    "60,000 characters": ("{ studies { name } } #" + "x" * 60_000, {"GRAPHQL_PARSE_FAILED"}),
    "5,000 comments": ("{ studies { name } }" + "\n#" * 5_000, {"GRAPHQL_PARSE_FAILED"}),
    "introspection in circles": (
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_refused(client, name):
    query, codes = ATTACKS[name]
    answer = post(client, query)
    assert not answer.get("data")
    assert {error["extensions"]["code"] for error in answer["errors"]} <= codes


def test_the_worst_texts_within_the_limits_are_answered_quickly(client):
    """As many repetitions as the limits let through, at as many places as the tokens let through."""
    inner = " ".join("measures { name name name name name }" for _ in range(2))
    blocks = " ".join(f"t{i}: trials(first: 1) {{ {inner} }}" for i in range(28))
    answer = post(client, f"{{ studies(first: 1) {{ {blocks} }} }}")
    assert answer == {"data": {"studies": []}}


@pytest.mark.parametrize("first", ["$n", "100"])
def test_defaults_of_variables_are_part_of_the_cost(client, first):
    query = f"query($n: Int! = 100) {{ studies(first: {first}) {{ trials(first: $n) {{ index }} }} }}"
    assert code(post(client, query)) == "COST_EXCEEDED"
    if first == "$n":
        assert post(client, query, n=2) == {"data": {"studies": []}}


def test_null_does_not_slip_below_the_cost(client):
    query = "query($n: Int) { studies(first: $n) { trials(first: $n) { index } } }"
    assert code(post(client, query, n=None)) in ("GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT")
    query = "query($n: Int = 100) { studies(first: $n) { trials(first: $n) { index } } }"
    assert code(post(client, query)) == "COST_EXCEEDED"
    for error in post(client, query, n=None)["errors"]:
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_legal_page_of_100_with_everything_passes(client):
    query = """{ architectures(first: 100) { totalCount edges { node { blocks { kind } edges { source }
        measurements { measures { name value } roles { role architecture { key } } } } } } }"""
    assert post(client, query)["data"]["architectures"]["totalCount"] == 0


def test_graphiqls_own_introspection_passes(client):
    from graphql import get_introspection_query

    answer = post(client, get_introspection_query(input_value_deprecation=True, specified_by_url=True))
    assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'[{"query": "{ studies { name } }"}]', "application/json", 400),
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"{ studies { name } }"', "application/json", 400),
        (b'{"query": null}', "application/json", 400),
        (b'{"query": {"a": 1}}', "application/json", 400),
        (b'{"query": "{ studies { name } }", "variables": [1]}', "application/json", 400),
        (b'{"query": "{ studies { name } }", "operationName": 3}', "application/json", 400),
        (b'{"query": "{ studies { name } }", "variables": {"a": "\\ud800"}}', "application/json", 400),
        (
            b'{"query": "{ studies { name } }", "variables": {"a": ' + NESTED_LISTS.encode() + b"}}",
            "application/json",
            400,
        ),
        (b'{"query": "{ studies { name } }"}', "text/plain", 415),
        (b"query=%7Bstudies%7Bname%7D%7D", "application/x-www-form-urlencoded", 415),
        (b'{"query": "{ studies { name } }"}', "", 415),
    ],
)
def test_bodies_that_are_no_request(client, body, content_type, status):
    response = client.post("/graphql", content=body, headers={"content-type": content_type})
    assert response.status_code == status
    assert code(response.json()) == "BAD_REQUEST"


def test_multipart_is_refused(client):
    operations = json.dumps({"query": "{ studies { name } }"})
    response = client.post("/graphql", files={"operations": (None, operations), "map": (None, "{}")})
    assert response.status_code == 415


def test_large_bodies_are_refused_before_they_are_read(client):
    body = json.dumps({"query": "{ studies { name } }", "variables": {"a": "x" * 1_000_000}}).encode()
    response = client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, code(response.json())) == (413, "TOO_LARGE")

    def chunks():
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    response = client.post("/graphql", content=chunks(), headers={"content-type": "application/json"})
    assert (response.status_code, code(response.json())) == (413, "TOO_LARGE")


def test_queries_in_the_address_are_not_executed(client):
    response = client.get("/graphql", params={"query": "{ studies { name } }"})
    assert response.headers["content-type"].startswith("text/html")
    assert client.put("/graphql", json={"query": "{ studies { name } }"}).status_code == 405


INJECTIONS = [
    "' OR 1=1 //",
    '" }) DETACH DELETE n //',
    "`) MATCH (n) DETACH DELETE n //",
    "\u0060 MATCH (n) DETACH DELETE n",
    "\\u0060) MATCH (n) DETACH DELETE n //",
    "$keys",
    "a\tb\nc\rd\x00e",
    "'; CALL apoc.cypher.run('MATCH (n) DETACH DELETE n', {}) //",
    "../../../etc/passwd",
    "/etc/passwd",
    "-",
    "pyproject.toml",
    "x" * 100_000,
    "é𝔘\u202e",
    "{{7*7}}${7*7}",
    "",
]
PLACES = {
    "architecture.key": "query($s: String!) { architecture(key: $s) { key } }",
    "architectures.after": "query($s: String!) { architectures(after: $s) { totalCount } }",
    "filter.domain": "query($s: String!) { architectures(filter: { domain: $s }) { totalCount } }",
    "filter.space": "query($s: String!) { architectures(filter: { space: $s }) { totalCount } }",
    "filter.blockKind": "query($s: String!) { architectures(filter: { blockKind: $s }) { totalCount } }",
    "choice.name": "query($s: String!) { architectures(filter: { choices: [{ name: $s, value: 1 }] }) { totalCount } }",
    "choice.range": "query($s: String!) { architectures(filter: { choices: [{ name: $s, min: 1 }] }) { totalCount } }",
    "choice.value": """query($s: JSON!) {
        architectures(filter: { choices: [{ name: "a", value: $s }] }) { totalCount } }""",
    "measure.name": "query($s: String!) { architectures(filter: { measures: [{ name: $s, min: 0 }] }) { totalCount } }",
    "similar.key": "query($s: String!) { similar(key: $s, k: 1) { score } }",
    "study.name": "query($s: String!) { study(name: $s) { name } }",
    "simulate.preset": """mutation($s: String!) {
        simulateAccelTran(model: { preset: $s }, accelerator: { preset: $s }) { key } }""",
    "simulate.key": "mutation($s: String!) { simulateAccelTran(model: { key: $s }, accelerator: { key: $s }) { key } }",
    "simulate.space": """mutation($s: String!) { simulateAccelTran(
        model: { domain: "transformer", space: $s, choices: {} }, accelerator: { preset: "edge" }) { key } }""",
    "simulate.domain": """mutation($s: String!) { simulateAccelTran(
        model: { domain: $s, space: "flexibert2", choices: {} }, accelerator: { preset: "edge" }) { key } }""",
    "simulate.choices": """mutation($s: JSON!) { simulateAccelTran(
        model: { choices: $s }, accelerator: { preset: "edge" }) { key } }""",
    "search.recipe": "mutation($s: String!) { searchBoshcode(recipe: $s, budget: 1, seed: 0) { name } }",
    "search.objective": """mutation($s: String!) {
        searchBoshcode(recipe: "transcode", budget: 1, seed: 0, objective: $s) { name } }""",
    "search.name": 'mutation($s: String!) { searchBoshcode(recipe: "no", name: $s, budget: 1, seed: 0) { name } }',
    "search.settings": """mutation($s: JSON!) {
        search(recipe: { flexibert: { space: $s } }, budget: 1, seed: 0) { name } }""",
    "search.settings.text": """mutation($s: String!) {
        search(recipe: { flexibert: { target: $s } }, budget: 1, seed: 0) { name } }""",
    "search.constraint": """mutation($s: String!) { searchBoshcode(
        recipe: "transcode", budget: 1, seed: 0, constraints: [{ measure: $s, max: 1 }]) { name } }""",
}


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("place", PLACES)
def test_no_string_reaches_the_database_as_anything_but_a_value(store, client, place):
    canary = network(1)
    store.architectures.add([canary])
    for text in INJECTIONS:
        answer = post(client, PLACES[place], s=text)
        for error in answer.get("errors", ()):
            assert error["extensions"]["code"] in ("BAD_USER_INPUT", "NOT_FOUND"), (text, error)
            assert "root:" not in error["message"] and "[build-system]" not in error["message"]
    assert store.architectures.get(canary.key) == canary
    assert store.architectures.counts() == {"transformer/toy": 1}
    assert store.studies.list() == []
