"""Architectures and measurements as the schema shows them: thin views of the values in graphdb."""

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
    description="""The criterion for the similarity of architectures.

    BEHAVIOUR: the embedding of a surrogate of measures. DISTANCE: the edit distance between their graphs. BEGINNING:
    how much is the same from the input on, then the edit distance.""",
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
    """A measured value, and the simulator it comes from."""

    simulator: str
    name: str
    value: float
    predicted: bool


def measures_of(measurement: MeasurementValue) -> list[MeasureView]:
    """The values of a measurement, sorted by name."""
    return [
        MeasureView(measurement.simulator, name, value, name in measurement.predicted)
        for name, value in sorted(measurement.measures.items())
    ]


def roles_of(measurement: MeasurementValue) -> list[dict[str, str]]:
    """The architectures of a measurement, sorted by role."""
    return [{"role": role, "key": key} for role, key in sorted(measurement.roles.items())]


_NOTES = "What reading changed in what this request gave, and remarks on its results, one sentence each."


class Measure(graphene.ObjectType):
    """One value of a measurement; its name ends in the SI unit."""

    name = graphene.String(required=True)
    value = graphene.Float(required=True)
    predicted = graphene.Boolean(required=True, description="Predicted by a surrogate rather than measured.")
    label = graphene.String(required=True, description="The name shown to people, without the unit.")
    unit = graphene.String(required=True, description="The symbol of the unit; empty if there is none.")
    direction = graphene.Field(Direction, description="The direction of improvement; null if neither is better.")

    @staticmethod
    async def resolve_label(parent: MeasureView, info: graphene.ResolveInfo) -> str:
        """Resolves the declared label."""
        return (await _declared(parent, info)).label

    @staticmethod
    async def resolve_unit(parent: MeasureView, info: graphene.ResolveInfo) -> str:
        """Resolves the declared unit."""
        return (await _declared(parent, info)).unit

    @staticmethod
    async def resolve_direction(parent: MeasureView, info: graphene.ResolveInfo) -> DirectionValue | None:
        """Resolves the declared direction."""
        return (await _declared(parent, info)).direction


async def _declared(figure: MeasureView, info: graphene.ResolveInfo) -> MeasureValue:
    """The measure as declared by its simulator, or by any domain if the simulator is unknown."""
    known = await context_of(info).measures.load(figure.simulator)
    return known.get(figure.name) or registry.measure(figure.name)


class Role(graphene.ObjectType):
    """The part that an architecture played in a measurement."""

    role = graphene.String(required=True)
    architecture = graphene.Field(lambda: graphene.NonNull(Architecture))

    @staticmethod
    def resolve_architecture(parent: dict[str, str], info: graphene.ResolveInfo) -> Future[ArchitectureValue]:
        """Resolves the architecture, loaded together with the others of the answer."""
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
        """Resolves the attributes as plain JSON."""
        return dict(parent.attributes)


class Measurement(graphene.ObjectType):
    """The result of one simulator, or one published experiment, for one set of architectures."""

    key = graphene.ID(required=True)
    simulator = graphene.String(required=True)
    version = graphene.String(required=True)
    seed = graphene.BigInt()
    settings = graphene.Field(JSON, required=True)
    measures = many(Measure)
    roles = many(Role)
    notes = graphene.Field(many(graphene.String), description=_NOTES)

    @staticmethod
    def resolve_notes(parent: MeasurementValue, info: graphene.ResolveInfo) -> list[str]:
        """Resolves what the request noted."""
        return context_of(info).notes.get(parent.key, [])

    @staticmethod
    def resolve_settings(parent: MeasurementValue, info: graphene.ResolveInfo) -> dict[str, Any]:
        """Resolves the settings as plain JSON."""
        return dict(parent.settings)

    @staticmethod
    def resolve_measures(parent: MeasurementValue, info: graphene.ResolveInfo) -> list[MeasureView]:
        """Resolves the measures, sorted by name."""
        return measures_of(parent)

    @staticmethod
    def resolve_roles(parent: MeasurementValue, info: graphene.ResolveInfo) -> list[dict[str, str]]:
        """Resolves the architectures, sorted by role."""
        return roles_of(parent)


