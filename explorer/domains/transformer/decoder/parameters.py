"""The number of weights of a decoder with its head over the vocabulary, as Hugging Face's modules have them."""

from __future__ import annotations

from itertools import pairwise

from explorer.domains.transformer.decoder.model import Decoder, DecoderLayer


def decoder_parameters(decoder: Decoder) -> int:
    """The number of trainable weights; a tied head has none of its own, and rotary positions have none."""
    hidden = decoder.hidden
    embeddings = (decoder.vocabulary + decoder.learnt_positions) * hidden
    head = 0 if decoder.tied_embeddings else decoder.vocabulary * hidden
    return embeddings + sum(_layer(decoder, layer) for layer in decoder.layers) + decoder.norm_elements + head


def _layer(decoder: Decoder, layer: DecoderLayer) -> int:
    hidden, width = decoder.hidden, layer.head_dimension
    projected = (layer.heads + 2 * layer.key_value_heads) * width
    attention = (hidden + decoder.query_key_value_bias) * projected
    output = (layer.heads * width + decoder.output_bias) * hidden
    return attention + output + _feed_forward(decoder, layer) + 2 * decoder.norm_elements


def _feed_forward(decoder: Decoder, layer: DecoderLayer) -> int:
    widths = (decoder.hidden, *layer.feed_forward, decoder.hidden)
    products = [(given + decoder.feed_forward_bias) * made for given, made in pairwise(widths)]
    return sum(products) + (sum(products[:-1]) if decoder.gated else 0)
