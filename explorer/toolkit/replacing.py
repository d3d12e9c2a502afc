"""Files that are written whole or not at all, whatever happens to the process, the machine or the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphdb.errors import ExplorerError, InputError, StorageFullError
from graphdb.system_errors import is_full


@contextmanager
def replacing(file: Path, what: str = "", *, make_folder: bool = True) -> Iterator[Path]:
    """Yields the name of a temporary file, which takes the place of `file` at the end of the block.

    After an error `file` is as it was, and the temporary file is gone.

    Args:
        file: the file to write.
        what: a noun for the file, for the messages.
        make_folder: whether to create the folder of the file.

    Raises:
        StorageFullError: the disk is full.
        InputError: the file cannot be written for another reason.

    Example:
        >>> with replacing(Path("/dev/null/a.csv"), "table") as part:
        ...     part.write_text("a,b")
        Traceback (most recent call last):
            ...
        graphdb.errors.InputError: The table /dev/null/a.csv cannot be written: File exists.
    """
    part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")
    try:
        if make_folder:
            file.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _synchronise(part)
        part.replace(file)
        _synchronise(file.parent)
    except OSError as error:
        raise unwritten(file, error, what) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def unwritten(file: Path, error: OSError, what: str = "") -> ExplorerError:
    """The error of one sentence about a file that cannot be written.

    Args:
        file: the file.
        error: the error of the operating system.
        what: a noun for the file.
    """
    named = f"the {what} {file}" if what else str(file)
    kept = "; what it held before stays" if file.is_file() else ""
    if is_full(error):
        return StorageFullError(f"The disk of {file.parent} is full, so {named} cannot be written{kept}.")
    reason = (error.strerror or str(error)).rstrip(".")
    return InputError(f"{named[0].upper() if what else named[0]}{named[1:]} cannot be written: {reason}{kept}.")


def _synchronise(path: Path) -> None:
    """Has the system write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
