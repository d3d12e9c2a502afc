"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from explorer.report import figure
from explorer.toolkit.replacing import replacing, unwritten
from graphdb.errors import ExplorerError, InputError, StorageFullError


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that exists."""
    (tmp_path / "a.csv").write_text("old")
    return tmp_path / "a.csv"


def test_a_whole_file_takes_the_place_of_the_old_one(old: Path) -> None:
    with replacing(old) as part:
        assert part.suffix == ".csv"
        part.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]
    with replacing(old.parent / "deep" / "b") as part:
        part.write_text("b")
    assert (old.parent / "deep" / "b").read_text() == "b"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StorageFullError, "The disk of {0} is full, so {1} cannot"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), StorageFullError, "The disk of {0} is full, so {1} cannot"),
        (OSError(errno.EIO, "Input/output error"), InputError, "{1} cannot be written: Input/output error; what"),
    ],
)
def test_an_error_leaves_the_old_file_and_nothing_else(
    old: Path, error: OSError, kind: type[ExplorerError], said: str
) -> None:
    with pytest.raises(kind) as caught, replacing(old) as part:
        part.write_text("half")
        raise error
    assert str(caught.value).startswith(said.format(old.parent, old))
    assert str(caught.value).endswith("what it held before stays.")
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("error", [ValueError("no number"), KeyboardInterrupt()])
def test_other_errors_pass_and_leave_nothing_either(old: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), replacing(old) as part:
        part.write_text("half")
        raise error
    assert list(old.parent.iterdir()) == [old]


def test_a_file_that_was_not_there_is_not_said_to_stay(tmp_path: Path) -> None:
    refused = unwritten(tmp_path / "a.png", OSError(errno.EACCES, "Permission denied"), "picture")
    assert str(refused) == f"The picture {tmp_path / 'a.png'} cannot be written: Permission denied."


def test_a_picture_on_a_full_disk_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, _ = figure.subplots(1, 1, (2, 2))

    def full(self: object, file: Path, **_: object) -> None:
        Path(file).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(drawn), "savefig", full)
    with pytest.raises(StorageFullError, match=r"is full, so the picture .*p\.png cannot be written\."):
        figure.save(drawn, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []
