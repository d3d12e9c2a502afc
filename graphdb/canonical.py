"""Canonical JSON and hashes of it: equal values give equal text on every machine."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from graphdb.errors import InputError

JsonObject = Mapping[str, Any]


def canonical_json(value: Any) -> str:
    """`value` as JSON with sorted keys and no spaces; whole floats are written as integers.

    Raises:
        InputError: `value` holds something that JSON cannot represent (NaN, infinity, bytes, a key that is not text).
    """
    return json.dumps(_normal(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 (64 hexadecimal digits) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _normal(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"A value is {value!r}; only finite numbers can be stored.")
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"The key {key!r} is not text; JSON objects have text keys.")
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    raise InputError(
        f"{value!r} is a {type(value).__name__}; allowed in JSON: null, booleans, numbers, text, lists, objects."
    )
