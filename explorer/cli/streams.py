"""Standard input and output as a shell may leave them: closed, full, a pipe without a reader, in ASCII.

Every start imports this module before all others, so it needs nothing but the standard library.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

PLAIN = "explorer.plain"
"""The handler of characters that an encoding lacks: similar ASCII characters, or else an escape."""

_SIMILAR: dict[int, str] = {
    **dict.fromkeys(range(9472, 9600), "+"),  # corners and crossings of boxes, except for:
    **dict.fromkeys(map(ord, "─━┄┅┈┉╌╍═╴╶╸╺–—−"), "-"),  # noqa: RUF001
    **dict.fromkeys(map(ord, "│┃┆┇┊┋╎╏║╵╷╹╻"), "|"),
    **dict.fromkeys(map(ord, "█▓▒░■"), "#"),
    **dict.fromkeys(map(ord, "→▶►"), ">"),
    **dict.fromkeys(map(ord, "←◀◄"), "<"),
    **dict(zip(map(ord, "‘’“”µμ×·•²³★↑↓"), "''\"\"uux**23*^v", strict=True)),  # noqa: RUF001
    ord("…"): "...",
    ord("≤"): "<=",
    ord("≥"): ">=",
    ord("≈"): "~",
}


class OutputError(Exception):
    """Standard output cannot be written; the cause is the error of the operating system.

    It is no OSError, so that the libraries between a command and its output let it pass.
    """

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Output(io.TextIOWrapper):
    """Standard output whose errors are told from those of files."""

    def write(self, text: str, /) -> int:
        """Writes text; returns the number of characters."""
        try:
            return super().write(text)
        except OSError as error:
            raise OutputError(error) from error

    def flush(self) -> None:
        """Writes what is left."""
        try:
            super().flush()
        except OSError as error:
            raise OutputError(error) from error

    def drop(self) -> None:
        """Sends what is left to the null device, as it would be written again at the end."""
        with suppress(OSError, OutputError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            super().flush()


@contextmanager
def usable_streams() -> Iterator[None]:
    """Makes the standard streams usable whatever the shell did with them; afterwards they encode as before.

    A stream that is closed is opened on the null device, or the next file of the program would take its place.
    """
    codecs.register_error(PLAIN, _plain)
    _open_closed()
    with _output(), _errors():
        yield


@contextmanager
def _output() -> Iterator[None]:
    before = sys.stdout
    if not isinstance(before, io.TextIOWrapper) or before.closed:
        yield
        return
    with suppress(OSError):
        before.flush()
    sys.stdout = output = Output(
        before.buffer, before.encoding, PLAIN, newline="", line_buffering=before.line_buffering
    )
    try:
        yield
    finally:
        sys.stdout = before
        try:
            output.detach()
        except OutputError:
            output.drop()
            output.detach()


@contextmanager
def _errors() -> Iterator[None]:
    stream = sys.stderr
    if not isinstance(stream, io.TextIOWrapper):
        yield
        return
    before = stream.errors
    try:
        with suppress(OSError):
            stream.reconfigure(errors=PLAIN)
        yield
    finally:
        with suppress(OSError, ValueError):
            stream.reconfigure(errors=before)


def holds_unicode(stream: Any) -> bool:
    """Whether a stream can write every character."""
    return str(getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")


def write_error(line: str) -> None:
    """Writes a line to standard error, if that can be written: work goes on if its log is full."""
    with suppress(OSError, ValueError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _open_closed() -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        with suppress(OSError):
            os.fstat(number)
            continue  # the program itself has taken the stream away
        null = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, most often this one
        if null != number:
            os.dup2(null, number)
            os.close(null)
        setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_SIMILAR)
    with suppress(UnicodeEncodeError):
        text.encode(error.encoding)
        return text, error.end
    return text.encode("ascii", "backslashreplace").decode(), error.end
