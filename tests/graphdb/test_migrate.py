"""Migrations: each once, in order, never edited, never backwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphdb import cypher, migrate
from graphdb.errors import ConflictError
from graphdb.store import Store

EXTRA = migrate.parse(9001, "extra", "// a comment; with a semicolon\nMERGE (:Extra {n: 1});\nMERGE (:Extra {n: 2});\n")


@pytest.fixture
def migrated(store: Store) -> Iterator[Store]:
    """A store whose migrations of this test are forgotten afterwards."""
    yield store
    store._database.write("MATCH (m:Migration) WHERE m.version >= 9000 DELETE m")


def test_each_migration_runs_once(migrated: Store) -> None:
    assert migrate.migrate(migrated._database) == []
    known = (*migrate.available(), EXTRA)
    assert migrate.migrate(migrated._database, known) == [9001]
    assert migrate.migrate(migrated._database, known) == []
    assert migrated._database.read("MATCH (e:Extra) RETURN e.n ORDER BY e.n") == [[1], [2]]


def test_a_newer_database_is_refused(migrated: Store) -> None:
    migrate.migrate(migrated._database, (*migrate.available(), EXTRA))
    with pytest.raises(ConflictError, match="9001"):
        migrate.migrate(migrated._database)


def test_an_edited_migration_is_refused(migrated: Store) -> None:
    migrate.migrate(migrated._database, (*migrate.available(), EXTRA))
    edited = migrate.parse(9001, "extra", "MERGE (:Extra {n: 3});")
    with pytest.raises(ConflictError, match="V9001__extra"):
        migrate.migrate(migrated._database, (*migrate.available(), edited))


def test_a_half_applied_migration_is_run_again(migrated: Store) -> None:
    migrated._database.schema(EXTRA.statements[0])  # killed after the first statement
    assert migrate.migrate(migrated._database, (*migrate.available(), EXTRA)) == [9001]
    assert migrated._database.read("MATCH (e:Extra) RETURN count(e)") == [[2]]


def test_the_schema_is_there(store: Store) -> None:
    constraints = {row[0] for row in store._database.read("SHOW CONSTRAINTS YIELD name RETURN name")}
    assert {"architecture_key", "measurement_key", "study_name", "surrogate_key", "trial_index"} <= constraints
    states = dict(store._database.read("SHOW INDEXES YIELD name, state RETURN name, state"))
    assert states["architecture_embedding"] == "ONLINE"
    assert set(states.values()) == {"ONLINE"}
    assert store._database.read(cypher.APPLIED_MIGRATIONS)
