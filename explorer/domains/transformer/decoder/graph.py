"""The block graph of a decoder, in the manner of FlexiBERT's graph of an encoder.

There is one block for each head. Heads that share keys and values are fed by one more block, which makes these.
"""

from __future__ import annotations

from explorer.domains.transformer.decoder.model import Decoder, DecoderLayer
from graphdb.architecture import Block, Edge, Scalar

KEY_VALUE, HEAD, ADD, FEED_FORWARD, GATED, EMBEDDING, LANGUAGE_HEAD = (
    "key_value",
    "causal_sdp",
    "add",
    "feed_forward",
    "gated_feed_forward",
    "embedding",
    "language_head",
)
"""Kinds of blocks. Normalisations are `rms_norm` or `layer_norm`."""


def decoder_graph(decoder: Decoder) -> tuple[list[Block], list[Edge]]:
    """Blocks and edges: input, embedding; layers; then a normalisation, the head over the vocabulary, and output.

    A layer is a normalisation, shared key-value heads if there are any, heads, the addition of what came before the
    normalisation, another normalisation, the feed-forward stack and another addition. `hidden` is the width of the
    model, `head_dimension` that of a head and `width` that of a feed-forward, all in elements.
    """
    drawing = _Drawing(decoder)
    at = drawing.block("input", hidden=decoder.hidden)
    at = drawing.block(
        EMBEDDING,
        at,
        hidden=decoder.hidden,
        vocabulary=decoder.vocabulary,
        learnt_positions=decoder.learnt_positions,
        scaled=decoder.scaled_embeddings,
    )
    for layer in decoder.layers:
        at = drawing.feed_forward(layer, drawing.attention(layer, at))
    at = drawing.norm(at)
    at = drawing.block(
        LANGUAGE_HEAD, at, hidden=decoder.hidden, vocabulary=decoder.vocabulary, tied=decoder.tied_embeddings
    )
    drawing.block("output", at, hidden=decoder.hidden)
    return drawing.blocks, drawing.edges


class _Drawing:
    """Blocks and edges so far."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.blocks: list[Block] = []
        self.edges: list[Edge] = []

    def block(self, kind: str, *sources: int, **attributes: Scalar) -> int:
        """Add a block that the blocks at `sources` feed; return its position."""
        at = len(self.blocks)
        self.blocks.append(Block(kind, attributes))
        self.edges += [Edge(source, at) for source in sources]
        return at

    def norm(self, source: int) -> int:
        """Add a normalisation."""
        return self.block(f"{self.decoder.norm}_norm", source, hidden=self.decoder.hidden, bias=self.decoder.norm_bias)

    def attention(self, layer: DecoderLayer, source: int) -> int:
        """Add the first half of a layer; return the position of its addition."""
        decoder, hidden = self.decoder, self.decoder.hidden
        normed = self.norm(source)
        about: dict[str, Scalar] = {
            "hidden": hidden,
            "head_dimension": layer.head_dimension,
            "bias": decoder.query_key_value_bias,
            "rotary": decoder.rotary,
        }
        if layer.group == 1:
            heads = [self.block(HEAD, normed, **about) for _ in range(layer.heads)]
        else:
            shared = [self.block(KEY_VALUE, normed, **about) for _ in range(layer.key_value_heads)]
            heads = [self.block(HEAD, normed, at, **about) for at in shared for _ in range(layer.group)]
        return self.block(ADD, *heads, source, hidden=hidden, bias=decoder.output_bias)

    def feed_forward(self, layer: DecoderLayer, source: int) -> int:
        """Add the second half of a layer; return the position of its addition."""
        decoder, hidden = self.decoder, self.decoder.hidden
        at = self.norm(source)
        for width in layer.feed_forward:
            at = self.block(
                GATED if decoder.gated else FEED_FORWARD,
                at,
                hidden=hidden,
                width=width,
                activation=str(decoder.activation),
                bias=decoder.feed_forward_bias,
            )
        return self.block(ADD, at, source, hidden=hidden, bias=decoder.feed_forward_bias)
