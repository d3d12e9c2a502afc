"""What the operating system refuses, in one sentence; and limits of open files as a shell sets them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import neo4j
import pytest

from graphdb.database import Database
from graphdb.embedded import files
from graphdb.errors import UnavailableError
from graphdb.system_errors import has_too_many_files, sentence
from tests.places import ROOT


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/a"), "The disk of /data/a is full."),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full."),
        (OSError(errno.EMFILE, "Too many open files", "/data/a"), "raise the limit with: ulimit -n 1024."),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/data"), "/data cannot be used: Is a directory."),
        (OSError("it is odd."), "The operating system refuses: it is odd."),
    ],
)
def test_an_error_of_the_system_is_one_sentence(error: OSError, said: str) -> None:
    assert sentence(error).endswith(said)
    assert "\n" not in sentence(error)


def limited(limit: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python code in a shell with another limit of open files."""
    return subprocess.run(
        ["sh", "-c", f'ulimit {limit}; exec "{sys.executable}" -c "$0"', code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "EXPLORER_DATA": str(folder), "NEO4J_URI": ""},
        check=False,
    )


def test_a_server_that_may_not_open_its_files_is_not_started(tmp_path: Path) -> None:
    code = "import sys; sys.argv = ['explorer', 'db', 'start']; from explorer.cli.main import main; main()"
    done = limited("-n 256", code, tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr == (
        "Error: The embedded Neo4j needs 448 open files, and the limit is 256; raise it with: ulimit -n 1024.\n"
    )
    assert not (tmp_path / "data").exists()


def test_a_server_raises_its_limit_as_far_as_it_may(tmp_path: Path) -> None:
    code = (
        "import resource; from graphdb.system_errors import allow_more_files, allowed_files;"
        "allow_more_files(500); print(*resource.getrlimit(resource.RLIMIT_NOFILE), allowed_files());"
        "allow_more_files(5000); print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = limited("-Sn 256; ulimit -Hn 600", code, tmp_path)
    assert done.stdout.splitlines() == ["500 600 600", "600 600"], done.stderr


def test_a_connection_that_lacks_a_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise neo4j.exceptions.ServiceUnavailable("no connection") from OSError(errno.EMFILE, "Too many open files")

    with neo4j.GraphDatabase.driver("bolt://127.0.0.1:1") as driver:
        monkeypatch.setattr(driver, "verify_connectivity", refused)
        with pytest.raises(UnavailableError, match=r"Too many files are open \(the limit is \d+\); raise the limit"):
            Database(driver, "neo4j", "bolt://127.0.0.1:1").verify()
    assert not has_too_many_files(OSError(errno.ENOSPC, "No space left on device"))


def test_a_small_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(tmp_path / "server.json", "{}")
    assert list(tmp_path.iterdir()) == []
