"""Architectures and measurements as the schema shows them: thin views of the values of graphdb."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import graphene

from api.schema.context import Context
from api.schema.paging import checked_first
from api.schema.scalars import JSON
from explorer import registry
from explorer.contracts.measure import Direction as DirectionValue
from explorer.contracts.measure import Measure as MeasureValue
from explorer.contracts.metric import Likeness as LikenessValue
from graphdb.architecture import Architecture as ArchitectureValue
from graphdb.architecture import Edge as EdgeValue
from graphdb.measurement import Measurement as MeasurementValue
from graphdb.records import Relative as RelativeValue
from graphdb.store import Store

if TYPE_CHECKING:
    from explorer.learning.similarity import Neighbour

Likeness = graphene.Enum.from_enum(
    LikenessValue,
    description="""What makes architectures alike.

What a surrogate of measures sees; the edit distance of their graphs; or what is the same from the input on, and
then the edit distance.""",
)
Direction = graphene.Enum.from_enum(DirectionValue, description="Whether a larger or a smaller value is better.")


def many(of: Any) -> graphene.NonNull:
    """The type `[of!]!`."""
    return graphene.NonNull(graphene.List(graphene.NonNull(of)))


def context_of(info: graphene.ResolveInfo) -> Context:
    """The context that all resolvers of a request share."""
    context: Context = info.context
    return context


@dataclass(frozen=True)
class MeasureView:
    """A figure, and what took it."""

    simulator: str
    name: str
    value: float
    predicted: bool


def measures_of(measurement: MeasurementValue) -> list[MeasureView]:
    """A measurement's figures, by name."""
    return [
        MeasureView(measurement.simulator, name, value, name in measurement.predicted)
        for name, value in sorted(measurement.measures.items())
    ]


def roles_of(measurement: MeasurementValue) -> list[dict[str, str]]:
    """A measurement's architectures, by role."""
    return [{"role": role, "key": key} for role, key in sorted(measurement.roles.items())]


class Measure(graphene.ObjectType):
    """One figure of a measurement; its name carries the SI unit."""

    name = graphene.String(required=True)
    value = graphene.Float(required=True)
    predicted = graphene.Boolean(required=True, description="Predicted by a surrogate rather than measured.")
    label = graphene.String(required=True, description="The name for people, without the unit.")
    unit = graphene.String(required=True, description="Symbol of the unit; empty where there is none.")
    direction = graphene.Field(Direction, description="Direction of improvement; null where neither is better.")

    @staticmethod
    async def resolve_label(parent: MeasureView, info: graphene.ResolveInfo) -> str:
        """The declared value."""
        return (await _declared(parent, info)).label

    @staticmethod
    async def resolve_unit(parent: MeasureView, info: graphene.ResolveInfo) -> str:
        """The declared value."""
        return (await _declared(parent, info)).unit

    @staticmethod
    async def resolve_direction(parent: MeasureView, info: graphene.ResolveInfo) -> DirectionValue | None:
        """The declared value."""
        return (await _declared(parent, info)).direction


async def _declared(figure: MeasureView, info: graphene.ResolveInfo) -> MeasureValue:
    """The measure as its simulator declares it; as any domain does where the simulator is not known."""
    known = await context_of(info).measures.load(figure.simulator)
    return known.get(figure.name) or registry.measure(figure.name)


class Role(graphene.ObjectType):
    """The part that an architecture played in a measurement."""

    role = graphene.String(required=True)
    architecture = graphene.Field(lambda: graphene.NonNull(Architecture))

    @staticmethod
    def resolve_architecture(parent: dict[str, str], info: graphene.ResolveInfo) -> Future[ArchitectureValue]:
        """Loaded together with the others of the answer."""
        return context_of(info).architectures.load(parent["key"])  # type: ignore[no-any-return]


class Block(graphene.ObjectType):
    """A typed node of an architecture."""

    position = graphene.Int(required=True)
    kind = graphene.String(required=True)
    attributes = graphene.Field(JSON, required=True)


class Edge(graphene.ObjectType):
    """A directed edge between two blocks, given by their positions."""

    source = graphene.Int(required=True)
    target = graphene.Int(required=True)
    attributes = graphene.Field(JSON, required=True)

    @staticmethod
    def resolve_attributes(parent: EdgeValue, info: graphene.ResolveInfo) -> dict[str, Any]:
        """Plain JSON."""
        return dict(parent.attributes)


class Measurement(graphene.ObjectType):
    """The figures that one simulator, or one published experiment, gave for one set of architectures."""

    key = graphene.ID(required=True)
    simulator = graphene.String(required=True)
    version = graphene.String(required=True)
    seed = graphene.BigInt()
    settings = graphene.Field(JSON, required=True)
    measures = many(Measure)
    roles = many(Role)

    @staticmethod
    def resolve_settings(parent: MeasurementValue, info: graphene.ResolveInfo) -> dict[str, Any]:
        """Plain JSON."""
        return dict(parent.settings)

    @staticmethod
    def resolve_measures(parent: MeasurementValue, info: graphene.ResolveInfo) -> list[MeasureView]:
        """Sorted by name."""
        return measures_of(parent)

    @staticmethod
    def resolve_roles(parent: MeasurementValue, info: graphene.ResolveInfo) -> list[dict[str, str]]:
        """Sorted by role."""
        return roles_of(parent)


