"""The schema is what `schema.graphql` shows: a change of it is made on purpose."""

from graphql import OperationType

from api.schema.build import SNAPSHOT, build_schema, schema_text


def test_snapshot():
    assert schema_text() == SNAPSHOT.read_text(encoding="utf-8"), (
        "The schema has changed. If that is wanted: explorer serve --print-schema > api/schema.graphql"
    )


def test_operations_bear_the_agreed_names():
    schema = build_schema()
    assert set(schema.query_type.fields) == {"architecture", "architectures", "similar", "studies", "study"}
    assert set(schema.mutation_type.fields) == {"simulateAccelTran", "searchBoshcode"}
    assert schema.get_root_type(OperationType.SUBSCRIPTION) is None


def test_every_type_and_argument_that_is_ours_is_described_or_plain():
    for name, kind in build_schema().type_map.items():
        if not name.startswith("__") and name not in ("String", "Int", "Float", "Boolean", "ID"):
            assert kind.description, name
