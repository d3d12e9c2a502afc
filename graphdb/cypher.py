"""All Cypher statements of the product, as literal text: values reach them only as parameters.

The one exception is the names of measures, because an index must name its property in the text: they are checked first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, LiteralString

from graphdb.errors import InputError

# --- migrations -------------------------------------------------------------------------------------------------------

APPLIED_MIGRATIONS: Final = "MATCH (m:Migration) RETURN m.version, m.checksum"

RECORD_MIGRATION: Final = """
MERGE (m:Migration {version: $version})
ON CREATE SET m.name = $name, m.checksum = $checksum, m.applied = datetime()
"""

AWAIT_INDEXES: Final = "CALL db.awaitIndexes(60)"

# --- locks ------------------------------------------------------------------------------------------------------------

LOCKS_HAVE_NAMES: Final = "CREATE CONSTRAINT lock_name IF NOT EXISTS FOR (l:Lock) REQUIRE l.name IS UNIQUE"
HAS_LOCK: Final = "MATCH (l:Lock {name: $name}) RETURN l.name"
MAKE_LOCK: Final = "MERGE (l:Lock {name: $name})"
TAKE_LOCK: Final = "MATCH (l:Lock {name: $name}) SET l.taken = timestamp()"

# --- indexed measures -------------------------------------------------------------------------------------------------

MEASURE: LiteralString = "measure_"
"""Prefix of the properties that hold measures."""
_INDEXABLE = re.compile(r"[a-z0-9_]{1,64}")

INDEXED_PROPERTIES: Final = """
SHOW INDEXES YIELD type, labelsOrTypes, properties
WHERE type = 'RANGE' AND labelsOrTypes = ['Measurement'] AND size(properties) = 1
RETURN properties[0]
"""


def index_measure(name: str) -> LiteralString:
    """The statement that indexes a measure; it changes nothing if the measure is already indexed.

    Raises:
        InputError: the name has characters other than small letters, digits and underscores, or more than 64 of them.
    """
    indexed = _measure_property(name)
    return "CREATE INDEX `range_" + indexed + "` IF NOT EXISTS FOR (m:Measurement) ON (m.`" + indexed + "`)"


def _measure_property(name: str) -> LiteralString:
    if not _INDEXABLE.fullmatch(name):
        raise InputError(
            f"The measure {name[:80]!r} cannot be indexed; allowed: 1 to 64 small letters, digits and underscores."
        )
    return MEASURE + name


# --- architectures ----------------------------------------------------------------------------------------------------

KNOWN_ARCHITECTURES: Final = "MATCH (a:Architecture) WHERE a.key IN $keys RETURN a.key"

CREATE_ARCHITECTURES: Final = """
UNWIND $rows AS row
CREATE (a:Architecture:$(row.label))
SET a = row.properties
WITH a, row
CALL (a, row) {
  UNWIND row.blocks AS properties
  CREATE (a)-[:HAS]->(b:Block)
  SET b = properties
  RETURN collect(b) AS blocks
}
CALL (blocks, row) {
  UNWIND row.edges AS edge
  WITH blocks[edge[0]] AS source, blocks[edge[1]] AS target, edge[2] AS properties
  CREATE (source)-[f:FEEDS]->(target)
  SET f = properties
}
RETURN count(a)
"""

_GRAPH: LiteralString = """
RETURN a.key, a.domain, a.space, a.choices, a.blocks, a.edges,
       COLLECT { MATCH (a)-[:HAS]->(b:Block) RETURN properties(b) } AS blocks,
       COLLECT {
         MATCH (a)-[:HAS]->(b:Block)-[f:FEEDS]->(c:Block) RETURN [b.position, c.position, properties(f)]
       } AS edges
"""

READ_ARCHITECTURES: Final = "MATCH (a:Architecture) WHERE a.key IN $keys" + _GRAPH

KEYS_WITH_PREFIX: Final = """
MATCH (a:Architecture) WHERE a.key STARTS WITH $prefix RETURN a.key ORDER BY a.key LIMIT $limit
"""

TWINS: Final = """
MATCH (a:Architecture) WHERE a.fingerprint IN $fingerprints
RETURN a.fingerprint, a.domain, a.key, a.space ORDER BY a.key
"""

COUNT_ARCHITECTURES: Final = """
MATCH (a:Architecture) RETURN a.domain + '/' + a.space AS name, count(*) ORDER BY name
"""

ADD_DERIVED: Final = """
MATCH (child:Architecture {key: $child}), (parent:Architecture {key: $parent})
MERGE (child)-[d:DERIVED_FROM {how: $how}]->(parent)
SET d += $properties
RETURN count(d)
"""

_RELATIVES: LiteralString = """
RETURN other.key AS key, d.how AS how, properties(d) AS properties ORDER BY key, how LIMIT $limit }
RETURN a.key, key, how, properties ORDER BY a.key, key, how
"""
PARENTS: Final = (
    """
