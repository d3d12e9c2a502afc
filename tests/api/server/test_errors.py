"""Errors carry a code; what is not on purpose reaches the log and not the client."""

import logging

import pytest
from graphql import GraphQLError
from starlette.testclient import TestClient

from api.server.app import create_app
from api.server.errors import ErrorFormatter
from api.server.limits import Limits
from graphdb.connection import open_store
from graphdb.errors import ConflictError, InputError, NotFoundError, UnavailableError
from graphdb.records import StudyRecord
from tests.api.conftest import code

MISSPELT = "{ studies { nam } }"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InputError("a"), "BAD_USER_INPUT"),
        (NotFoundError("a"), "NOT_FOUND"),
        (ConflictError("a"), "CONFLICT"),
        (UnavailableError("a"), "UNAVAILABLE"),
    ],
)
def test_errors_on_purpose_keep_their_sentence_and_code(error, expected):
    formatted = ErrorFormatter(hints=True)(GraphQLError("a", original_error=error))
    assert (formatted["message"], formatted["extensions"]) == ("a", {"code": expected})


def test_other_errors_are_masked_and_logged(caplog):
    secret = ZeroDivisionError("the password is swordfish")
    nested = GraphQLError("wrapped", original_error=GraphQLError(str(secret), original_error=secret))
    with caplog.at_level(logging.ERROR, "explorer.api"):
        formatted = ErrorFormatter(hints=True)(nested, debug=True)
    assert formatted["message"] == "internal error"
    assert formatted["extensions"]["code"] == "INTERNAL"
    assert "swordfish" not in str(formatted)
    assert "swordfish" in caplog.text


def test_a_fault_of_ours_reaches_nobody_but_the_log(server_settings, caplog):
    with TestClient(create_app(None, server_settings)) as client, caplog.at_level(logging.ERROR, "explorer.api"):
        response = client.post("/graphql", json={"query": "{ studies { name } }"})
    answer = response.json()
    assert code(answer) == "INTERNAL"
    assert "NoneType" not in response.text
    identifier = answer["errors"][0]["extensions"]["requestId"]
    assert identifier == response.headers["x-request-id"]
    assert identifier in caplog.text and "NoneType" in caplog.text


def test_hints_at_names_are_for_development_only(client, production):
    assert 'Did you mean "name"' in _message(client).replace("'", '"')
    assert "Did you mean" not in _message(production)
    assert _message(production).startswith("Cannot query field")


def _message(client):
    return client.post("/graphql", json={"query": MISSPELT}).json()["errors"][0]["message"]


def test_no_introspection_in_production(production):
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'):
        answer = production.post("/graphql", json={"query": query}).json()
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
    answer = production.post("/graphql", json={"query": "{ __typename studies { __typename } }"}).json()
    assert answer == {"data": {"__typename": "Query", "studies": []}}


def test_no_page_in_production(client, production):
    assert production.get("/graphql").status_code == 405
    page = client.get("/graphql")
    assert page.status_code == 200 and "graphiql" in page.text


def test_variables_of_the_wrong_type(ask):
    query = "query($first: Int!) { architectures(first: $first) { totalCount } }"
    for value in ("five", 1.5, None, True, 2**40, [1]):
        assert code(ask(query, first=value)) == "BAD_USER_INPUT"
    assert code(ask(query)) == "BAD_USER_INPUT"
    query = "query($filter: ArchitectureFilter) { architectures(filter: $filter) { totalCount } }"
    assert code(ask(query, filter={"domian": "transformer"})) == "BAD_USER_INPUT"
    assert code(ask(query, filter={"choices": [{"name": "a", "value": 2**70}]})) == "BAD_USER_INPUT"


def test_one_failing_field_leaves_the_others(store, ask):
    store.studies.create(StudyRecord("toy", "no such recipe", 0, 1, {}))
    answer = ask('{ a: study(name: "toy") { name pareto { index } } b: study(name: "toy") { name } }')
    assert answer["data"] == {"a": None, "b": {"name": "toy"}}
    assert (answer["errors"][0]["path"], code(answer)) == (["a", "pareto"], "BAD_USER_INPUT")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_an_answer_that_takes_too_long_is_given_up(store, server_settings):
    with TestClient(create_app(store, server_settings, limits=Limits(execution_s=1e-6))) as client:
        answer = client.post("/graphql", json={"query": "{ studies { name } }"}).json()
    assert code(answer) == "TIMEOUT"


def test_health(client):
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_without_the_database(server_settings):
    with open_store(server_settings) as store:
        pass
    with TestClient(create_app(store, server_settings)) as client:
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert code(client.post("/graphql", json={"query": "{ studies { name } }"}).json()) == "UNAVAILABLE"


def test_operation_names(client, ask):
    query = "query A { studies { name } } query B { studies(first: 1) { state } }"
    for name, status in ((None, 400), ("C", 400), ("A", 200), ("B", 200)):
        response = client.post("/graphql", json={"query": query, "operationName": name})
        assert response.status_code == status
        assert ("errors" in response.json()) == (status == 400)
