"""The number of scalar multiplications of a model for one sequence, by products of matrices as PyTorch computes them.

Convolutions count too. Softmax, normalisations, activations and sums do not, nor do the pooler and what follows it. A
Fourier head counts as the products of real matrices that its exported form has; PyTorch's own transform needs fewer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from explorer.domains.transformer.model import Layer, is_decoder, layers_of

if TYPE_CHECKING:
    from explorer.contracts.space import Choices
    from explorer.domains.transformer.decoder.model import Decoder, DecoderLayer

LENGTH = 128
"""Length in tokens for which the number is shown."""


def multiplication_count(model: Choices, length: int = LENGTH) -> int:
    """The multiplications for one sequence, of an encoder, or of a decoder with its head over the vocabulary.

    Args:
        model: a legal model dictionary.
        length: length of the sequence in tokens.
    """
    if is_decoder(model):
        from explorer.domains.transformer.decoder.model import decoder_of

        return _decoder(decoder_of(model), length)
    layers = layers_of(model)
    encoder = sum(_layer(layer, length) for layer in layers)
    projections = sum(
        length * layer.hidden * following.hidden
        for layer, following in pairwise(layers)
        if layer.hidden != following.hidden
    )
    return encoder + projections


def _layer(layer: Layer, length: int) -> int:
    width = layer.head_dimension
    attended = width * len(layer.heads)
    products = 4 * length * layer.hidden * attended  # queries, keys, values and output
    relative = length * length * attended
    weighted = length * length * attended
    heads = sum(_head(kind, width, length) for kind in layer.heads)
    return products + relative + weighted + heads + _stack((layer.hidden, *layer.feed_forward, layer.hidden), length)


def _head(kind: str, width: int, length: int) -> int:
    """Multiplications of a head beyond attention by relative positions."""
    scores, square = length * length * width, length * width * width
    if kind.startswith("c_"):
        kernel = int(kind.removeprefix("c_"))
        depthwise = to_kernel = convolution = length * width * kernel
        return depthwise + to_kernel + convolution + 2 * square
    return {"sa_sdp": scores, "sa_wma": scores + square, "l_dct": scores + square, "l_dft": 2 * (scores + square)}[kind]


def _decoder(decoder: Decoder, length: int) -> int:
    head = length * decoder.hidden * decoder.vocabulary
    return sum(_decoder_layer(decoder, layer, length) for layer in decoder.layers) + head


def _decoder_layer(decoder: Decoder, layer: DecoderLayer, length: int) -> int:
    """Scores above the diagonal, which causal attention masks, are computed all the same."""
    projected = (2 * layer.heads + 2 * layer.key_value_heads) * layer.head_dimension
    attention = 2 * length * length * layer.heads * layer.head_dimension
    widths = (decoder.hidden, *layer.feed_forward, decoder.hidden)
    gates = _stack(widths[:-1], length) if decoder.gated else 0
    return length * decoder.hidden * projected + attention + _stack(widths, length) + gates


def _stack(widths: tuple[int, ...], length: int) -> int:
    return sum(length * inputs * outputs for inputs, outputs in pairwise(widths))
