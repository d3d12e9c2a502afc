"""Files are replaced as a whole, or stay as they were."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from explorer.domains.transformer.training.checkpoint import read_tensors, write_tensors, write_text
from graphdb.errors import InputError

LARGEST = 20_000


@pytest.fixture
def little_room() -> Iterator[None]:
    """No file may grow beyond 20,000 bytes, which fails a write as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    for value in (1.0, 2.0):
        write_tensors(file, {"w": torch.full((3,), value)}, {"step": "1"})
        tensors, metadata = read_tensors(file, "file")
        assert tensors["w"].tolist() == [value] * 3
        assert metadata["step"] == "1"
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize(
    "write",
    [
        lambda file: write_tensors(file, {"w": torch.zeros(LARGEST)}, {}),
        lambda file: write_text(file, "x" * 2 * LARGEST),
    ],
)
def test_without_room_the_old_file_stays(write: Callable[[Path], None], tmp_path: Path, little_room: None) -> None:
    file = tmp_path / "kept"
    file.write_text("before")
    with pytest.raises(InputError, match=r"kept cannot be written: .*; what it held before stays\.$"):
        write(file)
    assert file.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none/a\.txt cannot be written: No such file or directory"):
        write_text(tmp_path / "none" / "a.txt", "text")
