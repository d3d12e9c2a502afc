"""Errors of the operating system in one sentence: what could not be done, why, and what would help."""

from __future__ import annotations

import errno
import os
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
ENOUGH_FILES = 1024
"""The number of open files with which everything works: the usual limit of a process."""


def sentence(error: OSError, place: str | Path | None = None) -> str:
    """One sentence about an error of the operating system.

    Args:
        error: the error.
        place: the file or folder, where the error does not name it.
    """
    where = place if place is not None else error.filename
    if is_full(error):
        return f"The disk of {where} is full." if where else "The disk is full."
    if error.errno in TOO_MANY_FILES:
        return too_many_files()
    reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    return f"{where} cannot be used: {reason}." if where else f"The operating system refuses: {reason}."


def is_full(error: BaseException) -> bool:
    """Whether the reason of an error is a full disk."""
    return isinstance(error, OSError) and error.errno in FULL


def too_many_files() -> str:
    """The sentence about the limit of open files."""
    limit = open_files_limit()
    known = "" if limit is None else f" (the limit is {limit})"
    return f"Too many files are open{known}; raise the limit with: ulimit -n {ENOUGH_FILES}."


def has_too_many_files(error: BaseException) -> bool:
    """Whether the reason of an error, or of one that it came from, is the limit of open files."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in TOO_MANY_FILES:
            return True
        if os.strerror(errno.EMFILE) in str(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def open_files_limit() -> int | None:
    """How many files this process may open; None where the system has no such limit."""
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit


def allowed_files() -> int | None:
    """How far this process may raise its limit of open files; None where the system sets no limit."""
    try:
        import resource
    except ImportError:
        return None
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit


def allow_more_files(wanted: int) -> None:
    """Raises the limit of open files as far as the system lets this process, but not above `wanted`."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
