"""The number of weights of a model."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from explorer.domains.transformer.model import Layer, is_decoder, layers_of

if TYPE_CHECKING:
    from explorer.contracts.space import Choices

ROBERTA_VOCABULARY = 50_265
ROBERTA_POSITIONS = 514


def parameter_count(
    model: Choices,
    vocabulary: int = ROBERTA_VOCABULARY,
    positions: int = ROBERTA_POSITIONS,
    token_types: int = 1,
) -> int:
    """The number of trainable weights: encoder, embeddings and pooler, or a decoder with its own vocabulary and head.

    Reproduces the 16 counts published with EdgeTran, which are for RoBERTa's vocabulary. Every layer has a learnt table
    of relative positions, and a projection follows where the next layer has another width (source: the heterogeneous
    FlexiBERT model of txf_design-space).

    Args:
        model: a legal model dictionary.
        vocabulary: number of tokens, for an encoder.
        positions: length of the longest sequence in tokens, for an encoder.
        token_types: number of token types; FlexiBERT models have only one.
    """
    if is_decoder(model):
        from explorer.domains.transformer.decoder.model import decoder_of
        from explorer.domains.transformer.decoder.parameters import decoder_parameters

        return decoder_parameters(decoder_of(model))
    layers = layers_of(model)
    first, last = layers[0].hidden, layers[-1].hidden
    embeddings = (vocabulary + positions + token_types) * first + 2 * first
    encoder = sum(_layer_count(layer, positions) for layer in layers)
    projections = sum(
        _linear(layer.hidden, following.hidden)
        for layer, following in pairwise(layers)
        if layer.hidden != following.hidden
    )
    return embeddings + encoder + projections + _linear(last, last)


def _linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def _layer_count(layer: Layer, positions: int) -> int:
    hidden, width = layer.hidden, layer.head_dimension
    attended = width * len(layer.heads)
    attention = 3 * _linear(hidden, attended) + (2 * positions - 1) * width + _linear(attended, hidden)
    special = sum(_head_count(kind, width) for kind in layer.heads)
    widths = (hidden, *layer.feed_forward, hidden)
    feed_forward = sum(_linear(inputs, outputs) for inputs, outputs in pairwise(widths))
    norms = 2 * 2 * hidden
    return attention + special + feed_forward + norms


def _head_count(kind: str, width: int) -> int:
    """Number of weights of a head beyond query, key and value: a matrix for wma, a dynamic convolution for c."""
    if kind == "sa_wma":
        return width * width
    if kind.startswith("c_"):
        kernel = int(kind.removeprefix("c_"))
        separable = width * kernel + width * width + width
        return separable + _linear(width, kernel) + _linear(width, width)
    return 0
