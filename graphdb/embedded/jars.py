"""Downloads Neo4j's jars into the user's cache and checks each against the lock file `jars.csv`.

The lock file names every jar by its Maven coordinates and its SHA-256, so nothing is resolved at run time: each jar is
fetched by its own name, several at a time, and only a jar with the right checksum ever reaches the directory in use.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from graphdb.errors import ProvisionError, StorageFullError
from graphdb.system_errors import FULL, TOO_MANY_FILES, sentence

NEO4J_VERSION = "2026.08.1"

Progress = Callable[[int, int], None]
"""Called as `progress(jars_done, jars_in_all)`."""

_DOWNLOADS_AT_ONCE = 8
_TIMEOUT_S = 30
_VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    classifier: str
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name under which the jar lies in the cache."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.jar"


def locked_jars() -> tuple[Jar, ...]:
    """All jars of the embedded server."""
    lines = (files("graphdb.embedded") / "jars.csv").read_text(encoding="utf-8").splitlines()
    return tuple(
        Jar(row["group"], row["artifact"], row["version"], row["classifier"], int(row["size_bytes"]), row["sha256"])
        for row in csv.DictReader(lines)
    )


def cache_directory() -> Path:
    """`$EXPLORER_CACHE`, or else `explorer` in the user's cache directory."""
    chosen = os.environ.get("EXPLORER_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "explorer"


def provision(progress: Progress | None = None) -> Path:
    """Returns the directory with all jars, after fetching those that are missing.

    Raises:
        ProvisionError: a jar cannot be fetched, or is not the jar that the lock file names.
        StorageFullError: the disk has no room for them.
    """
    target = cache_directory() / "neo4j" / NEO4J_VERSION
    jars = locked_jars()
    with _storage_errors(target):
        if (target / _VERIFIED).exists() and all(_size_is_right(target, jar) for jar in jars):
            return target
        target.mkdir(parents=True, exist_ok=True)
    with _storage_errors(target), _alone(target):  # another process may fetch them at this moment
        missing = [jar for jar in jars if not _is_whole(target / jar.file_name, jar)]
        _fetch_all(missing, target, len(jars), progress)
        (target / _VERIFIED).touch()
    return target


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Waits while another process fetches the jars of a folder."""
    folder = os.open(target, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _size_is_right(directory: Path, jar: Jar) -> bool:
    try:
        return (directory / jar.file_name).stat().st_size == jar.size_bytes
    except FileNotFoundError:
        return False


def _is_whole(path: Path, jar: Jar) -> bool:
    return _size_is_right(path.parent, jar) and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch_all(missing: list[Jar], target: Path, total: int, progress: Progress | None) -> None:
    done = total - len(missing)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-", ignore_cleanup_errors=True) as scratch:
        pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
        try:
            for future in as_completed([pool.submit(_fetch, jar, Path(scratch), target) for jar in missing]):
                future.result()
                done += 1
                if progress is not None:
                    progress(done, total)
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(jar: Jar, scratch: Path, target: Path) -> None:
    path = _download(jar, scratch)
    actual = _sha256(path)
    if actual != jar.sha256:
        raise ProvisionError(
            f"The file {jar.file_name} has the SHA-256 sum {actual}; the lock file allows only {jar.sha256}."
        )
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    path.replace(target / jar.file_name)


def _download(jar: Jar, scratch: Path) -> Path:
    from jgo.maven import MavenContext, PythonResolver  # slow to import, and rarely needed

    context = MavenContext(resolver=PythonResolver(), repo_cache=scratch, timeout=_TIMEOUT_S)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact(classifier=jar.classifier, packaging="jar").resolve())
    except OSError as error:  # errors of requests are OSErrors too; only those of the disk have an errno
        if error.errno in (*FULL, *TOO_MANY_FILES):
            raise
        raise ProvisionError(
            f"The file {jar.file_name} of Neo4j {NEO4J_VERSION} cannot be fetched: {_first_line(error)}"
        ) from error
    except RuntimeError as error:
        raise ProvisionError(
            f"The file {jar.file_name} of Neo4j {NEO4J_VERSION} cannot be fetched: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"


@contextmanager
def _storage_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            needed_bytes = sum(jar.size_bytes for jar in locked_jars())
            raise StorageFullError(
                f"The disk of {target} is full; Neo4j {NEO4J_VERSION} needs {needed_bytes // 1_000_000} MB there."
            ) from error
        if error.errno in TOO_MANY_FILES:
            raise ProvisionError(sentence(error)) from error
        raise ProvisionError(f"{target} cannot be written: {error.strerror or error}.") from error