MATCH (a:Architecture) WHERE a.key IN $keys
CALL (a) { MATCH (a)-[d:DERIVED_FROM]->(other:Architecture)"""
    + _RELATIVES
)
CHILDREN: Final = (
    """
MATCH (a:Architecture) WHERE a.key IN $keys
CALL (a) { MATCH (a)<-[d:DERIVED_FROM]-(other:Architecture)"""
    + _RELATIVES
)

# A listing consists of a source (the index to start from), the remaining conditions, and what to return.

SOURCE_ALL: LiteralString = "MATCH (a:Architecture) WHERE a.key > $after"
SOURCE_DOMAIN: LiteralString = "MATCH (a:Architecture) WHERE a.domain = $domain AND a.key > $after"
SOURCE_SPACE: LiteralString = "MATCH (a:Architecture) WHERE a.space = $space AND a.key > $after"
_MEASURED: LiteralString = """ AND m.state = 'done'
MATCH (m)-[:OF]->(a:Architecture) WITH DISTINCT a WHERE a.key > $after"""


def source_measure(name: str) -> LiteralString:
    """The source that starts from the index of a measure.

    Raises:
        InputError: a measure of this name cannot be indexed.
    """
    return "MATCH (m:Measurement) WHERE $low <= m.`" + _measure_property(name) + "` <= $high" + _MEASURED


_IS_DOMAIN: LiteralString = " AND ($domain IS NULL OR a.domain = $domain)"
_IS_SPACE: LiteralString = " AND ($space IS NULL OR a.space = $space)"
CONDITIONS: Final[LiteralString] = (
    _IS_DOMAIN
    + _IS_SPACE
    + """
  AND all(choice IN $choices WHERE choice.value IN [] + a[choice.name])
  AND all(range IN $choice_ranges WHERE any(value IN [] + a[range.name] WHERE range.low <= value <= range.high))
  AND all(range IN $measure_ranges WHERE EXISTS {
        MATCH (a)<-[:OF]-(n:Measurement {state: 'done'}) WHERE range.low <= n[range.name] <= range.high })
  AND ($measured IS NULL OR $measured = EXISTS { (a)<-[:OF]-(:Measurement {state: 'done'}) })
  AND ($block_kind IS NULL OR EXISTS { (a)-[:HAS]->(:Block {kind: $block_kind}) })
"""
)

PAGE: Final[LiteralString] = "WITH a ORDER BY a.key LIMIT $limit" + _GRAPH + "ORDER BY a.key"
TOTAL: Final[LiteralString] = "RETURN count(a)"
KEYS: Final[LiteralString] = "RETURN a.key ORDER BY a.key"
_ROW: LiteralString = "a.key, a.domain, a.space, a.choices"
ROWS: Final[LiteralString] = "RETURN " + _ROW + ", NULL ORDER BY a.key LIMIT $limit"

_VALUES: LiteralString = """
CALL (a) {
  MATCH (a)<-[:OF]-(m:Measurement {state: 'done'}) WHERE m[$measure] IS NOT NULL
  RETURN """
_AFTER: LiteralString = " AS value }\nWITH a, value WHERE "
ROWS_ASCENDING: Final[LiteralString] = (
    _VALUES
    + "min(m[$measure])"
    + _AFTER
    + "value > $from OR (value = $from AND a.key > $from_key) RETURN "
    + _ROW
    + ", value ORDER BY value, a.key LIMIT $limit"
)
ROWS_DESCENDING: Final[LiteralString] = (
    _VALUES
    + "max(m[$measure])"
    + _AFTER
    + "value < $from OR (value = $from AND a.key > $from_key) RETURN "
    + _ROW
    + ", value ORDER BY value DESC, a.key LIMIT $limit"
)

# --- measurements -----------------------------------------------------------------------------------------------------

MISSING_ARCHITECTURES: Final = """
UNWIND $keys AS key
WITH key WHERE NOT EXISTS { MATCH (a:Architecture {key: key}) }
RETURN key ORDER BY key LIMIT 1
"""

MEASUREMENT_STATES: Final = """
MATCH (m:Measurement) WHERE m.key IN $keys
SET m.touched = timestamp() // takes the write lock before the state is read
WITH m
RETURN m.key, m.state
"""

CREATE_MEASUREMENTS: Final = """
UNWIND $rows AS row
CREATE (m:Measurement)
SET m = row.properties
WITH m, row
UNWIND row.roles AS role
MATCH (a:Architecture {key: role[1]})
CREATE (m)-[:OF {role: role[0]}]->(a)
"""

FINISH_MEASUREMENTS: Final = """
UNWIND $rows AS row
MATCH (m:Measurement {key: row.properties.key})
SET m = row.properties
"""

READ_MEASUREMENTS: Final = "MATCH (m:Measurement) WHERE m.key IN $keys RETURN properties(m)"

MEASUREMENTS_OF: Final = """
MATCH (m:Measurement {state: 'done'})-[:OF]->(a:Architecture) WHERE a.key IN $keys
WITH DISTINCT a, m ORDER BY m.key
RETURN a.key, properties(m)
"""

MEASURE_SPANS: Final = """
MATCH (m:Measurement {state: 'done'})-[:OF]->(a:Architecture) WHERE a.key IN $keys
UNWIND $measures AS name
WITH DISTINCT a, m, name, m['measure_' + name] AS value WHERE value IS NOT NULL
RETURN a.key, name, min(value), max(value), count(value), all(one IN collect(name IN m.predicted) WHERE one)
"""

MEASUREMENTS_WITH: Final = """
MATCH (m:Measurement {state: 'done'})
WHERE m[$measure] IS NOT NULL
  AND ($simulator IS NULL OR m.simulator = $simulator)
  AND EXISTS {
    MATCH (m)-[:OF]->(a:Architecture)
    WHERE ($domain IS NULL OR a.domain = $domain) AND ($space IS NULL OR a.space = $space)
  }
RETURN properties(m) ORDER BY m.key
"""

COMPARABLE_MEASUREMENTS: Final = """
MATCH (m:Measurement {simulator: $simulator})
WHERE m.state = 'done' AND m.version = $version
  AND all(part IN $parts WHERE m.settings CONTAINS part)
  AND all(role IN $roles WHERE EXISTS {
        MATCH (m)-[:OF {role: role.name}]->(a:Architecture) WHERE a.space IN role.spaces })
RETURN m.key, m.settings ORDER BY EXISTS { (m)<-[:TRIAL]-(:Study) } DESC, m.key LIMIT $limit
"""

# --- embeddings -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EmbeddingQueries:
    """The statements about one kind of embedding."""

    write: LiteralString
    read: LiteralString
    missing: LiteralString
    of: LiteralString
    similar: LiteralString


def _embedding_queries(vector: LiteralString, model: LiteralString, index: LiteralString) -> EmbeddingQueries:
    """The statements for a property with vectors, the property with the name of their model, and the vector index."""
    return EmbeddingQueries(
        write="UNWIND $rows AS row MATCH (a:Architecture {key: row.key}) "
        "SET a." + vector + " = row.vector, a." + model + " = $model RETURN count(a)",
        read="MATCH (a:Architecture) WHERE a.key IN $keys AND a." + vector + " IS NOT NULL RETURN a.key, a." + vector,
        missing="MATCH (a:Architecture {domain: $domain}) "
        "WHERE a." + model + " IS NULL OR a." + model + " <> $model RETURN a.key ORDER BY a.key",
        of="MATCH (a:Architecture {key: $key}) RETURN a.domain, a." + vector,
        similar="CYPHER 25 MATCH (a:Architecture) "
        "SEARCH a IN (VECTOR INDEX " + index + " FOR $vector WHERE a.domain = $domain LIMIT $k) SCORE AS score "
        "RETURN a.key, score ORDER BY score DESC, a.key",
    )


BEHAVIOUR_QUERIES: Final = _embedding_queries("embedding", "embedding_model", "architecture_embedding")
DISTANCE_QUERIES: Final = _embedding_queries("distance_embedding", "distance_model", "architecture_distance")

WRITE_NEIGHBOURS: Final = """
UNWIND $rows AS row
MATCH (a:Architecture {key: row[0]}), (b:Architecture {key: row[1]})
MERGE (a)-[n:NEIGHBOUR]->(b)
SET n.distance = row[2]
RETURN count(n)
"""

# --- surrogates -------------------------------------------------------------------------------------------------------

SAVE_SURROGATE: Final = """
MERGE (s:Surrogate {key: $key})
WITH s WHERE s.weights IS NULL OR NOT EXISTS { MATCH (s)<-[:BEGAN_WITH]-(:Study) }
SET s.target = $target, s.settings = $settings, s.weights = $weights, s.saved = datetime()
"""

READ_SURROGATE: Final = "MATCH (s:Surrogate {key: $key}) RETURN s.key, s.target, s.settings, s.weights"

# --- tables -----------------------------------------------------------------------------------------------------------

SAVE_TABLE: Final = """
MERGE (t:Table {key: $key}) ON CREATE SET t.about = $about, t.content = $content, t.saved = datetime()
"""

READ_TABLE: Final = "MATCH (t:Table {key: $key}) RETURN t.content"

# --- studies ----------------------------------------------------------------------------------------------------------

CREATE_STUDY: Final = "CREATE (s:Study) SET s = $properties, s.created = toString(datetime())"

_STUDY: LiteralString = """
RETURN s.name, s.recipe, s.seed, s.budget, s.settings, s.state, s.message, s.created,
  [(s)-[b:BEGAN_WITH]->(kept) | [b.name, kept.key]],
  CASE WHEN s.lease_until >= datetime.realtime() THEN s.lease_owner END, coalesce(s.stopping, false),
  coalesce(s.until_converged, false), s.expectation
"""

READ_STUDY: Final = "MATCH (s:Study {name: $name})" + _STUDY
LIST_STUDIES: Final = "MATCH (s:Study)" + _STUDY + "ORDER BY datetime(s.created) DESC, s.name"

UPDATE_STUDY: Final = "MATCH (s:Study {name: $name}) SET s += $properties RETURN count(s)"

DELETE_STUDY: Final = """
MATCH (s:Study {name: $name})
OPTIONAL MATCH (s)-[:BEGAN_WITH]->(t:Table)
WHERE NOT EXISTS { MATCH (t)<-[:BEGAN_WITH]-(other:Study) WHERE other <> s }
WITH s, collect(DISTINCT t) AS tables
FOREACH (t IN tables | DETACH DELETE t)
DETACH DELETE s
RETURN count(*)
"""

BEGIN_WITH: Final = """
MATCH (s:Study {name: $name})
UNWIND $rows AS row
OPTIONAL MATCH (t:Table {key: row.key})
OPTIONAL MATCH (u:Surrogate {key: row.key})
WITH s, row, coalesce(t, u) AS kept WHERE kept IS NOT NULL
MERGE (s)-[b:BEGAN_WITH {name: row.name}]->(kept)
RETURN count(b)
"""

ASKED_TRIALS: Final = """
MATCH (:Study {name: $name})-[t:TRIAL]->(m:Measurement) WHERE t.index IN $indices RETURN t.index, m.key
"""

CREATE_TRIALS: Final = """
MATCH (s:Study {name: $name})
UNWIND $rows AS row
MATCH (m:Measurement {key: row.key})
CREATE (s)-[:TRIAL {
  study: $name, index: row.index, origin: row.origin, message: '', told: row.told, expected: row.expected,
  state: CASE m.state WHEN 'done' THEN 'done' ELSE 'pending' END
}]->(m)
"""

READ_TRIAL: Final = """
MATCH (:Study {name: $name})-[t:TRIAL {study: $name, index: $index}]->(m:Measurement) RETURN t.state, m.key
"""

SET_TRIAL: Final = """
MATCH (:Study {name: $name})-[t:TRIAL {study: $name, index: $index}]->(:Measurement)
SET t.state = $state, t.message = $message
"""

READ_TRIALS: Final = """
MATCH (s:Study {name: $name})
OPTIONAL MATCH (s)-[t:TRIAL]->(m:Measurement) WHERE t.index >= $first
RETURN t.index, t.state, t.origin, t.message, t.told, t.expected, properties(m) ORDER BY t.index
"""

COUNT_TRIALS: Final = """
MATCH (s:Study {name: $name}) OPTIONAL MATCH (s)-[t:TRIAL]->() RETURN t.state, count(t)
"""

# --- leases -----------------------------------------------------------------------------------------------------------


class Leased(StrEnum):
    """The labels of named nodes that only one process at a time may work on."""

    STUDY = "Study"
    JOB = "Job"


@dataclass(frozen=True)
class LeaseQueries:
    """The statements about leases of nodes with one label."""

    lock: LiteralString
    take: LiteralString
    owner: LiteralString
    release: LiteralString


def _lease_queries(label: LiteralString) -> LeaseQueries:
    node: LiteralString = "MATCH (n:" + label + " {name: $name}) "
    return LeaseQueries(
        lock=node + "SET n.touched = timestamp() RETURN n.name",
        take=node + "WHERE n.lease_owner IS NULL OR n.lease_owner = $owner OR n.lease_until < datetime.realtime() "
        "SET n.lease_owner = $owner, n.lease_until = datetime.realtime() + duration({milliseconds: $milliseconds}) "
        "RETURN count(n)",
        owner=node + "RETURN CASE WHEN n.lease_until >= datetime.realtime() THEN n.lease_owner END",
        release=node + "WHERE n.lease_owner = $owner REMOVE n.lease_owner, n.lease_until RETURN count(n)",
    )


LEASES: Final = {Leased.STUDY: _lease_queries("Study"), Leased.JOB: _lease_queries("Job")}

# --- all --------------------------------------------------------------------------------------------------------------

WIPE_SOME: Final = "MATCH (n) WHERE NOT n:Migration|Lock WITH n LIMIT $limit DETACH DELETE n RETURN count(*)"
