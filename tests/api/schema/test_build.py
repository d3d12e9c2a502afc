"""The schema is what `docs/graphql/schema.graphql` shows: it only changes on purpose."""

import subprocess
import sys

from graphql import OperationType

from api.schema.build import build_schema, schema_text
from tests.api.conftest import SNAPSHOT


def test_snapshot():
    assert schema_text() == SNAPSHOT.read_text(encoding="utf-8"), (
        "The schema has changed. If that is wanted: explorer serve --print-schema > docs/graphql/schema.graphql"
    )


def test_operations_have_the_agreed_names():
    schema = build_schema()
    stored = {"architecture", "architectures", "similar", "studies", "study"}
    assert set(schema.query_type.fields) == stored | {"domains", "simulators", "recipes"}
    assert set(schema.mutation_type.fields) >= {"simulateAccelTran", "searchBoshcode", "search"}
    assert schema.get_root_type(OperationType.SUBSCRIPTION) is None


def test_every_type_and_argument_that_is_ours_is_described_or_plain():
    for name, kind in build_schema().type_map.items():
        if not name.startswith("__") and name not in ("String", "Int", "Float", "Boolean", "ID"):
            assert kind.description, name


def test_the_schema_needs_neither_pytorch_nor_the_database():
    program = (
        "import sys; from api.schema.build import build_schema; build_schema(); "
        "print(sorted({'torch', 'scipy', 'neo4j', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "[]\n"
