"""`JSON`: any JSON value that the database can hold."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import math
from typing import Any

import graphene
from graphql import GraphQLError, ValueNode, value_from_ast_untyped

MAXIMUM_DEPTH = 32


class JSON(graphene.Scalar):
    """Any JSON value. Numbers are finite, integers below 2^63, nesting at most 32 levels."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Returns the value itself, which is already JSON."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Checks and returns the value of a variable."""
        _check(value, 0)
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        """Checks and returns the value of a literal."""
        value = value_from_ast_untyped(node, variables)
        _check(value, 0)
        return value


def _check(value: Any, depth: int) -> None:
    if depth > MAXIMUM_DEPTH:
        raise GraphQLError(f"The JSON value is nested deeper than the {MAXIMUM_DEPTH} levels that are allowed.")
    if isinstance(value, bool):
        return
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise GraphQLError("The JSON value holds an integer that does not fit into 64 bits.")
    if isinstance(value, float) and not math.isfinite(value):
        raise GraphQLError("The JSON value holds a number that is not finite.")
    if isinstance(value, dict):
        for item in value.values():
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
