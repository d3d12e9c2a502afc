"""The files of a data directory: the database, the lock of its only server, and the state that this server reports."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from graphdb.embedded.process import is_alive

EXIT_ANOTHER_SERVES = 3
"""Exit status of a server process that finds another server serving the same directory."""
EXIT_STORAGE_FULL = 4
"""Exit status of a server process when the disk is full."""
EXIT_TOO_MANY_FILES = 5
"""Exit status of a server process that may not open all its files."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """Written by a server once it answers, removed when it stops cleanly; a stale state names a dead process."""

    pid: int
    started: str
    port: int
    version: str

    def is_alive(self) -> bool:
        """Whether the process that wrote this state is still running."""
        return is_alive(self.pid, self.started)


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The paths of a data directory."""

    root: Path

    @property
    def database(self) -> Path:
        """Neo4j's home: the data, and nothing else."""
        return self.root / "neo4j"

    @property
    def lock(self) -> Path:
        """The lock that the server holds for its lifetime; never removed, so that all processes lock the same file."""
        return self.root / "server.lock"

    @property
    def state(self) -> Path:
        """`ServerState` as JSON."""
        return self.root / "server.json"

    @property
    def log(self) -> Path:
        """The output of the server process."""
        return self.root / "server.log"

    def create(self) -> None:
        """Creates the directory, readable by its owner only."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read_state(self) -> ServerState | None:
        """The state of a running server, or None."""
        try:
            state = ServerState(**json.loads(self.state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return state if state.is_alive() else None

    def write_state(self, state: ServerState) -> None:
        """Replaces the state file in one step."""
        write_atomically(self.state, json.dumps(asdict(state)))

    def password(self) -> str:
        """The password of this directory's database, generated at first use and readable by its owner only."""
        path = self.root / "password"
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self.create()
            _publish_once(path, secrets.token_urlsafe(24))
            return path.read_text(encoding="utf-8")


def write_atomically(path: Path, text: str) -> None:
    """Writes a file so that readers see the old content or the new, never a part of it, even after a crash."""
    temporary = _written_beside(path, text)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _publish_once(path: Path, text: str) -> None:
    temporary = _written_beside(path, text)
    try:
        os.link(temporary, path)  # fails if another process was first: its content stays
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _written_beside(path: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def try_lock(path: Path) -> int | None:
    """An open descriptor that holds the lock until it is closed, or None while another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
