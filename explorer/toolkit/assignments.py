"""Settings as users give them on a command line: `name=value`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from graphdb.errors import InputError


def parsed_assignments(texts: Iterable[str], flag: str = "--set") -> dict[str, Any]:
    """`name=value` texts as a dictionary; values are read as JSON where they are JSON, and as text otherwise.

    Args:
        texts: as the user gave them.
        flag: by which they were given, for messages.

    Returns:
        name -> value, in the order of the texts.

    Raises:
        InputError: a text without `=`, or a name given twice.

    Example:
        >>> parsed_assignments(["width=3", "kind=arch"])
        {'width': 3, 'kind': 'arch'}
    """
    return {name: parsed_value(text) for name, text in split_assignments(texts, flag).items()}


def split_assignments(texts: Iterable[str], flag: str = "--set") -> dict[str, str]:
    """`name=value` texts as a dictionary of texts.

    Args:
        texts: as the user gave them.
        flag: by which they were given, for messages.

    Raises:
        InputError: a text without `=`, or a name given twice.
    """
    given: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise InputError(f"{flag} {text!r} is not name=value.")
        if name in given:
            raise InputError(f"{flag} {name} is given twice.")
        given[name] = value
    return given


def parsed_value(text: str) -> Any:
    """The JSON value that a text is, or the text itself where it is none."""
    try:
        return json.loads(text, parse_constant=lambda constant: constant)
    except (ValueError, RecursionError):
        return text
