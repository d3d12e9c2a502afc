"""Harmless Ctrl-C: never in the middle of a message between driver and server, and never lost in a destructor.

Python raises KeyboardInterrupt between any two instructions of the main thread. Inside the driver this leaves a
message half-read: the next message fails for a reason that has nothing to do with the user, or a completed write
appears to have failed. Inside a destructor Python drops the exception, and the program continues.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

_AGAIN_S = 0.02
_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


@contextmanager
def handled(numbers: Sequence[int], handler: Callable[[int, FrameType | None], Any] | int) -> Iterator[None]:
    """Handles signals during the block, after which they are handled as before.

    Outside the main thread, where Python allows no change of handlers, they stay as they are.

    Args:
        numbers: the signals.
        handler: the handler of each of them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, earlier in before:
            # None stands for a handler that Python does not know and cannot set again.
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """A handler of SIGINT: raises KeyboardInterrupt, slightly later if Python would drop the exception now.

    It does so in destructors, and in the callbacks of weak references that the import system makes.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or (code.co_name == "cb" and code.co_filename == _IMPORT_SYSTEM):
            again = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), number))
            again.daemon = True
            again.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


@contextmanager
def interrupt_held() -> Iterator[None]:
    """Delays the KeyboardInterrupt of a Ctrl-C to the end of the block; a second Ctrl-C raises it at once.

    This applies only in the main thread, where Python delivers signals, and only if a Ctrl-C would raise the exception:
    a program's own handler stays in force.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before not in (
        signal.default_int_handler,
        raise_interrupt,
    ):
        yield
        return
    interrupted = False

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            raise_interrupt(number, frame)
        interrupted = True

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if interrupted:
            raise KeyboardInterrupt
