"""Users' JSON: read whole, within a limit, and refused in one sentence that names the place."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explorer.toolkit.reading import shown
from graphdb.errors import InputError

LARGEST_FILE_BYTES = 4 << 20

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)


class _RepeatedKeyError(ValueError):
    """An object has a key twice; the argument is the key."""


class _NoNumberError(ValueError):
    """A literal is no finite number; the argument is the literal."""


def read_text(file: Path, place: str, most_bytes: int = LARGEST_FILE_BYTES, what: str = "one architecture") -> str:
    """The UTF-8 text in a file, or on standard input if the file is `-`, without the byte order mark of some editors.

    Args:
        file: the file to read.
        place: the name of the file, for messages.
        most_bytes: the largest size.
        what: the expected content, for messages.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or is too large.
    """
    try:
        if str(file) == "-":
            # Bytes, as the encoding of the terminal says nothing about a file; a text without bytes is taken as it is.
            stream = getattr(sys.stdin, "buffer", None)
            content = sys.stdin.read(most_bytes + 1).encode() if stream is None else stream.read(most_bytes + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(most_bytes + 1)
        text: str = content.decode("utf-8-sig") if len(content) <= most_bytes else ""
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{place} cannot be read: {reason}.") from error
    if len(content) > most_bytes:
        raise InputError(f"{place} is larger than {most_bytes >> 20} MiB; {what} is far smaller.")
    return text


def read_json(file: Path, place: str, what: str = "one architecture") -> Any:
    """The JSON value in a file, or on standard input if the file is `-`.

    Args:
        file: the file to read.
        place: the name of the file, for messages.
        what: the expected content, for messages.

    Returns:
        The value.

    Raises:
        InputError: the file cannot be read, is not JSON, has a key twice in one object, or is too large.
    """
    return parsed_json(read_text(file, place, what=what), place, what)


def parsed_json(text: str, place: str, what: str = "one architecture") -> Any:
    """The JSON value in a text.

    Args:
        text: the text.
        place: its origin, for messages.
        what: the expected content, for messages.

    Raises:
        InputError: the text is not JSON, has a key twice in one object, or a number that is not finite.
    """
    try:
        return strict_json(text)
    except _RepeatedKeyError as error:
        where = _place_of_repeat(text)
        raise InputError(f"{place}{where}: the key {shown(error.args[0])} stands there twice in one object.") from error
    except _NoNumberError as error:
        raise InputError(f"{place} holds {error.args[0][:40]}; allowed: finite numbers.") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{place}, line {error.lineno}, column {error.colno}: {error.msg}; JSON is needed.") from error
    except RecursionError as error:
        raise InputError(f"{place} is nested too deeply; {what} in JSON is needed.") from error
    except ValueError as error:  # Python refuses integers of more than 4,300 digits
        raise InputError(f"{place} holds a number of thousands of digits; {what} needs none.") from error


def strict_json(text: str, constant: Callable[[str], Any] | None = None) -> Any:
    """The JSON value in a text; Python's own reader takes the last of two equal keys, and numbers that are not finite.

    Args:
        text: the text.
        constant: takes NaN, Infinity or -Infinity, and returns the value; None to refuse them.

    Raises:
        ValueError: the text is not JSON in this sense.
        RecursionError: it is nested too deeply.
    """
    return json.loads(
        text.removeprefix("\ufeff"),
        object_pairs_hook=_distinct,
        parse_constant=constant or _refuse_constant,
        parse_float=_finite if constant is None else float,
    )


def has_repeated_key(error: BaseException) -> bool:
    """Whether an error of `strict_json` says that a key stands twice in one object."""
    return isinstance(error, _RepeatedKeyError)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RepeatedKeyError(key)
            seen.add(key)
    return made


def _refuse_constant(literal: str) -> Any:
    raise _NoNumberError(literal)


def _finite(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise _NoNumberError(literal)
    return value


def _place_of_repeat(text: str) -> str:
    """Line and column of the first key that its object already has, in a text that is otherwise JSON."""
    open_objects: list[set[str] | None] = []  # None for a list
    expecting_key = False
    for token in _TOKEN.finditer(text):
        kind = token[0][0]
        if kind in "{[":
            open_objects.append(set() if kind == "{" else None)
        elif kind in "}]":
            open_objects.pop()
        keys = open_objects[-1] if open_objects else None
        if kind == '"' and expecting_key and keys is not None:
            key = json.loads(token[0])
            if key in keys:
                start = token.start()
                return f", line {text.count(chr(10), 0, start) + 1}, column {start - text.rfind(chr(10), 0, start)}"
            keys.add(key)
        expecting_key = kind in "{," and keys is not None
    return ""
