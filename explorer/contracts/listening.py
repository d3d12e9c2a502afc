"""Progress of deep work, told to whoever listens: neither arguments nor settings of the work know of the listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[int, int], None]
"""Called as `listener(done, total)`."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has a listener called by the work of the block, in this thread.

    Example:
        >>> with listening(lambda done, total: print(f"{done} of {total}")):
        ...     tell(3, 12)
        3 of 12
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(done: int, total: int) -> None:
    """Tells the listener, if there is one, how far the work is.

    Example:
        >>> tell(3, 12)
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener(done, total)
