"""Domains, simulators and recipes as the schema shows them, with the names that clients use."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import graphene

from api.schema.generated import mutation_name
from api.schema.types import many
from explorer.contracts.domain import Domain as DomainValue
from explorer.contracts.domain import SimulatorEntry


class Domain(graphene.ObjectType):
    """A kind of architecture."""

    name = graphene.String(required=True)
    spaces = graphene.Field(many(graphene.String), description="Names of its design spaces.")
    presets = graphene.Field(many(graphene.String), description="Names of the designs that come with it.")

    @staticmethod
    def resolve_spaces(parent: DomainValue, info: graphene.ResolveInfo) -> list[str]:
        """Resolves `spaces` to their names."""
        return list(parent.spaces)

    @staticmethod
    def resolve_presets(parent: DomainValue, info: graphene.ResolveInfo) -> list[str]:
        """Resolves `presets` to their names."""
        return list(parent.presets)


class Simulator(graphene.ObjectType):
    """A program that measures architectures."""

    name = graphene.String(required=True, description="The name in its measurements.")
    help = graphene.String(required=True)
    mutation = graphene.String(required=True, description="The mutation that runs it.")

    @staticmethod
    def resolve_mutation(parent: SimulatorEntry, info: graphene.ResolveInfo) -> str:
        """Resolves `mutation` from the title."""
        return mutation_name(parent)


class Recipe(graphene.ObjectType):
    """A kind of search."""

    name = graphene.String(required=True)
    help = graphene.String(required=True)
