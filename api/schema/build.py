"""The schema, and the file that shows it."""

from __future__ import annotations

from pathlib import Path

import graphene
from graphql import GraphQLSchema, print_schema

from api.schema.mutations import Mutation
from api.schema.queries import Query

SNAPSHOT = Path(__file__).with_name("schema.graphql")


def build_schema() -> GraphQLSchema:
    """The executable schema."""
    schema: GraphQLSchema = graphene.Schema(query=Query, mutation=Mutation).graphql_schema
    return schema


def schema_text() -> str:
    """The schema in GraphQL's own language, as kept in `schema.graphql`."""
    return print_schema(build_schema()) + "\n"
