"""The error classes of the product, all in one tree.

Every error that a user can cause or encounter has a `code`, which the command line turns into an exit status and the
API into `extensions.code`. Its message is one clear sentence: the place, what was found, what is allowed.
"""

from __future__ import annotations

from typing import ClassVar


class ExplorerError(Exception):
    """Root of all errors raised on purpose."""

    code: ClassVar[str] = "INTERNAL"


class InputError(ExplorerError, ValueError):
    """The user's input is malformed, not allowed or unknown."""

    code = "BAD_USER_INPUT"


class NotFoundError(ExplorerError, LookupError):
    """Nothing in the database has this key or name."""

    code = "NOT_FOUND"


class ConflictError(ExplorerError):
    """The request contradicts what is stored: a study of the same name with other settings, a lock that is held."""

    code = "CONFLICT"


class UnavailableError(ExplorerError):
    """The database cannot be reached, or refuses the password."""

    code = "UNAVAILABLE"


class ProvisionError(UnavailableError):
    """The embedded Neo4j could not be installed on this machine, or does not match the lock file."""

    code = "PROVISION_FAILED"


class StorageFullError(ProvisionError):
    """The disk is full."""

    code = "STORAGE_FULL"
