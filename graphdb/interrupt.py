"""Ctrl-C without harm: not in the middle of what the driver says to the server, and not lost in a destructor.

Python raises KeyboardInterrupt between any two instructions of the main thread. Inside the driver that leaves a
message half-read: the next one fails for a reason that has nothing to do with the user, or a write that did happen
looks as if it had not. Inside a destructor Python drops it, and the program goes on.
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
    """A handler of SIGINT: raises KeyboardInterrupt, where a destructor runs a moment later."""
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
    """Raises the KeyboardInterrupt of a Ctrl-C inside the block at its end; that of a second one at once.

    Only in the main thread, where Python delivers signals, and only where a Ctrl-C would raise: a program's own
    handler stays in force.
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
