"""Costs are what the module's description says."""

import pytest
from graphql import GraphQLError, parse

from api.schema.build import build_schema
from api.server.cost import check_cost, cost_map, cost_of

SCHEMA = build_schema()


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{ studies { name } }", {}, 20),
        ("{ studies(first: 100) { trials(first: 100) { index } } }", {}, 10_100),
        ('{ study(name: "a") { trials(first: 50) { roles { architecture { blocks { kind } } } } } }', {}, 101),
        (
            "{ architectures(first: 100) { edges { node { blocks { kind } edges { source } measurements { key } }}}}",
            {},
            800,
        ),
        ("query($n: Int! = 30) { studies(first: $n) { name } }", {}, 30),
        ("query($n: Int! = 30) { studies(first: $n) { name } }", {"n": 7}, 7),
        ("query($n: Int) { studies(first: $n) { name } }", {}, 20),
        (
            "{ ...F } fragment F on Query { studies(first: 3) { ...G } } "
            "fragment G on Study { trials(first: 4) { index } }",
            {},
            15,
        ),
        ('mutation { searchBoshcode(recipe: "a", budget: 1, seed: 1) { name } }', {}, 100),
        ("mutation { search(recipe: {}, budget: 1, seed: 1) { name } }", {}, 100),
        ("mutation { simulateAccelTran(model: {}, accelerator: {}) { key } }", {}, 50),
        ('{ study(name: "a") { trials(first: 50) { hypervolume } } }', {}, 101),
        ("{ domains { name } simulators { name } recipes { name } }", {}, 3),
    ],
)
def test_cost(text, variables, cost):
    assert cost_of(SCHEMA, parse(text), variables, None) == cost


def test_only_the_operation_that_runs_counts():
    document = parse("query A { studies(first: 1) { name } } query B { studies(first: 90) { name } }")
    assert [cost_of(SCHEMA, document, {}, name) for name in ("A", "B")] == [1, 90]


def test_every_list_that_grows_with_the_database_is_multiplied():
    """A field with a page size and without a multiplier would be free."""
    costs = cost_map(SCHEMA)
    for name, kind in SCHEMA.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            pages = {"first", "k"} & set(getattr(field, "args", ()))
            if pages:
                assert set(costs[name][field_name]["multipliers"]) == pages


def test_refusal_says_how_much():
    check_cost(10, 10)
    with pytest.raises(GraphQLError, match="costs 11; 10 are allowed") as caught:
        check_cost(11, 10)
    assert caught.value.extensions == {"code": "COST_EXCEEDED"}


def test_every_mutation_has_a_cost():
    assert all(cost["complexity"] in (50, 100) for cost in cost_map(SCHEMA)["Mutation"].values())
    assert cost_map(SCHEMA)["Mutation"].keys() == SCHEMA.mutation_type.fields.keys()
