"""Harmless Ctrl-C: never in the middle of a message between driver and server, and never lost in a destructor.

Python raises KeyboardInterrupt between any two instructions of the main thread. Inside the driver this leaves a
message half-read: the next message fails for a reason that has nothing to do with the user, or a completed write
appears to have failed. Inside a destructor Python drops the exception, and the program continues.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_S = 0.02


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """A handler of SIGINT: raises KeyboardInterrupt, slightly later if a destructor is running."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
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
