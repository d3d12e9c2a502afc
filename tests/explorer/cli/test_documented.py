"""Every command line that README.md and docs/ show is one that `explorer` understands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from explorer import registry
from graphdb.errors import InputError
from tests.explorer.cli.parsing import parse, words_of
from tests.places import ROOT

TOY = "add-a-domain.md"
"""Its commands are those of a package that only its own test installs."""
FILES = (ROOT / "README.md", *sorted(file for file in (ROOT / "docs").glob("*.md") if file.name != TOY))
_BLOCK = re.compile(r"^(?:```.*?^```|(?: {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(explorer \w[^`]*)`")
_PLACEHOLDER = re.compile(r"explorer \w+ <")
"""Stands for any command of a group."""
_PROMPT = re.compile(r"^\s*(?:\$ )?(?=explorer )")


def blocks(text: str) -> Iterator[str]:
    """Command lines of code blocks."""
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if _PROMPT.match(line):
                yield _PROMPT.sub("", line)


def spans(text: str) -> Iterator[str]:
    """Commands in backticks, which a sentence may name without all that they need."""
    named = (" ".join(span.split()) for span in _SPAN.findall(_BLOCK.sub("", text)))
    return (span for span in named if not _PLACEHOLDER.match(span))


TEXTS = {file.name: file.read_text(encoding="utf-8") for file in FILES}
WHOLE = sorted({(name, line) for name, text in TEXTS.items() for line in blocks(text)})
NAMED = sorted({(name, line) for name, text in TEXTS.items() for line in spans(text)})


def test_there_are_command_lines() -> None:
    assert len(WHOLE) > 15
    assert len(NAMED) > 40


@pytest.mark.parametrize(("file", "line"), WHOLE)
def test_command_lines_are_understood(file: str, line: str) -> None:
    parse(words_of(line))


@pytest.mark.parametrize(("file", "line"), NAMED)
def test_commands_that_are_named_are_known(file: str, line: str) -> None:
    try:
        parse(words_of(line))
    except InputError:
        raise
    except Exception as error:
        reason = str(getattr(error, "format_message", lambda: "refused")())
        assert reason == "" or reason.startswith("Missing"), reason  # the help of a group, or what is left out


@pytest.mark.parametrize("name", registry.simulators(shown=True))
def test_examples_of_simulators_are_understood(name: str) -> None:
    example = registry.simulator_entry(name).example
    assert not example or parse(words_of(example))


@pytest.mark.parametrize("name", registry.recipes())
def test_examples_of_recipes_are_understood(name: str) -> None:
    assert parse(words_of(registry.recipe_entry(name).example))["recipe"] == name
