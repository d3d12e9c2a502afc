"""Only the very jars of the lock file are used, and nothing half-written is left."""

from __future__ import annotations

import errno
import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest

from graphdb.embedded import jars
from graphdb.errors import ProvisionError, StorageFullError

JAR = jars.Jar("com.lihaoyi", "sourcecode_3", "0.4.2", "", 3, "0" * 64)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and a lock file of one jar."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "locked_jars", lambda: (JAR,))
    return tmp_path / "cache"


def _files(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def _downloads(content: bytes) -> object:
    def download(jar: jars.Jar, scratch: Path) -> Path:
        path = scratch / jar.file_name
        path.write_bytes(content)
        return path

    return download


def test_the_lock_file_is_complete_and_names_no_host() -> None:
    text = files("graphdb.embedded").joinpath("jars.csv").read_text(encoding="utf-8")
    locked = jars.locked_jars()
    assert len({jar.file_name for jar in locked}) == len(locked) == 225
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) and jar.size_bytes > 0 for jar in locked)
    assert {(jar.group, jar.artifact, jar.version) for jar in locked} >= {
        ("org.neo4j", artifact, jars.NEO4J_VERSION) for artifact in ("neo4j", "neo4j-bolt", "neo4j-kernel")
    }
    assert "://" not in text


def test_a_jar_with_another_sum_is_refused_and_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "_download", _downloads(b"bad"))
    with pytest.raises(ProvisionError, match=r"sourcecode_3-0\.4\.2\.jar.*SHA-256"):
        jars.provision()
    assert _files(cache) == []


def test_a_damaged_jar_in_the_cache_is_fetched_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = jars.Jar("g", "a", "1", "", 4, hashlib.sha256(b"good").hexdigest())
    monkeypatch.setattr(jars, "locked_jars", lambda: (good,))
    monkeypatch.setattr(jars, "_download", _downloads(b"good"))
    seen: list[tuple[int, int]] = []
    directory = jars.provision(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]
    (directory / good.file_name).write_bytes(b"goo")
    assert (jars.provision() / good.file_name).read_bytes() == b"good"
    assert jars.provision(lambda *_: pytest.fail("nothing is missing")) == directory


def test_programs_that_start_together_fetch_each_jar_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = jars.Jar("g", "a", "1", "", 4, hashlib.sha256(b"good").hexdigest())
    monkeypatch.setattr(jars, "locked_jars", lambda: (good,))
    both, fetched = threading.Barrier(2, timeout=60), []
    fetch = _downloads(b"good")

    def download(jar: jars.Jar, scratch: Path) -> Path:
        fetched.append(jar)
        return fetch(jar, scratch)  # type: ignore[operator]

    def start(_: int) -> Path:
        both.wait()
        return jars.provision()

    monkeypatch.setattr(jars, "_download", download)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(start, range(2))
    assert first == second
    assert fetched == [good]


def test_without_a_network_it_is_one_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ProvisionError, match="cannot be fetched") as caught:
        jars.provision()
    assert "\n" not in str(caught.value)
    assert _files(cache) == []


def test_a_full_disk_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(jars, "_download", full)
    with pytest.raises(StorageFullError, match="full"):
        jars.provision()
    assert _files(cache) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file"))
    with pytest.raises(ProvisionError, match="cannot be written"):
        jars.provision()
