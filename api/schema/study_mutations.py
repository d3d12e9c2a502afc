"""The mutations of studies that exist: stop one, delete one."""

# graphene has no types.

from __future__ import annotations

import graphene

from api.schema.study_types import Study
from api.schema.types import context_of
from graphdb.records import StudyRecord
from graphdb.store import Store


def stop_study() -> graphene.Field:
    """The mutation that asks a running study to stop."""

    async def resolve(root: None, info: graphene.ResolveInfo, /, name: str) -> StudyRecord:
        context = context_of(info)
        return await context.read(_stop, context.store, name)

    return graphene.Field(
        graphene.NonNull(Study),
        args={"name": graphene.Argument(graphene.ID, required=True)},
        description="Ask a running study, of whatever process, to stop once the trials under way have ended; it can be "
        "resumed.",
        resolver=resolve,
    )


def delete_study() -> graphene.Field:
    """The mutation that removes a study."""

    async def resolve(root: None, info: graphene.ResolveInfo, /, name: str) -> str:
        context = context_of(info)
        await context.read(_delete, context.store, name)
        return name

    return graphene.Field(
        graphene.NonNull(graphene.ID),
        args={"name": graphene.Argument(graphene.ID, required=True)},
        description="Delete a study that is not running, and its trials; measurements and architectures stay. Returns "
        "its name.",
        resolver=resolve,
    )


def _stop(store: Store, name: str) -> StudyRecord:
    from explorer.services import studies  # heavy, and not needed to know the schema

    return studies.stop_study(store, name)


def _delete(store: Store, name: str) -> None:
    from explorer.services import studies

    studies.delete_study(store, name)
