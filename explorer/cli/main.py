"""The entry point of the command line: one sentence and an exit status for every way in which a command can end.

At its start it imports only what it needs to end in order, so that Ctrl-C is a line from the first moment on.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from types import FrameType
from typing import NoReturn

from explorer.cli.streams import Output, OutputError, usable_streams, write_error
from graphdb.errors import ExplorerError
from graphdb.interrupt import handled, raise_interrupt
from graphdb.system_errors import sentence

BAD_INPUT, FAULT, NO_READER, INTERRUPTED = 2, 1, 1, 130
"""Exit statuses; a pipe whose reader has ended gives the status of any other Python program."""
DEBUG = "EXPLORER_DEBUG"


def main() -> None:
    """Run the command line; bad input, and errors that a user can encounter, give exit status 2."""
    sys.exit(run())


def run() -> int:
    """Runs the command in the arguments of this process; returns the exit status.

    Handlers of signals and the encoding of standard output are the same after it as before.
    """
    with usable_streams(), warnings.catch_warnings():
        # torch_geometric still scripts a few functions on import, about which users can do nothing.
        warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=FutureWarning)
        # A shell's background process ignores Ctrl-C, and a program that calls this may have a handler of its own.
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with handled([signal.SIGINT] if ours else [], raise_interrupt):
            try:
                return _written(_ended(ours))
            except KeyboardInterrupt:
                return _interrupted()


def _ended(interruptible: bool) -> int:
    try:
        # Exceptions are lost in some imports of compiled libraries, and nothing has begun yet.
        with handled([signal.SIGINT] if interruptible else [], _leave):
            from explorer.cli import commands
        return commands.invoke()
    except ExplorerError as error:
        return _refused(str(error))
    except OutputError as error:
        return _not_written(error)
    except KeyboardInterrupt:
        return _interrupted()
    except OSError as error:
        return _refused(sentence(error))
    except Exception as error:
        return _fault(error)


def _written(status: int) -> int:
    """Writes what is left of the output; the exit status."""
    try:
        sys.stdout.flush()
    except OutputError as error:
        return _not_written(error)
    return status


def _not_written(error: OutputError) -> int:
    if isinstance(sys.stdout, Output):
        sys.stdout.drop()
    if isinstance(error.reason, BrokenPipeError):
        return NO_READER
    return _refused(f"The output cannot be written: {error.reason.strerror or error.reason}.")


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)


def _interrupted() -> int:
    write_error("Interrupted.")
    return INTERRUPTED


def _refused(message: str) -> int:
    if _is_terminal():
        from rich.text import Text

        from explorer.cli.output import errors

        errors.print(Text.assemble(("Error:", "bold red"), f" {message}"), soft_wrap=True)
    else:
        write_error(f"Error: {message}")
    return BAD_INPUT


def _fault(error: Exception) -> int:
    """Says that the program is at fault, and where its traceback is."""
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(error))
    if os.environ.get(DEBUG):
        write_error(trace.rstrip())
        return FAULT
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".")
    try:
        descriptor, log = tempfile.mkstemp(prefix="explorer-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(trace)
        where = f"its traceback is in {log}"
    except OSError:
        where = f"{DEBUG}=1 shows its traceback"
    write_error(f"Error: A fault of explorer ({what}); {where}.")
    return FAULT


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except ValueError:
        return False


if __name__ == "__main__":
    main()
