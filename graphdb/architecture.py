"""`Architecture`: an immutable design, as its choices and as a directed graph of typed blocks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphdb.canonical import canonical_json, digest
from graphdb.errors import InputError

Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Block:
    """A typed node: an operation of a network or a unit of a machine.

    Units repeated n times are one block with an attribute `count`. Attribute names carry SI units.
    """

    kind: str
    attributes: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """A directed edge between two blocks, given by their positions."""

    source: int
    target: int
    attributes: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Architecture:
    """One design of one space.

    `key` identifies the design (domain, space and choices), whatever the order in which a builder numbered the blocks;
    `fingerprint` identifies the graph up to isomorphism, whatever the space it came from.
    """

    domain: str
    space: str
    choices_json: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        for edge in self.edges:
            if not (0 <= edge.source < len(self.blocks) and 0 <= edge.target < len(self.blocks)):
                raise InputError(
                    f"The edge {edge.source} -> {edge.target} of a {self.space} architecture leaves its "
                    f"{len(self.blocks)} blocks."
                )

    @classmethod
    def of(
        cls, domain: str, space: str, choices: Mapping[str, Any], blocks: Sequence[Block], edges: Sequence[Edge]
    ) -> Architecture:
        """An architecture from plain choices (anything that JSON can say)."""
        return cls(domain, space, canonical_json(choices), tuple(blocks), tuple(edges))

    @cached_property
    def choices(self) -> dict[str, Any]:
        """The design decisions, as the space understands them. A fresh reading of `choices_json`: do not change it."""
        parsed: dict[str, Any] = json.loads(self.choices_json)
        return parsed

    @cached_property
    def key(self) -> str:
        """SHA-256 (64 hexadecimal digits) of domain, space and choices."""
        return digest([self.domain, self.space, self.choices_json])

    @cached_property
    def fingerprint(self) -> str:
        """Isomorphism-invariant hash of the graph (32 hexadecimal digits).

        Colour refinement over kinds, attributes and both directions of the edges, as in NAS-Bench-101, but repeated
        until no colour class splits any more rather than a fixed number of times.
        """
        return _fingerprint(self.blocks, self.edges)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        return self.key == other.key and self.blocks == other.blocks and self.edges == other.edges


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _label(kind: str, attributes: Mapping[str, Scalar]) -> str:
    return kind + canonical_json(attributes) if attributes else kind


def _fingerprint(blocks: Sequence[Block], edges: Sequence[Edge]) -> str:
    incoming: list[list[tuple[int, str]]] = [[] for _ in blocks]
    outgoing: list[list[tuple[int, str]]] = [[] for _ in blocks]
    for edge in edges:
        label = _label("", edge.attributes)
        outgoing[edge.source].append((edge.target, label))
        incoming[edge.target].append((edge.source, label))
    colours = [
        _hash(f"{len(outgoing[i])},{len(incoming[i])},{_label(block.kind, block.attributes)}")
        for i, block in enumerate(blocks)
    ]
    classes = len(set(colours))
    for _ in blocks:
        colours = [
            _hash(
                ",".join(sorted(colours[j] + label for j, label in incoming[i]))
                + "|"
                + ",".join(sorted(colours[j] + label for j, label in outgoing[i]))
                + "|"
                + colours[i]
            )
            for i in range(len(blocks))
        ]
        if len(set(colours)) == classes:
            break
        classes = len(set(colours))
    return _hash(",".join(sorted(colours)))