class Architecture(graphene.ObjectType):
    """A design of a space, given by its choices and by a directed graph of typed blocks."""

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
        description="The k nearest architectures of the same domain, as in `similar`.",
        k=graphene.Int(required=True, default_value=5),
        by=graphene.Argument(Likeness, required=True, default_value=LikenessValue.DISTANCE),
    )
    facts = graphene.Field(many(Measure), description="What follows from it without a simulation, such as its size.")
    twins = graphene.Field(
        lambda: many(Architecture),
        description="Stored designs of other spaces with the same graph: what was measured of them holds for it too.",
        first=graphene.Int(required=True, default_value=5),
    )
    notes = graphene.Field(many(graphene.String), description=_NOTES)

    @staticmethod
    def resolve_facts(parent: ArchitectureValue, info: graphene.ResolveInfo) -> list[MeasureView]:
        """Resolves the facts as measures that no simulator took."""
        return [MeasureView("", fact.measure.name, fact.value, False) for fact in registry.facts(parent)]

    @staticmethod
    async def resolve_twins(
        parent: ArchitectureValue, info: graphene.ResolveInfo, first: int
    ) -> list[ArchitectureValue]:
        """Resolves the twins, sorted by key."""
        checked_first(first)
        context = context_of(info)
        twins = await context.twins.load(parent)
        architectures: list[ArchitectureValue] = await context.architectures.load_many(
            [twin.key for twin in twins[:first]]
        )
        return architectures

    @staticmethod
    def resolve_notes(parent: ArchitectureValue, info: graphene.ResolveInfo) -> list[str]:
        """Resolves what the request noted."""
        return context_of(info).notes.get(parent.key, [])

    @staticmethod
    def resolve_blocks(parent: ArchitectureValue, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """Resolves the blocks with their positions, which the edges refer to."""
        return [
            {"position": position, "kind": block.kind, "attributes": dict(block.attributes)}
            for position, block in enumerate(parent.blocks)
        ]

    @staticmethod
    async def resolve_measurements(
        parent: ArchitectureValue, info: graphene.ResolveInfo, first: int
    ) -> list[MeasurementValue]:
        """Resolves the finished measurements of the architecture in any role, in key order."""
        checked_first(first)
        measurements: list[MeasurementValue] = await context_of(info).measurements.load(parent.key)
        return sorted(measurements, key=lambda measurement: measurement.key)[:first]

    @staticmethod
    async def resolve_parents(parent: ArchitectureValue, info: graphene.ResolveInfo, first: int) -> list[RelativeValue]:
        """Resolves the parents, sorted by key."""
        checked_first(first)
        parents: list[RelativeValue] = await context_of(info).parents.load(parent.key)
        return parents[:first]

    @staticmethod
    async def resolve_children(
        parent: ArchitectureValue, info: graphene.ResolveInfo, first: int
    ) -> list[RelativeValue]:
        """Resolves the children, sorted by key."""
        checked_first(first)
        children: list[RelativeValue] = await context_of(info).children.load(parent.key)
        return children[:first]

    @staticmethod
    async def resolve_neighbours(
        parent: ArchitectureValue, info: graphene.ResolveInfo, k: int, by: LikenessValue
    ) -> list[dict[str, Any]]:
        """Resolves the neighbours with the vector indexes."""
        return await similar_to(context_of(info), parent.key, k, by)


class Relative(graphene.ObjectType):
    """A parent or child of a design."""

    how = graphene.String(required=True, description="How the child was made: weight transfer, crossover, mutation ...")
    properties = graphene.Field(
        JSON, required=True, description="More about that step, such as `ratio`, the share of weights taken over."
    )
    architecture = graphene.Field(Architecture, required=True)

    @staticmethod
    def resolve_properties(parent: RelativeValue, info: graphene.ResolveInfo) -> dict[str, Any]:
        """Resolves the properties as plain JSON."""
        return dict(parent.properties)

    @staticmethod
    def resolve_architecture(parent: RelativeValue, info: graphene.ResolveInfo) -> Future[ArchitectureValue]:
        """Resolves the architecture, loaded together with the others of the answer."""
        return context_of(info).architectures.load(parent.key)  # type: ignore[no-any-return]


class ArchitectureEdge(graphene.ObjectType):
    """An architecture in a listing."""

    cursor = graphene.String(required=True)
    node = graphene.Field(Architecture, required=True)


class PageInfo(graphene.ObjectType):
    """The position of a page in its listing, as in Relay."""

    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True, description="Always false: listings go forwards only.")
    start_cursor = graphene.String()
    end_cursor = graphene.String()


class ArchitectureConnection(graphene.ObjectType):
    """A page of architectures in key order, as in Relay."""

    edges = many(ArchitectureEdge)
    page_info = graphene.Field(PageInfo, required=True)
    total_count = graphene.Int(required=True, description="The number of architectures in the whole listing.")


class SimilarArchitecture(graphene.ObjectType):
    """An architecture similar to a given one."""

    score = graphene.Float(
        required=True,
        description="From 0 to 1 (identical): (1 + cosine) / 2 of the embeddings, or 1 / (1 + distance).",
    )
    distance = graphene.Float(
        description="The edit distance if it equals `atLeast`, otherwise an upper bound of it, or an estimate. Null "
        "for BEHAVIOUR."
    )
    at_least = graphene.Float(description="A lower bound of the edit distance; null for estimates and for BEHAVIOUR.")
    estimated = graphene.Boolean(
        required=True, description="Whether the distance is an estimate, which may be too large or too small."
    )
    architecture = graphene.Field(Architecture, required=True)


async def similar_to(
    context: Context, key: str, k: int, by: LikenessValue, *, rank_again: bool | None = None
) -> list[dict[str, Any]]:
    """The nearest neighbours of an architecture, as `SimilarArchitecture` shows them.

    Args:
        context: the context of the request.
        key: the key of the architecture.
        k: the number of neighbours, 1 to 100.
        by: the criterion for similarity.
        rank_again: whether to order by bounds of the edit distance; None for the default.

    Raises:
        InputError: `k` is out of range, or `rank_again` is not possible with `by`.
    """
    checked_first(k, name="k")
    nearest = await context.read(_nearest, context.store, key, k, by, rank_again)
    architectures = await context.architectures.load_many([neighbour.key for neighbour in nearest])
    return [
        {
            "score": neighbour.score,
            "distance": neighbour.distance,
            "at_least": neighbour.at_least,
            "estimated": neighbour.estimated,
            "architecture": architecture,
        }
        for neighbour, architecture in zip(nearest, architectures, strict=True)
    ]


def _nearest(store: Store, key: str, k: int, by: LikenessValue, rank_again: bool | None) -> list[Neighbour]:
    from explorer.learning import similarity  # brings PyTorch

    return similarity.neighbours(store, key, k, by=by, rank_again=rank_again)
