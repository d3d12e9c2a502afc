"""Every Python example of README.md and docs/ runs, those of a page one after another as one program."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from graphdb.settings import Settings
from graphdb.store import Store
from tests.places import ROOT

TOY = "add-a-domain.md"
"""Its blocks are the files of a package, which its own test installs and compares."""
FILES = (ROOT / "README.md", *sorted(file for file in (ROOT / "docs").glob("*.md") if file.name != TOY))
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = {file.name: blocks for file in FILES if (blocks := _BLOCK.findall(file.read_text(encoding="utf-8")))}


def test_there_are_examples() -> None:
    assert set(BLOCKS) >= {"python.md", "graphdb.md", "gnn.md", "similarity.md", "models.md", "dynatran.md"}
    assert len(BLOCKS["python.md"]) >= 6


@pytest.mark.parametrize("name", BLOCKS)
def test_examples_run(
    store: Store, server_settings: Settings, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_DATA", str(server_settings.data_directory))
    for variable in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    shared: dict[str, Any] = {"__name__": "example"}
    for number, block in enumerate(BLOCKS[name], 1):
        exec(compile(block, f"{name}, block {number}", "exec"), shared)
