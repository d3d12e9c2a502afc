"""The one error tree of the product.

Every error that a user can cause or meet carries a `code`, which the command line turns into an exit status and the API
into `extensions.code`. Its message is one clear sentence: the place, what was found, what is allowed.
"""

from __future__ import annotations

from typing import ClassVar


class ExplorerError(Exception):
    """Root of all errors raised on purpose."""

    code: ClassVar[str] = "INTERNAL"


class InputError(ExplorerError, ValueError):
    """Something given by the user is malformed, illegal or unknown."""

    code = "BAD_USER_INPUT"


class NotFoundError(ExplorerError, LookupError):
    """A key or name that nothing in the database has."""

    code = "NOT_FOUND"


class ConflictError(ExplorerError):
    """The request contradicts what is stored: a study of that name with other settings, a lock that is held."""

    code = "CONFLICT"


class UnavailableError(ExplorerError):
    """The database cannot be reached, or refuses us."""

    code = "UNAVAILABLE"


class ProvisionError(UnavailableError):
    """The embedded Neo4j could not be brought onto this machine, or is not what the lock file says."""

    code = "PROVISION_FAILED"


class StorageFullError(ProvisionError):
    """No room is left on the disk."""

    code = "STORAGE_FULL"
