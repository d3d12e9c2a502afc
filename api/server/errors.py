"""Errors as clients see them: with a code, and without internals."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any

from graphql import GraphQLError

from graphdb.errors import ExplorerError

logger = logging.getLogger("explorer.api")
request_id: ContextVar[str] = ContextVar("request_id", default="")

_HINT = re.compile(r" Did you mean .*", re.DOTALL)


class ErrorFormatter:
    """The `error_formatter` of ariadne: sets `extensions.code` of each error, and masks and logs unexpected errors.

    Args:
        hints: whether to keep graphql-core's "Did you mean", which reveals names of the schema.
    """

    def __init__(self, *, hints: bool) -> None:
        self._hints = hints

    def __call__(self, error: GraphQLError, debug: bool = False) -> dict[str, Any]:
        formatted: dict[str, Any] = {**error.formatted}
        cause = _cause(error)
        if isinstance(cause, ExplorerError):
            code, message = cause.code, str(cause)
            if code in ("UNAVAILABLE", "INTERNAL"):
                logger.warning("Request %s: %s: %s", request_id.get(), code, message)
        elif isinstance(cause, GraphQLError):
            code = str((cause.extensions or {}).get("code", "BAD_USER_INPUT"))
            message = error.message if self._hints else _HINT.sub("", error.message)
        else:
            code, message = "INTERNAL", "internal error"
            logger.error("Request %s failed at %s", request_id.get(), error.path, exc_info=cause)
        formatted["message"] = message
        formatted["extensions"] = {"code": code}
        if code == "INTERNAL":
            formatted["extensions"]["requestId"] = request_id.get()
        return formatted


def _cause(error: GraphQLError) -> Exception:
    """The error that was raised first; a GraphQLError if it came from the library."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause
