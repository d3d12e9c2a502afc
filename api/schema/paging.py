"""Page sizes and cursors."""

from __future__ import annotations

import base64
import binascii

from graphdb.errors import InputError

MAXIMUM_PAGE = 100
_PREFIX = b"key:"


def checked_first(first: int, maximum: int = MAXIMUM_PAGE, name: str = "first") -> int:
    """Checks a page size.

    Args:
        first: the client's value.
        maximum: the largest allowed size.
        name: the name of the argument, for the message.

    Raises:
        InputError: the size is below 1, or above the maximum.
    """
    if not 1 <= first <= maximum:
        raise InputError(f"{name} is {first}; allowed: 1 to {maximum}.")
    return first


def cursor_of(key: str) -> str:
    """The opaque cursor just after an architecture in a listing in key order."""
    return base64.urlsafe_b64encode(_PREFIX + key.encode()).decode()


def key_of(cursor: str) -> str:
    """The key in a cursor.

    Raises:
        InputError: the text is not one of these cursors.
    """
    try:
        plain = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        key = plain.removeprefix(_PREFIX).decode()
    except (binascii.Error, ValueError):
        key, plain = "", b""
    if not plain.startswith(_PREFIX) or len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise InputError("after is not a cursor of this listing; use pageInfo.endCursor of the previous page.")
    return key
