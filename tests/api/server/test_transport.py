"""WebSocket clients get the same answers and meet the same limits as over HTTP."""

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api.server.app import create_app
from api.server.limits import Limits
from tests.api.test_attacks import ATTACKS

PROTOCOL = ["graphql-transport-ws"]


@pytest.fixture
def socket(client):
    with client.websocket_connect("/graphql", subprotocols=PROTOCOL) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        yield socket


def subscribe(socket, query, identifier="1", **variables):
    payload = {"query": query, "variables": variables}
    socket.send_json({"type": "subscribe", "id": identifier, "payload": payload})
    return socket.receive_json()


def closed(socket):
    with pytest.raises(WebSocketDisconnect) as caught:
        socket.receive_json()
    return caught.value.code


def test_queries(socket):
    for identifier in ("1", "2"):
        answer = subscribe(socket, "{ studies { name } }", identifier)
        assert answer == {"type": "next", "id": identifier, "payload": {"data": {"studies": []}}}
        assert socket.receive_json() == {"type": "complete", "id": identifier}


def test_ping(socket):
    socket.send_json({"type": "ping"})
    assert socket.receive_json() == {"type": "pong"}


@pytest.mark.parametrize("name", ATTACKS)
def test_limits_are_those_of_http(socket, name):
    query, codes = ATTACKS[name]
    answer = subscribe(socket, query)
    errors = answer["payload"] if answer["type"] == "error" else answer["payload"]["errors"]
    assert {error["extensions"]["code"] for error in errors} <= codes


def test_the_connection_survives_a_refused_query(socket):
    subscribe(socket, "{ nothing }")
    assert subscribe(socket, "{ studies { name } }", "2")["payload"] == {"data": {"studies": []}}


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[]",
        "null",
        "{}",
        '{"type": 3}',
        '{"type": "unknown"}',
        '{"type": "subscribe", "payload": {"query": "{ studies { name } }"}}',
        '{"type": "subscribe", "id": {}, "payload": {"query": "{ studies { name } }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 3}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ studies { name } }", "variables": "x"}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ studies { name } }", "variables": {"a": "\\ud800"}}}',
        "[" * 100_000,
    ],
)
def test_messages_of_another_form_close_with_4400(socket, text):
    socket.send_text(text)
    assert closed(socket) == 4400


def test_binary_messages_close_with_4400(socket):
    socket.send_bytes(b"{}")
    assert closed(socket) == 4400


def test_large_messages_close_with_1009(socket):
    socket.send_text("x" * 1_000_001)
    assert closed(socket) == 1009


def test_subscribing_before_the_connection_is_acknowledged(client):
    with client.websocket_connect("/graphql", subprotocols=PROTOCOL) as socket:
        socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": "{ studies { name } }"}})
        assert closed(socket) == 4401


def test_initialising_twice(socket):
    socket.send_json({"type": "connection_init"})
    assert closed(socket) == 4429


def test_clients_that_never_initialise_are_dropped(store, server_settings):
    with (
        TestClient(create_app(store, server_settings, limits=Limits(execution_s=0.1))) as client,
        client.websocket_connect("/graphql", subprotocols=PROTOCOL) as socket,
    ):
        assert closed(socket) == 4408


@pytest.mark.parametrize("subprotocols", [None, ["graphql-ws"]])
def test_other_protocols_are_refused(client, subprotocols):
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect("/graphql", subprotocols=subprotocols),
    ):
        pass
    assert caught.value.code == 4406


def test_pages_of_other_origins_are_refused(client):
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect("/graphql", subprotocols=PROTOCOL, headers={"origin": "http://evil.example"}),
    ):
        pass
    assert caught.value.code == 4403
    headers = {"origin": "http://testserver"}
    with client.websocket_connect("/graphql", subprotocols=PROTOCOL, headers=headers) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}


@pytest.mark.parametrize(("address", "status"), [("http://evil.example", 400), ("http://localhost:8000", 200)])
def test_names_that_are_not_ours_are_refused(store, server_settings, address, status):
    app = create_app(store, server_settings, allowed_hosts=["localhost"])
    with TestClient(app, base_url=address) as client:
        assert client.post("/graphql", json={"query": "{ studies { name } }"}).status_code == status
