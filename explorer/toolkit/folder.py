"""Folders that users name for what a command writes."""

from __future__ import annotations

import os
from pathlib import Path

from graphdb.errors import InputError


def check_folder(folder: Path, flag: str = "--plots") -> None:
    """Refuses a folder that could not be written to, before the work that goes into its files.

    Args:
        folder: it need not exist.
        flag: by which it was given, for the message.

    Raises:
        InputError: a part of the path is no folder, or is not ours to write in.
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
