"""Migration of a database's schema by the numbered files in `migrations/`.

Every statement in them can be repeated; a version is recorded once all its statements have run, so that an interrupted
migration is simply run again. One process at a time migrates a database; the others wait, and then find it done.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, LiteralString, cast

from graphdb import cypher
from graphdb.errors import ConflictError

if TYPE_CHECKING:
    from graphdb.database import Database

_NAME = re.compile(r"V(\d{4})__(\w+)\.cypher")


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file: its number, its name, its statements and the SHA-256 of its text."""

    version: int
    name: str
    statements: tuple[LiteralString, ...]
    checksum: str


def available() -> tuple[Migration, ...]:
    """The migrations that are part of this code, in order."""
    migrations = []
    for entry in files("graphdb").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(entry.name)
        if match:
            migrations.append(parse(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return tuple(sorted(migrations, key=lambda migration: migration.version))


def parse(version: int, name: str, text: str) -> Migration:
    """Returns the migration in a file's text; statements end with a semicolon at the end of a line.

    Args:
        version: the number of the file.
        name: the change, from the name of the file.
        text: the text of the file.
    """
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    statements = (statement.strip() for statement in re.split(r";\s*(?:\n|$)", lines))
    return Migration(
        version,
        name,
        tuple(cast(LiteralString, statement) for statement in statements if statement),  # from this package's own data
        hashlib.sha256(text.encode()).hexdigest(),
    )


def migrate(database: Database, migrations: tuple[Migration, ...] | None = None) -> list[int]:
    """Applies the missing migrations; returns their versions.

    Raises:
        ConflictError: the database is newer than this code, or an applied migration has been edited since.
    """
    wanted = available() if migrations is None else migrations
    if not _missing(database, wanted):
        return []
    with database.alone("schema"):
        missing = _missing(database, wanted)  # another process may have applied them in the meantime
        for migration in missing:
            for statement in migration.statements:
                database.schema(statement)
            database.write(
                cypher.RECORD_MIGRATION, version=migration.version, name=migration.name, checksum=migration.checksum
            )
        if missing:
            database.schema(cypher.AWAIT_INDEXES)
    return [migration.version for migration in missing]


def _missing(database: Database, wanted: tuple[Migration, ...]) -> list[Migration]:
    applied: dict[int, str] = dict(database.read(cypher.APPLIED_MIGRATIONS))
    _check(applied, {migration.version: migration for migration in wanted})
    return [migration for migration in wanted if migration.version not in applied]


def _check(applied: dict[int, str], known: dict[int, Migration]) -> None:
    for version, checksum in applied.items():
        if version not in known:
            raise ConflictError(
                f"The database has been migrated to version {max(applied)}, this code knows only "
                f"{max(known, default=0)}; use a newer explorer."
            )
        if known[version].checksum != checksum:
            raise ConflictError(
                f"The migration V{version:04d}__{known[version].name}.cypher has been edited since it was applied; "
                "restore it and add a new migration instead."
            )