class Architecture(graphene.ObjectType):
    """One design of one space, as its choices and as a directed graph of typed blocks."""

    key = graphene.ID(required=True, description="SHA-256 of domain, space and choices.")
    domain = graphene.String(required=True)
    space = graphene.String(required=True)
    fingerprint = graphene.String(required=True, description="Equal for isomorphic graphs.")
    choices = graphene.Field(JSON, required=True)
    blocks = many(Block)
    edges = many(Edge)
    measurements = graphene.Field(many(Measurement), first=graphene.Int(required=True, default_value=5))
    parents = graphene.Field(
        lambda: many(Relative),
        description="The designs that it came from.",
        first=graphene.Int(required=True, default_value=5),
    )
    children = graphene.Field(
        lambda: many(Relative),
        description="The designs that came from it.",
        first=graphene.Int(required=True, default_value=5),
    )
    neighbours = graphene.Field(
        lambda: many(SimilarArchitecture),
        description="The k nearest architectures of the same domain, as `similar` finds them.",
        k=graphene.Int(required=True, default_value=5),
        by=graphene.Argument(Likeness, required=True, default_value=LikenessValue.DISTANCE),
    )

    @staticmethod
    def resolve_blocks(parent: ArchitectureValue, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """With their positions, which the edges refer to."""
        return [
            {"position": position, "kind": block.kind, "attributes": dict(block.attributes)}
            for position, block in enumerate(parent.blocks)
        ]

    @staticmethod
    async def resolve_measurements(
        parent: ArchitectureValue, info: graphene.ResolveInfo, first: int
    ) -> list[MeasurementValue]:
        """The first finished ones by key, of the architecture in any role."""
        checked_first(first)
        measurements: list[MeasurementValue] = await context_of(info).measurements.load(parent.key)
        return sorted(measurements, key=lambda measurement: measurement.key)[:first]

    @staticmethod
    async def resolve_parents(parent: ArchitectureValue, info: graphene.ResolveInfo, first: int) -> list[RelativeValue]:
        """Sorted by key."""
        checked_first(first)
        parents: list[RelativeValue] = await context_of(info).parents.load(parent.key)
        return parents[:first]

    @staticmethod
    async def resolve_children(
        parent: ArchitectureValue, info: graphene.ResolveInfo, first: int
    ) -> list[RelativeValue]:
        """Sorted by key."""
        checked_first(first)
        children: list[RelativeValue] = await context_of(info).children.load(parent.key)
        return children[:first]

    @staticmethod
    async def resolve_neighbours(
        parent: ArchitectureValue, info: graphene.ResolveInfo, k: int, by: LikenessValue
    ) -> list[dict[str, Any]]:
        """Found by the vector indexes."""
        return await similar_to(context_of(info), parent.key, k, by)


class Relative(graphene.ObjectType):
    """A design that another came from, or one that came from it."""

    how = graphene.String(required=True, description="How the child was made: weight transfer, crossover, mutation ...")
    properties = graphene.Field(
        JSON, required=True, description="More about that step, such as `ratio`, the share of weights taken over."
    )
    architecture = graphene.Field(Architecture, required=True)

    @staticmethod
    def resolve_properties(parent: RelativeValue, info: graphene.ResolveInfo) -> dict[str, Any]:
        """Plain JSON."""
        return dict(parent.properties)

    @staticmethod
    def resolve_architecture(parent: RelativeValue, info: graphene.ResolveInfo) -> Future[ArchitectureValue]:
        """Loaded together with the others of the answer."""
        return context_of(info).architectures.load(parent.key)  # type: ignore[no-any-return]


class ArchitectureEdge(graphene.ObjectType):
    """An architecture in a listing."""

    cursor = graphene.String(required=True)
    node = graphene.Field(Architecture, required=True)


class PageInfo(graphene.ObjectType):
    """Where a page lies in its listing; Relay's."""

    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True, description="Always false: listings go forwards only.")
    start_cursor = graphene.String()
    end_cursor = graphene.String()


class ArchitectureConnection(graphene.ObjectType):
    """A page of architectures in key order; Relay's."""

    edges = many(ArchitectureEdge)
    page_info = graphene.Field(PageInfo, required=True)
    total_count = graphene.Int(required=True, description="Architectures in the whole listing.")


class SimilarArchitecture(graphene.ObjectType):
    """A neighbour."""

    score = graphene.Float(
        required=True,
        description="From 0 to 1, where nothing differs: (1 + cosine) / 2 of embeddings, or 1 / (1 + distance).",
    )
    distance = graphene.Float(
        description="Edit distance: an estimate, or an upper bound where ranked again. Null by behaviour."
    )
    architecture = graphene.Field(Architecture, required=True)


async def similar_to(
    context: Context, key: str, k: int, by: LikenessValue, *, rank_again: bool = False
) -> list[dict[str, Any]]:
    """The nearest neighbours of an architecture, as `SimilarArchitecture` shows them.

    Args:
        context: of the request.
        key: of the architecture.
        k: how many neighbours, 1 to 100.
        by: what makes them alike.
        rank_again: order the nearest by an upper bound of their edit distance.

    Raises:
        InputError: a k that is not allowed, or a likeness that `rank_again` does not go with.
    """
    checked_first(k, name="k")
    nearest = await context.read(_nearest, context.store, key, k, by, rank_again)
    architectures = await context.architectures.load_many([neighbour.key for neighbour in nearest])
    return [
        {"score": neighbour.score, "distance": neighbour.distance, "architecture": architecture}
        for neighbour, architecture in zip(nearest, architectures, strict=True)
    ]


def _nearest(store: Store, key: str, k: int, by: LikenessValue, rank_again: bool) -> list[Neighbour]:
    from explorer.learning import similarity  # brings PyTorch

    return similarity.neighbours(store, key, k, by=by, rank_again=rank_again)
