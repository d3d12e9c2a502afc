"""The API over the test database, and a client that speaks GraphQL to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.server.app import create_app
from api.server.limits import Limits
from graphdb.architecture import Architecture, Block, Edge
from graphdb.measurement import Measurement
from graphdb.settings import Settings
from graphdb.store import Store
from tests.places import ROOT

EXAMPLES = ROOT / "docs" / "graphql"
SNAPSHOT = EXAMPLES / "schema.graphql"
PATIENT = Limits(execution_s=600)
"""No test rests on how fast the machine is; the usual limits hold otherwise."""
Answer = dict[str, Any]
Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def session_client(session_store: Store, server_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(session_store, server_settings, limits=PATIENT)) as client:
        yield client


@pytest.fixture(scope="session")
def session_production(session_store: Store, server_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(session_store, server_settings, limits=PATIENT, production=True)) as client:
        yield client


@pytest.fixture
def client(session_client: TestClient, store: Store) -> TestClient:
    """The API over an emptied store."""
    return session_client


@pytest.fixture
def production(session_production: TestClient, store: Store) -> TestClient:
    """The same as in production."""
    return session_production


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
    return str(error["extensions"]["code"])
