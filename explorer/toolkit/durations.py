"""Times as people write and read them: `90 s`, `20min`, `2 h 30 min`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from graphdb.errors import InputError

_UNITS_S: Mapping[str, float] = MappingProxyType({"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0})
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*")
_WHOLE = re.compile(f"(?:{_PART.pattern})+")


def duration(seconds: float) -> str:
    """A time for people: `42 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def seconds_of(text: str) -> float:
    """The seconds that a text such as `90`, `90s`, `20min` or `1h 30min` names.

    Raises:
        InputError: the text has another form, or is not positive.
    """
    try:
        seconds = float(text)
    except ValueError:
        parts = _PART.findall(text) if _WHOLE.fullmatch(text.strip()) else []
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if not 0 < seconds < math.inf:
        raise InputError(
            f"The time {text[:80]!r} is no positive one; allowed: seconds, or numbers with s, min, h or d, as 1h30min."
        )
    return seconds
