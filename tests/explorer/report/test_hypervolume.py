"""The growth of the hypervolume."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.report.hypervolume import plot


@pytest.mark.parametrize("volumes", [[0.0, 0.0, 2e-9, 3e-9, 3e-9], [1.0]])
def test_the_files_are_pictures_and_repeat(tmp_path: Path, volumes: list[float]) -> None:
    files = plot(volumes, "a study", tmp_path / "new/volume")
    assert [file.name for file in files] == ["volume.png", "volume.svg"]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    text = files[1].read_text()
    assert all(word in text for word in ("a study", "trial", "hypervolume (% of the last)"))
    again = plot(volumes, "a study", tmp_path / "again/volume")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]
