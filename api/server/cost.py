"""The cost of an operation, estimated before it runs: about one unit for each object of the answer.

A list multiplies the cost of its items by the number of items requested. A page of 100 architectures with blocks, edges
and five measurements each costs 800; two nested pages of 100 cost more than 10,000 and are refused.
"""

from __future__ import annotations

from typing import Any

from ariadne.validation.query_cost import CostValidator
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    ValidationContext,
    get_named_type,
    get_operation_ast,
)
from graphql.execution.values import get_variable_values

from api.server.limits import refusal

COST: dict[str, dict[str, dict[str, Any]]] = {
    "Query": {
        "architecture": {"complexity": 1},
        "architectures": {"complexity": 1, "multipliers": ["first"]},
        "similar": {"complexity": 1, "multipliers": ["k"]},
        "studies": {"complexity": 1, "multipliers": ["first"]},
        "study": {"complexity": 1},
        "domains": {"complexity": 1},
        "simulators": {"complexity": 1},
        "recipes": {"complexity": 1},
    },
    "Architecture": {
        "blocks": {"complexity": 1},
        "edges": {"complexity": 1},
        "measurements": {"complexity": 1, "multipliers": ["first"]},
        "parents": {"complexity": 1, "multipliers": ["first"]},
        "children": {"complexity": 1, "multipliers": ["first"]},
        "neighbours": {"complexity": 4, "multipliers": ["k"]},
        "twins": {"complexity": 2, "multipliers": ["first"]},
        "facts": {"complexity": 1},
    },
    "Study": {
        "counts": {"complexity": 2},
        "closest": {"complexity": 2},
        "incumbent": {"complexity": 2},
        "hypervolume": {"complexity": 2},
        "origins": {"complexity": 2},
        "calibration": {"complexity": 2},
        "trials": {"complexity": 1, "multipliers": ["first"]},
        "pareto": {"complexity": 1, "multipliers": ["first"]},
    },
    "Trial": {"hypervolume": {"complexity": 1}},
}
MUTATION_COST = {"Measurement": 50, "Study": 100, "ID": 50}
"""Return type of a mutation -> its cost: that of a simulation, of starting a search, or of deleting something."""


def cost_map(schema: GraphQLSchema) -> dict[str, dict[str, dict[str, Any]]]:
    """`COST` extended with the mutations of a schema."""
    mutations = schema.mutation_type.fields if schema.mutation_type else {}
    costs = {name: {"complexity": MUTATION_COST[get_named_type(field.type).name]} for name, field in mutations.items()}
    return COST | {"Mutation": costs}


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any] | None, operation_name: str | None
) -> int:
    """The cost of one operation of a valid document; 0 if the executor will refuse the variables anyway.

    Args:
        schema: the schema of the document.
        document: a document with one or several operations.
        variables: the client's variables.
        operation_name: the name of the operation to run; None if there is only one.
    """
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        return 0
    # Coerced first, because a default value of a variable counts as much as a given one.
    coerced = get_variable_values(schema, list(operation.variable_definitions or ()), variables or {}, max_errors=1)
    if isinstance(coerced, list):
        return 0
    return _estimate(schema, document, operation, coerced)


def _estimate(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
) -> int:
    errors: list[GraphQLError] = []
    context = ValidationContext(schema, document, TypeInfo(schema), errors.append)
    validator = CostValidator(context, maximum_cost=0, variables=variables, cost_map=cost_map(schema))
    cost: int = validator.compute_node_cost(operation, schema.get_root_type(operation.operation))
    if errors:
        raise errors[0]
    return cost


def check_cost(cost: int, maximum: int) -> None:
    """Raises GraphQLError (COST_EXCEEDED) above `maximum`."""
    if cost > maximum:
        raise refusal(
            "COST_EXCEEDED", f"The operation costs {cost}; {maximum} are allowed. Ask for smaller pages or fewer lists."
        )
