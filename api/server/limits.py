"""Cheap checks of a parsed query, made before the standard rules, some of which take quadratic time.

The walk expands fragments as the executor would, merging equal response names, but counts every selection that it
visits and stops at `Limits.selections`. Its cost is therefore bounded whatever the text: fragments that double at every
level, which make a naive depth rule exponential, end at the bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)


@dataclass(frozen=True)
class Limits:
    """The limits of one request.

    Attributes:
        body_bytes: bytes of an HTTP body or a WebSocket message, checked before it is read as JSON.
        body_s: seconds until an unfinished HTTP body is refused.
        text_characters: characters of the query text.
        tokens: tokens of the query text.
        depth: levels of fields.
        introspection_depth: levels below `__schema` and `__type`, which the standard introspection query needs.
        aliases: aliases in the whole text.
        root_fields: root fields of an operation.
        repeats: occurrences of one response name at one place of the result.
        selections: selections visited while expanding fragments.
        cost: the cost, see `api.server.cost`.
        execution_s: seconds until the execution is abandoned.
        documents: the number of checked texts kept.
    """

    body_bytes: int = 1_000_000
    body_s: float = 10.0
    text_characters: int = 50_000
    tokens: int = 1_000
    depth: int = 12
    introspection_depth: int = 20
    aliases: int = 30
    root_fields: int = 10
    repeats: int = 10
    selections: int = 2_000
    cost: int = 1_000
    execution_s: float = 10.0
    documents: int = 256


def refusal(code: str, message: str) -> GraphQLError:
    """An error with a code about the request itself."""
    return GraphQLError(message, extensions={"code": code})


def check(document: DocumentNode, limits: Limits) -> int:
    """Refuses a query that is too wide, too deep or too repetitive; returns the number of selections visited.

    Raises:
        GraphQLError: with the code TOO_MANY_ALIASES, TOO_MANY_ROOT_FIELDS, TOO_REPETITIVE, TOO_DEEP or TOO_COMPLEX.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    walk = _Walk(fragments, limits)
    for definition in document.definitions:
        # Fragments are roots too: the overlap rule checks them even if nothing uses them.
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            walk.definition(definition)
    return walk.visited


@dataclass
class _Walk:
    fragments: Mapping[str, FragmentDefinitionNode]
    limits: Limits
    visited: int = 0
    aliases: set[int] = field(default_factory=set)

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> None:
        """Expands one operation or fragment, level by level."""
        groups = self._merge([node.selection_set])
        if isinstance(node, OperationDefinitionNode) and len(groups) > self.limits.root_fields:
            raise refusal(
                "TOO_MANY_ROOT_FIELDS",
                f"The operation has {len(groups)} root fields; {self.limits.root_fields} are allowed.",
            )
        # Whatever its name, a fragment on one of the introspection types is part of an introspection query.
        own = isinstance(node, FragmentDefinitionNode) and node.type_condition.name.value.startswith("__")
        self._descend(groups, 1, own)

    def _descend(self, groups: Mapping[str, list[FieldNode]], depth: int, introspection: bool) -> None:
        allowed = self.limits.introspection_depth if introspection else self.limits.depth
        if groups and depth > allowed:
            raise refusal("TOO_DEEP", f"The query is deeper than the {allowed} levels that are allowed.")
        for fields in groups.values():
            inner = [node.selection_set for node in fields if node.selection_set]
            inside = introspection or any(node.name.value in ("__schema", "__type") for node in fields)
            if inner:
                self._descend(self._merge(inner), depth + 1, inside)

    def _merge(self, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields at one place of the result by response name, with the fragments of that place expanded."""
        groups: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        queue: list[SelectionNode] = [node for group in sets for node in group.selections]
        while queue:
            self._count()
            node = queue.pop()
            if isinstance(node, FieldNode):
                self._collect(node, groups)
            elif isinstance(node, InlineFragmentNode):
                queue.extend(node.selection_set.selections)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments.get(node.name.value)
                if fragment and node.name.value not in spread:
                    spread.add(node.name.value)
                    queue.extend(fragment.selection_set.selections)
        return groups

    def _collect(self, node: FieldNode, groups: dict[str, list[FieldNode]]) -> None:
        if node.alias:
            self.aliases.add(id(node))
            if len(self.aliases) > self.limits.aliases:
                raise refusal("TOO_MANY_ALIASES", f"The query has more than the {self.limits.aliases} aliases allowed.")
        name = node.alias.value if node.alias else node.name.value
        group = groups.setdefault(name, [])
        group.append(node)
        if len(group) > self.limits.repeats:
            raise refusal(
                "TOO_REPETITIVE",
                f"{name} is selected more than {self.limits.repeats} times at one place of the result.",
            )

    def _count(self) -> None:
        self.visited += 1
        if self.visited > self.limits.selections:
            raise refusal(
                "TOO_COMPLEX",
                f"With its fragments expanded the query has more than {self.limits.selections} selections.",
            )
