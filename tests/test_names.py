"""Nothing outside the folders of domains and recipes names one: all others find them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explorer import registry
from tests.places import ROOT

OWN = (ROOT / "explorer/domains", ROOT / "explorer/recipes")
TEXTS = sorted(
    path
    for floor in ("graphdb", "gnn", "explorer", "api")
    for path in (ROOT / floor).rglob("*")
    if path.is_file() and path.suffix != ".pyc" and not any(path.is_relative_to(own) for own in OWN)
)


def names() -> re.Pattern[str]:
    """Every registered name of a domain, space, simulator or recipe, also in the plural and however it is written."""
    known = {*registry.domains(), *registry.spaces(), *registry.simulators(), *registry.recipes()}
    return re.compile(rf"\b({'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))})s?\b", re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a Transformer is", True),
        ("Transformers", True),
        ("explorer search transcode", True),
        ("TransformerConv", False),
        ("transformation", False),
    ],
)
def test_names_are_found_as_words(text: str, named: bool) -> None:
    assert (names().search(text) is not None) == named


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_domain_is_named(path: Path) -> None:
    pattern = names()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if pattern.search(line)] == []
