"""Folders that users name for the output of a command."""

from __future__ import annotations

import os
from pathlib import Path

from graphdb.errors import InputError


def check_folder(folder: Path, flag: str = "--plots") -> None:
    """Refuses a folder that cannot be written to, before the work on its files begins.

    Args:
        folder: the folder, which need not exist.
        flag: the flag with which it was given, for the message.

    Raises:
        InputError: a part of the path is not a folder, or is not writable.
    """
    path = folder.absolute()
    try:
        while not path.exists():
            path = path.parent
    except OSError as error:
        raise _no_folder(folder, error.strerror or str(error), flag) from error
    if not path.is_dir():
        raise _no_folder(folder, f"{path} is not a folder", flag)
    if not os.access(path, os.W_OK | os.X_OK):
        raise _no_folder(folder, "Permission denied", flag)


def _no_folder(folder: Path, reason: str, flag: str) -> InputError:
    return InputError(f"{flag} {folder} cannot be written to: {reason}.")
