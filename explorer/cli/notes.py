"""What reading changed in what a user gave, and remarks on results: said on stderr, and kept for `--json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from explorer.cli.output import errors
from explorer.contracts.table import Findings

Note = Callable[[str], None]
"""Called with one sentence."""


def noting(notes: list[str]) -> Note:
    """A function that prints each sentence once on stderr, and appends it to a list."""

    def note(sentence: str) -> None:
        if sentence not in notes:
            notes.append(sentence)
            errors.print(sentence, markup=False, highlight=False, soft_wrap=True)

    return note


def with_notes(document: dict[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    """A JSON object with the notes, if there are some."""
    return document | {"notes": [*document.get("notes", ()), *notes]} if notes else document


def noted(findings: Findings, notes: Sequence[str]) -> Findings:
    """The results with the notes in their JSON, if that is an object and there are some."""
    if not isinstance(findings.json, dict):
        return findings
    return replace(findings, json=with_notes(findings.json, notes))
