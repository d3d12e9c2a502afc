"""Ctrl-C during a query: the query is finished, and the user's wish is not lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from graphdb.interrupt import interrupt_held, raise_interrupt
from graphdb.store import Store


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """Other tests run commands that bring handlers of their own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), interrupt_held():
        interrupt()
        steps.append("rest of the block")
    assert steps == ["rest of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt), interrupt_held():
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_an_interrupt_hides_the_error_that_it_may_have_caused() -> None:
    with pytest.raises(KeyboardInterrupt), interrupt_held():
        interrupt()
        raise OSError("connection lost")


def test_a_program_s_own_handler_stays() -> None:
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with interrupt_held():
            interrupt()
            assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_in_a_destructor_is_not_lost() -> None:
    class Interrupted:
        def __del__(self) -> None:
            interrupt()

    before = signal.signal(signal.SIGINT, raise_interrupt)
    try:
        held = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            del held
            threading.Event().wait(10)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_are_left_alone() -> None:
    entered = threading.Event()

    def work() -> None:
        with interrupt_held():
            entered.set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered.is_set()


def test_an_interrupted_transaction_is_either_whole_or_absent(store: Store) -> None:
    database = store.architectures._database

    def work(transaction: object) -> None:
        transaction.run("CREATE (:InterruptedOnce)")  # type: ignore[attr-defined]
        interrupt()
        transaction.run("CREATE (:InterruptedOnce)")  # type: ignore[attr-defined]

    with pytest.raises(KeyboardInterrupt):
        database.transact(work)
    assert database.read("MATCH (n:InterruptedOnce) RETURN count(n)") == [[2]]
    assert database.read("RETURN 1") == [[1]]
