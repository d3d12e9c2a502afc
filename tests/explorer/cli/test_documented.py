"""Every command line that README.md and docs/ show is one that `explorer` understands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from graphdb.errors import InputError
from tests.explorer.cli.parsing import parse, words_of
from tests.places import ROOT

TOY = "add-a-domain.md"
"""Its commands are those of a package that only its own test installs."""
FILES = (ROOT / "README.md", *sorted(file for file in (ROOT / "docs").glob("*.md") if file.name != TOY))
_BLOCK = re.compile(r"^(?:```.*?^```|(?: {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(explorer \w[^`]*)`")
_PROMPT = re.compile(r"^\s*(?:\$ )?(?=explorer )")


def blocks(text: str) -> Iterator[str]:
    """Command lines of code blocks."""
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if _PROMPT.match(line):
                yield _PROMPT.sub("", line)


def spans(text: str) -> Iterator[str]:
    """Commands in backticks, which a sentence may name without all that they need."""
    return (" ".join(span.split()) for span in _SPAN.findall(_BLOCK.sub("", text)))


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
