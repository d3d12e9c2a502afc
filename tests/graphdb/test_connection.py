"""Opening the store: every way in which it cannot be reached is one sentence."""

from __future__ import annotations

import socket
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


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "NEO4J_URI": "bolt://h:1",
        "NEO4J_PASSWORD": "p",
        "EXPLORER_DATA": str(tmp_path),
        "NEO4J_USERNAME": "",
    }
    assert Settings.from_environment(environment) == Settings("bolt://h:1", "neo4j", "p", tmp_path, "neo4j")
    assert Settings.from_environment({}).data_directory == Path.cwd() / ".explorer"
