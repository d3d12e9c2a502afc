"""Processes that begin at the same time: on a fresh data directory, and with a lock that one of them holds."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphdb import cypher, embedded, migrate
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.settings import Settings
from graphdb.store import Store
from tests.graphdb.designs import design
from tests.places import ROOT

DESIGNS = 200
FIRST = f"""
import random, sys
from graphdb.connection import open_store
from graphdb.settings import Settings
from tests.graphdb.designs import design, taken
designs = [design(number) for number in range({DESIGNS})]
random.Random(sys.argv[1]).shuffle(designs)
sys.stdin.readline()
with open_store(Settings.from_environment()) as store:
    print(len(store.index_measures(["loss"])), end=" ")
    print(store.architectures.add(designs, batch_size=50), store.measurements.add([taken(one, 1.0) for one in designs]))
"""
HOLD = """
import sys, time
from graphdb.connection import open_store
from graphdb.settings import Settings
with open_store(Settings.from_environment()) as store, store.alone("work"):
    print("held", flush=True)
    time.sleep(600)
"""


def process(code: str, settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs some code on a database."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=settings.environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Settings]:
    """A data directory without a database; a server that is started in it ends with the test."""
    yield Settings(data_directory=tmp_path / "data")
    embedded.stop(tmp_path / "data", timeout_s=0)


def test_four_first_programs_start_migrate_and_store_side_by_side(fresh: Settings) -> None:
    programs = [process(FIRST, fresh, str(number)) for number in range(4)]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("\n")
        program.stdin.flush()
    said = [program.communicate(timeout=300) for program in programs]
    assert [(program.returncode, err) for program, (_, err) in zip(programs, said, strict=True)] == [(0, "")] * 4
    counts = [list(map(int, out.split())) for out, _ in said]
    assert [sum(column) for column in list(zip(*counts, strict=True))[1:]] == [DESIGNS, DESIGNS]
    with open_store(fresh) as store:
        applied = store._database.read(cypher.APPLIED_MIGRATIONS)
        assert sorted(version for version, _ in applied) == [one.version for one in migrate.available()]
        assert store.indexed_measures() >= {"loss"}


def test_a_lock_is_free_again_when_its_holder_is_killed(store: Store, server_settings: Settings) -> None:
    entered = threading.Event()

    def enter() -> None:
        with store.alone("work"):
            entered.set()

    waiting = threading.Thread(target=enter)
    with process(HOLD, server_settings) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waiting.start()
        assert not entered.wait(0.3)
        with store.alone("other work"):
            store.architectures.add([design(0)])
        holder.kill()
    waiting.join(60)
    assert entered.is_set()


def test_an_error_under_a_lock_frees_it(store: Store) -> None:
    for _ in range(2):
        with pytest.raises(InputError, match="in between"), store.alone("work"):
            raise InputError("It went wrong in between.")
    store.wipe()
    with store.alone("work"):
        pass


def test_two_transactions_that_block_each_other_both_succeed(store: Store) -> None:
    """The database ends one of them by an error, after which it is repeated as a whole."""
    both_hold = threading.Barrier(2, timeout=60)
    store._database.write("CREATE (:Counter {name: 'a', value: 0}), (:Counter {name: 'b', value: 0})")
    attempts = []

    def move(first: str, second: str) -> None:
        def work(transaction: object) -> None:
            attempts.append(first)
            add = "MATCH (c:Counter {name: $name}) SET c.value = c.value + 1"
            transaction.run(add, name=first)  # type: ignore[attr-defined]
            if len(attempts) <= 2:
                both_hold.wait()
            transaction.run(add, name=second)  # type: ignore[attr-defined]

        store._database.transact(work)

    threads = [threading.Thread(target=move, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attempts) > 2
    assert store._database.read("MATCH (c:Counter) RETURN c.value") == [[2], [2]]
