"""The API over the test database, and a client that speaks GraphQL to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.server.app import create_app
from graphdb.architecture import Architecture, Block, Edge
from graphdb.measurement import Measurement
from graphdb.settings import Settings
from graphdb.store import Store

Answer = dict[str, Any]
Ask = Callable[..., Answer]


@pytest.fixture
def client(store: Store, server_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(store, server_settings)) as client:
        yield client


@pytest.fixture
def production(store: Store, server_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(store, server_settings, production=True)) as client:
        yield client


@pytest.fixture
def ask(client: TestClient) -> Ask:
    """Ask a query and get the whole answer."""

    def ask(query: str, **variables: Any) -> Answer:
        return client.post("/graphql", json={"query": query, "variables": variables}).json()

    return ask


def network(number: int, *, layers: int = 2, space: str = "toy") -> Architecture:
    """A chain of blocks, distinct for each number."""
    blocks = [Block("input"), *(Block("attention", {"heads": number + 1}) for _ in range(layers)), Block("output")]
    edges = [Edge(i, i + 1, {"width": 8}) for i in range(layers + 1)]
    return Architecture.of(
        "transformer", space, {"number": number, "layers": layers, "sizes": [1, number]}, blocks, edges
    )


def machine(number: int) -> Architecture:
    """A small accelerator."""
    return Architecture.of("accelerator", "toy", {"pe": number}, [Block("array", {"count": number})], [])


def pair(model: Architecture, accelerator: Architecture, latency_s: float) -> Measurement:
    """A finished measurement of the two."""
    return Measurement(
        "toy",
        "1",
        {"model": model.key, "accelerator": accelerator.key},
        {"task": "inference"},
        {"latency_s": latency_s},
    )


def code(answer: Answer) -> str:
    """The code of the only error of an answer."""
    (error,) = answer["errors"]
    found: str = error["extensions"]["code"]
    return found
