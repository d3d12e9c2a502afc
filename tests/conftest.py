"""The real embedded Neo4j, started once for each worker of a test run in a directory of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from graphdb import embedded
from graphdb.connection import open_store
from graphdb.settings import Settings
from graphdb.store import Store

# The same few examples in every run, so that a change alone decides whether the tests pass. To look for new ones:
# pytest --hypothesis-profile=search. No deadline: how long an example takes says more about the machine than about us.
hypothesis.settings.register_profile("search", derandomize=False, max_examples=500, deadline=None)
hypothesis.settings.register_profile("repeatable", derandomize=True, max_examples=25, deadline=None)
hypothesis.settings.load_profile("repeatable")

# Servers of tests live for minutes: compiling them less takes half of what a start costs.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
# Two workers share two cores. Said before anything imports PyTorch, and inherited by what the tests start.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module", autouse=True)
def signals_as_before() -> Iterator[None]:
    """No module of tests leaves a handler behind, which would end the run in the middle of another test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    left = {number: signal.getsignal(number) for number in before}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert left == before


@pytest.fixture(scope="session")
def server_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a running embedded server, which ends with the test run."""
    settings = Settings(data_directory=tmp_path_factory.mktemp("server"))
    embedded.start(settings.data_directory)
    try:
        yield settings
    finally:
        embedded.stop(settings.data_directory, timeout_s=0)


@pytest.fixture(scope="session")
def session_store(server_settings: Settings) -> Iterator[Store]:
    """The store of that server, with whatever earlier tests left in it."""
    with open_store(server_settings) as opened:
        yield opened


@pytest.fixture
def store(session_store: Store) -> Store:
    """An emptied store."""
    session_store.wipe()
    return session_store
