"""Users' JSON files: read whole, within a limit, and refused in one sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from graphdb.errors import InputError

LARGEST_FILE_BYTES = 4 << 20


def read_json(file: Path, place: str, what: str = "one architecture") -> Any:
    """The JSON value in a file, or on standard input if the file is `-`.

    Args:
        file: the file to read.
        place: the name of the file, for messages.
        what: the expected content, for messages.

    Returns:
        The value.

    Raises:
        InputError: the file cannot be read, is not JSON, or is too large.
    """
    try:
        if str(file) == "-":
            text = sys.stdin.read(LARGEST_FILE_BYTES + 1)
        else:
            with file.open(encoding="utf-8") as stream:
                text = stream.read(LARGEST_FILE_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{place} cannot be read: {reason}.") from error
    if len(text) > LARGEST_FILE_BYTES:
        raise InputError(f"{place} is larger than {LARGEST_FILE_BYTES >> 20} MiB; {what} is far smaller.")
    return parsed_json(text, place, what)


def parsed_json(text: str, place: str, what: str = "one architecture") -> Any:
    """The JSON value in a text.

    Args:
        text: the text.
        place: its origin, for messages.
        what: the expected content, for messages.

    Raises:
        InputError: the text is not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}, line {error.lineno}, column {error.colno}: {error.msg}; JSON is needed.") from error
    except RecursionError as error:
        raise InputError(f"{place} is nested too deeply; {what} in JSON is needed.") from error
    except ValueError as error:  # Python refuses integers of more than 4,300 digits
        raise InputError(f"{place} holds a number of thousands of digits; {what} needs none.") from error
