"""The queries."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

import graphene

from api.schema.inputs import WAYS, ArchitectureFilterInput, filter_of, named
from api.schema.paging import checked_first, cursor_of, key_of
from api.schema.registered import Domain, Recipe, Simulator
from api.schema.study_types import Study
from api.schema.types import (
    Architecture,
    ArchitectureConnection,
    Likeness,
    SimilarArchitecture,
    context_of,
    many,
    similar_to,
)
from explorer import registry
from explorer.contracts.domain import Domain as DomainValue
from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.contracts.metric import Likeness as LikenessValue
from graphdb.architecture import Architecture as ArchitectureValue
from graphdb.errors import NotFoundError
from graphdb.records import Page, StudyRecord


class Query(graphene.ObjectType):
    """Architectures, their measurements, and the studies that search among them."""

    architecture = graphene.Field(
        Architecture,
        description="The architecture that `key` names, stored or not; null if no stored one has that key.",
        key=graphene.String(required=True, description=WAYS),
    )
    architectures = graphene.Field(
        graphene.NonNull(ArchitectureConnection),
        description="All architectures that match a filter, in key order; at most 100 at a time.",
        filter=ArchitectureFilterInput(),
        first=graphene.Int(required=True, default_value=20),
        after=graphene.String(description="`endCursor` of the previous page."),
    )
    similar = graphene.Field(
        many(SimilarArchitecture),
        description="The k nearest architectures of the same domain, nearest first. By DISTANCE and BEGINNING all "
        "designs of a domain are compared if there are at most 1,000, otherwise those with an embedding.",
        key=graphene.String(required=True, description=WAYS),
        k=graphene.Int(required=True, default_value=10),
        by=graphene.Argument(Likeness, required=True, default_value=LikenessValue.BEHAVIOUR),
        rank_again=graphene.Boolean(
            description="Whether to order by bounds of the edit distance, which is the default, or by the encoder's "
            "estimate; only with DISTANCE.",
        ),
    )
    studies = graphene.Field(
        many(Study), description="All studies, newest first.", first=graphene.Int(required=True, default_value=20)
    )
    study = graphene.Field(
        Study, description="The study with a name; null if there is none.", name=graphene.String(required=True)
    )
    domains = graphene.Field(many(Domain), description="The kinds of architectures that are installed.")
    simulators = graphene.Field(
        many(Simulator), description="The programs that measure architectures, each with a mutation."
    )
    recipes = graphene.Field(many(Recipe), description="The kinds of searches.")

    @staticmethod
    async def resolve_architecture(root: None, info: graphene.ResolveInfo, key: str) -> ArchitectureValue | None:
        """Resolves `architecture` by any of the ways to name one."""
        context = context_of(info)
        notes: list[str] = []
        try:
            architecture = await context.read(named, context.store, key, "key", note=notes.append)
        except NotFoundError:
            return None
        context.notes[architecture.key] = notes
        return architecture

    @staticmethod
    async def resolve_architectures(
        root: None, info: graphene.ResolveInfo, first: int, after: str | None = None, filter: Any = None
    ) -> dict[str, Any]:
        """Resolves one page of `architectures`."""
        checked_first(first)
        context = context_of(info)
        page = await context.read(
            context.store.architectures.find,
            filter_of(filter),
            first=first,
            after=None if after is None else key_of(after),
        )
        for architecture in page.items:
            context.architectures.prime(architecture.key, architecture)
        return _connection(page)

    @staticmethod
    async def resolve_similar(
        root: None, info: graphene.ResolveInfo, key: str, k: int, by: LikenessValue, rank_again: bool | None = None
    ) -> list[dict[str, Any]]:
        """Resolves `similar` by bounds of distances, or with the vector indexes."""
        context = context_of(info)
        own = await context.read(named, context.store, key, "key")
        return await similar_to(context, own.key, k, by, rank_again=rank_again)

    @staticmethod
    async def resolve_studies(root: None, info: graphene.ResolveInfo, first: int) -> list[StudyRecord]:
        """Resolves `studies`, newest first."""
        checked_first(first)
        context = context_of(info)
        studies = await context.read(context.store.studies.list)
        return studies[:first]

    @staticmethod
    async def resolve_study(root: None, info: graphene.ResolveInfo, name: str) -> StudyRecord | None:
        """Resolves `study` by its name."""
        context = context_of(info)
        try:
            return await context.read(context.store.studies.get, name)
        except NotFoundError:
            return None

    @staticmethod
    def resolve_domains(root: None, info: graphene.ResolveInfo) -> list[DomainValue]:
        """Resolves `domains`, the product's own first."""
        return [registry.domain(name) for name in registry.domains()]

    @staticmethod
    def resolve_simulators(root: None, info: graphene.ResolveInfo) -> list[SimulatorEntry]:
        """Resolves `simulators`, the product's own first."""
        return [registry.simulator_entry(name) for name in registry.simulators(shown=True)]

    @staticmethod
    def resolve_recipes(root: None, info: graphene.ResolveInfo) -> list[RecipeEntry]:
        """Resolves `recipes`, the product's own first."""
        return [registry.recipe_entry(name) for name in registry.recipes()]


def _connection(page: Page[ArchitectureValue]) -> dict[str, Any]:
    edges = [{"cursor": cursor_of(architecture.key), "node": architecture} for architecture in page.items]
    return {
        "edges": edges,
        "page_info": {
            "has_next_page": page.has_next,
            "has_previous_page": False,
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
        },
        "total_count": page.total,
    }
