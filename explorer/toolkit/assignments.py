"""Settings in the form of the command line: `name=value`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from explorer.toolkit.json_file import has_repeated_key, parsed_json, strict_json
from graphdb.errors import InputError


def parsed_assignments(texts: Iterable[str], flag: str = "--set") -> dict[str, Any]:
    """Reads `name=value` texts as a dictionary; values that are JSON are read as JSON, others as text.

    Args:
        texts: the user's texts.
        flag: the flag with which they were given, for messages.

    Returns:
        Name -> value, in the order of the texts.

    Raises:
        InputError: a text has no `=`, or a name is given twice.

    Example:
        >>> parsed_assignments(["width=3", "kind=arch"])
        {'width': 3, 'kind': 'arch'}
    """
    return {name: parsed_value(text) for name, text in split_assignments(texts, flag).items()}


def split_assignments(texts: Iterable[str], flag: str = "--set") -> dict[str, str]:
    """Reads `name=value` texts as a dictionary of texts.

    Args:
        texts: the user's texts.
        flag: the flag with which they were given, for messages.

    Raises:
        InputError: a text has no `=`, or a name is given twice.
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
    """The JSON value in a text, or the text itself if it is not JSON.

    Raises:
        InputError: an object in it has a key twice.
    """
    try:
        return strict_json(text, constant=str)
    except (ValueError, RecursionError) as error:
        return parsed_json(text, f"The value {text[:60]}") if has_repeated_key(error) else text
