"""`Architecture`: an immutable design, given by its choices and by a directed graph of typed blocks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from graphdb.canonical import canonical_json, digest
from graphdb.errors import InputError

Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Block:
    """A typed node: an operation of a network or a unit of a machine.

    A unit that is repeated n times is one block with the attribute `count`. Attribute names carry SI units.
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

    `key` identifies the design (domain, space and choices), in whatever order a builder numbered the blocks;
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
        """Returns the architecture with these choices.

        Args:
            domain: kind of architecture.
            space: the design space of the choices.
            choices: the value of each choice by name; any JSON value.
            blocks: the nodes of the graph.
            edges: the edges of the graph, from block to block.

        Raises:
            InputError: an edge refers to a block that does not exist, or a choice is not a JSON value.
        """
        return cls(domain, space, canonical_json(choices), tuple(blocks), tuple(edges))

    @cached_property
    def choices(self) -> dict[str, Any]:
        """The design decisions as the space defines them, read from `choices_json`; do not modify them."""
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


_MASK = (1 << 64) - 1
_OWN, _INCOMING, _OUTGOING, _LABELLED = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93
"""Odd multipliers without structure, so that products spread over all 64 bits."""


@lru_cache(maxsize=1 << 14)
def _colour(kind: str, attributes: tuple[tuple[str, type, Scalar], ...]) -> int:
    """The first 64 bits of a label's hash; the types distinguish 1 from True, which are equal in Python."""
    label = kind + canonical_json({name: value for name, _, value in attributes}) if attributes else kind
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), "little")


def _attributes(attributes: Mapping[str, Scalar]) -> tuple[tuple[str, type, Scalar], ...]:
    return tuple((name, type(value), value) for name, value in attributes.items()) if attributes else ()


def _mixed(value: int) -> int:
    value = ((value ^ (value >> 32)) * _LABELLED) & _MASK
    return value ^ (value >> 29)


def _fingerprint(blocks: Sequence[Block], edges: Sequence[Edge]) -> str:
    """The hash; colours are random-looking 64-bit numbers, so that sums of them distinguish multisets of neighbours."""
    incoming: list[list[int]] = [[] for _ in blocks]
    outgoing: list[list[int]] = [[] for _ in blocks]
    for edge in edges:
        outgoing[edge.source].append(edge.target)
        incoming[edge.target].append(edge.source)
    colours = [
        _mixed(_colour(block.kind, _attributes(block.attributes)) + len(into) * _INCOMING + len(out) * _OUTGOING)
        for block, into, out in zip(blocks, incoming, outgoing, strict=True)
    ]
    labelled = [(e.source, e.target, _colour("", _attributes(e.attributes))) for e in edges if e.attributes]
    classes = len(set(colours))
    for _ in blocks:
        colours = _refined(colours, incoming, outgoing, labelled)
        if len(set(colours)) == classes:
            break
        classes = len(set(colours))
    ordered = b"".join([colour.to_bytes(8, "little") for colour in sorted(colours)])
    return hashlib.blake2b(ordered, digest_size=16).hexdigest()


def _refined(
    colours: list[int],
    incoming: Sequence[Sequence[int]],
    outgoing: Sequence[Sequence[int]],
    labelled: Sequence[tuple[int, int, int]],
) -> list[int]:
    """New colours from each block's own and its neighbours' colours; an edge with attributes contributes a mixture."""
    at = colours.__getitem__
    sums = [
        own * _OWN + sum(map(at, into)) * _INCOMING + sum(map(at, out)) * _OUTGOING
        for own, into, out in zip(colours, incoming, outgoing, strict=True)
    ]
    for source, target, label in labelled:
        sums[target] += _mixed(colours[source] + label) * _INCOMING
        sums[source] += _mixed(colours[target] + label) * _OUTGOING
    return [_mixed(total & _MASK) for total in sums]
