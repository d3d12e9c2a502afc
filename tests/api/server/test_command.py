"""`explorer serve` as a user runs it: a process of its own, real HTTP and a real WebSocket.

What ends before anything is served runs in this process, which has imported the command line already.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
import websockets

from api.server.command import _allowed_hosts, serve
from explorer.cli import main
from tests.api.conftest import SNAPSHOT

SIGNALS = (signal.SIGTERM, signal.SIGINT)
EXPLORER = [sys.executable, "-m", "explorer.cli.main", "serve"]


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(store, server_settings, port):
    process = subprocess.Popen(
        [*EXPLORER, "--port", str(port)],
        env=server_settings.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_over_http_and_websocket(server):
    query = {"query": "{ studies { name } }"}
    expected = {"data": {"studies": []}}
    assert httpx.get(f"http://{server}/readyz").json() == {"status": "ok"}
    assert httpx.post(f"http://{server}/graphql", json=query).json() == expected
    assert httpx.get(f"http://{server}/graphql").status_code == 200
    assert httpx.post(f"http://{server}/graphql", json=query, headers={"host": "evil.example"}).status_code == 400
    assert asyncio.run(_over_websocket(server, query)) == expected
    large = {"query": "{ studies { name } }", "variables": {"a": "x" * 2_000_000}}
    assert httpx.post(f"http://{server}/graphql", json=large).status_code == 413


async def _over_websocket(server, query):
    async with websockets.connect(f"ws://{server}/graphql", subprotocols=["graphql-transport-ws"]) as connection:
        await connection.send('{"type": "connection_init"}')
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": query}))
        return json.loads(await connection.recv())["payload"]


def test_served_from_python_it_ends_by_a_signal_and_leaves_the_handlers(server_settings, monkeypatch, port):
    for name, value in server_settings.environment().items():
        monkeypatch.setenv(name, value)
    mine = signal.signal(signal.SIGINT, lambda *_: None)
    before = [signal.getsignal(number) for number in SIGNALS]

    def stop():
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/livez", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        with pytest.raises(SystemExit) as ended:
            serve(port=port, host="127.0.0.1", production=False, print_schema=False)
        assert ended.value.code == 0
        assert [signal.getsignal(number) for number in SIGNALS] == before
    finally:
        stopping.join()
        signal.signal(signal.SIGINT, mine)


def refusal(monkeypatch, capsys, *arguments):
    """What the command line says when it ends with status 2."""
    monkeypatch.setattr(sys, "argv", ["explorer", "serve", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_a_taken_port_ends_with_one_sentence_and_status_2(monkeypatch, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(monkeypatch, capsys, "--port", str(port))
    assert re.fullmatch(
        rf"Error: Port {port} of 127\.0\.0\.1 cannot be used: .*\. Choose another with --port\.\n", said
    )


def test_an_address_that_is_none_of_ours(monkeypatch, capsys):
    said = refusal(monkeypatch, capsys, "--host", "203.0.113.7")
    assert said.startswith("Error: Port 8000 of 203.0.113.7 cannot be used")


def test_print_schema_needs_no_database(tmp_path):
    done = subprocess.run(
        [*EXPLORER, "--print-schema"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True, timeout=300
    )
    assert done.stdout == SNAPSHOT.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "open_to_all"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)],
)
def test_only_loopback_is_closed_to_other_names(host, open_to_all):
    assert (_allowed_hosts(host) == ("*",)) is open_to_all
