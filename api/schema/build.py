"""The schema and its text."""

from __future__ import annotations

import graphene
from graphql import GraphQLSchema, print_schema

from api.schema.mutations import mutation_type
from api.schema.queries import Query

_INPUTS = ("Mutation", "ArchitectureInput", "ConstraintInput", "RecipeInput", "String", "Int", "Float", "Boolean", "ID")


def build_schema() -> GraphQLSchema:
    """The executable schema, with a mutation for each registered simulator and the settings of each recipe."""
    reserved = {*graphene.Schema(query=Query).graphql_schema.type_map, *_INPUTS}
    schema: GraphQLSchema = graphene.Schema(query=Query, mutation=mutation_type(reserved)).graphql_schema
    return schema


def schema_text() -> str:
    """The schema in GraphQL's schema definition language."""
    return print_schema(build_schema()) + "\n"
