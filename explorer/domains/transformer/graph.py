"""The block graph of a Transformer encoder, as FlexiBERT draws it, and FlexiBERT's own hashes of it.

Source: `embeddings/utils/graph_util.py` of txf_design-space (block graph; one node per head, no node for the embedding
or for the projection between layers of different width). There, labels carry the sizes; here, attributes do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import Layer, choices_of, is_decoder, layers_of
from graphdb.architecture import Block, Edge

_CACHED = 1 << 14


def block_graph(layers: Sequence[Layer]) -> tuple[list[Block], list[Edge]]:
    """Blocks and edges: input; for each layer its heads, add_norm, feed_forward, add_norm; then output.

    A model has 2 + sum(heads + feed-forwards + 2) blocks and 1 + sum(2 heads + feed-forwards + 3) edges. The
    attribute `hidden` is the width of the layer, `head_dimension` the width of one head, and `width` that of one
    feed-forward, all in elements.
    """
    blocks, edges = [_block("input", hidden=layers[0].hidden)], []
    feeding = 0
    for layer in layers:
        first = len(blocks)
        blocks += [_block(kind, layer.hidden, layer.head_dimension) for kind in layer.heads]
        attended = len(blocks)
        blocks.append(_block("add_norm", layer.hidden))
        edges += [_edge(feeding, head) for head in range(first, attended)]
        edges += [_edge(head, attended) for head in range(first, attended)]
        edges.append(_edge(feeding, attended))
        blocks += [_block("feed_forward", layer.hidden, width=width) for width in layer.feed_forward]
        feeding = len(blocks)
        edges += [_edge(position, position + 1) for position in range(attended, feeding)]
        blocks.append(_block("add_norm", layer.hidden))
        edges.append(_edge(attended, feeding))
    blocks.append(_block("output", layers[-1].hidden))
    edges.append(_edge(feeding, feeding + 1))
    return blocks, edges


def reference_hash(layers: Sequence[Layer]) -> str:
    """The MD5 hash (32 hexadecimal digits) that identifies a model in the published data of FlexiBERT 2.0.

    Five rounds of the hash of NAS-Bench-101 over labels and degrees, then one more with the hidden and feed-forward
    widths. It only serves to look up published rows: `Architecture.fingerprint` refines until nothing changes.
    """
    choices = choices_of(layers)
    blocks, edges = block_graph(layers)
    labels = [_published_label(block) for block in blocks]
    return _md5(_refined(labels, edges, _md5) + str(choices["h"]) + str(choices["f"]))


def first_reference_hash(layers: Sequence[Layer]) -> str:
    """The SHA-256 hash (64 hexadecimal digits) that identifies a model in the libraries of FlexiBERT 1.

    The same five rounds, with the hidden width of the layer in the labels of heads, and no further round. If a layer
    has heads of several types, which FlexiBERT 1 does not allow, each head has its own label.
    """
    blocks, edges = block_graph(layers)
    return _refined([_first_label(block) for block in blocks], edges, _sha256)


def reference_hashes(model: Choices) -> dict[str, str]:
    """Published source -> its hash of a legal encoder: `flexibert2` (MD5), `flexibert` (SHA-256)."""
    if is_decoder(model):
        return {}
    layers = layers_of(model)
    return {"flexibert2": reference_hash(layers), "flexibert": first_reference_hash(layers)}


def _refined(labels: Sequence[str], edges: Sequence[Edge], hashed: Callable[[str], str]) -> str:
    incoming: list[list[int]] = [[] for _ in labels]
    outgoing: list[list[int]] = [[] for _ in labels]
    for edge in edges:
        outgoing[edge.source].append(edge.target)
        incoming[edge.target].append(edge.source)
    digests = [hashed(str((len(outgoing[i]), len(incoming[i]), label))) for i, label in enumerate(labels)]
    for _ in range(5):
        digests = [
            hashed("|".join([_joined(digests, incoming[i]), _joined(digests, outgoing[i]), digests[i]]))
            for i in range(len(labels))
        ]
    return hashed(str(sorted(digests)))


def _first_label(block: Block) -> str:
    if "head_dimension" not in block.attributes:
        return _published_label(block)
    family, parameter = block.kind.split("_")
    return f"{family}_h{block.attributes['hidden']}_p-{parameter}"


def _published_label(block: Block) -> str:
    if block.kind == "feed_forward":
        return f"f{block.attributes['width']}"
    if "head_dimension" in block.attributes:
        return f"{block.kind}_{block.attributes['head_dimension']}"
    return block.kind


def _joined(digests: Sequence[str], positions: Sequence[int]) -> str:
    return "".join(sorted(digests[position] for position in positions))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# Blocks and edges are immutable values that recur in model after model: making them once keeps building fast.
@lru_cache(maxsize=_CACHED)
def _block(kind: str, hidden: int, head_dimension: int = 0, width: int = 0) -> Block:
    attributes = {"hidden": hidden, "head_dimension": head_dimension, "width": width}
    return Block(kind, {name: value for name, value in attributes.items() if value})


@lru_cache(maxsize=_CACHED)
def _edge(source: int, target: int) -> Edge:
    return Edge(source, target)
