"""The operations that AccelTran executes for a model dictionary, and the tensors that it moves.

Shapes leave out the batch: every tensor, weights included, has it as a further axis. Everything is kept as rows of
integers, so that the operations of thousands of models can be combined and costed at once.

Source: AccelTran's published `dict2ops.py` and `ops.py`, whose order of operations this follows, faults included: a
non-linearity has the shape of its layer's normalisation, feed-forward blocks have no input gradient in training, and
the weight gradient of the value is stored in a different shape from the one it is computed in.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, encoder_layers, head_named

Rows = npt.NDArray[np.int64]
COLUMNS = ("kind", "backward", "x", "y", "z", "count")


class RowKind(IntEnum):
    """The kind of operation in a row, which defines its sizes x, y, z."""

    PRODUCT = 0  # (x, y) times (y, z)
    CONVOLUTION = 1  # over (x, y), kernel of length z
    SOFTMAX = 2  # over (x, y)
    LAYER_NORM = 3  # over (x, y)
    NON_LINEARITY = 4  # over (x, y)
    LOAD = 5  # x elements, from main memory into the weight buffer
    STORE_ACTIVATION = 6  # x elements, into the activation buffer
    STORE_WEIGHT = 7  # x elements, into the weight buffer


class HeadOperations(NamedTuple):
    """Operations of a head, forward or backward, in the order of execution.

    Attributes:
        rows: (n, 6) integers, columns as in `COLUMNS`.
        repeats: number of heads of the layer that are like it.
    """

    rows: Rows
    repeats: int


class LayerOperations(NamedTuple):
    """A distinct layer of a model.

    Attributes:
        repeats: number of layers of the model that are like it.
        heads: forward operations of its distinct heads.
        order: position of each head in `heads`, in the order of the model dictionary.
        ends_in_attention: whether the last head has a softmax.
        backward: backward operations of its distinct heads; none in inference.
        flat: all other operations, one after the other.
    """

    repeats: int
    heads: tuple[HeadOperations, ...]
    order: tuple[int, ...]
    ends_in_attention: bool
    backward: tuple[HeadOperations, ...]
    flat: Rows


class ModelOperations(NamedTuple):
    """All operations of a model.

    Attributes:
        layers: distinct layers.
        embedding: number of elements of the embeddings, which are loaded once and kept in the weight buffer.
    """

    layers: tuple[LayerOperations, ...]
    embedding: int


def model_operations(
    model: Mapping[str, Any], sequence_length: int, vocabulary: int, training: bool
) -> ModelOperations:
    """The operations of a model.

    Args:
        model: dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`).
        sequence_length: number of tokens in a sequence.
        vocabulary: number of rows of the embedding table.
        training: whether to include the backward pass.

    Raises:
        InputError: the dictionary is malformed.
    """
    layers = Counter(encoder_layers(model))
    return ModelOperations(
        tuple(_layer_operations(layer, repeats, sequence_length, training) for layer, repeats in layers.items()),
        (vocabulary + sequence_length) * model["h"][0],
    )


def _layer_operations(layer: EncoderLayer, repeats: int, length: int, training: bool) -> LayerOperations:
    labels, counts = layer.labels, dict[str, int]()
    for label in labels:  # faster than a Counter for so few
        counts[label] = counts.get(label, 0) + 1
    position = {label: index for index, label in enumerate(counts)}
    pairs = [(_head(label, layer.hidden, length), count) for label, count in counts.items()]
    return LayerOperations(
        repeats,
        tuple([HeadOperations(forward, count) for (forward, _), count in pairs]),
        tuple([position[label] for label in labels]),
        labels[-1].startswith("sa_"),
        tuple(HeadOperations(backward, count) for (_, backward), count in pairs if len(backward)) if training else (),
        _flat(layer.hidden, layer.widths, layer.projected, length, training),
    )


@lru_cache(maxsize=4096)
def _head(label: str, hidden: int, length: int) -> tuple[Rows, Rows]:
    """Forward and backward operations of one head."""
    head = head_named(label)
    if head.family == "sa":
        return (
            _attention_forward(length, hidden, head.width, head.weighted),
            _attention_backward(length, hidden, head.width, head.weighted),
        )
    if head.family == "c":
        return _convolution(length, hidden, head.kernel)
    return _linear_transform(length, hidden), _rows([])


def _attention_forward(s: int, h: int, d: int, weighted: bool) -> Rows:
    mixing = [(RowKind.PRODUCT, 0, d, d, s, 1)] if weighted else []
    loads, keys = 4 * h * d + weighted * d * d, 3 + weighted
    return _rows(
        [
            (RowKind.PRODUCT, 0, s, h, d, 3),  # query, key, value
            *mixing,
            (RowKind.PRODUCT, 0, s, d, s, 1),  # scores
            (RowKind.SOFTMAX, 0, s, s, 0, 1),
            (RowKind.PRODUCT, 0, s, s, d, 1),  # context
            (RowKind.PRODUCT, 0, s, d, h, 1),  # output
            (RowKind.LOAD, 0, loads, 0, 0, 1),
            (RowKind.STORE_ACTIVATION, 0, (keys + 1) * s * d + 2 * s * s + s * h, 0, 0, 1),
        ]
    )


def _attention_backward(s: int, h: int, d: int, weighted: bool) -> Rows:
    mixing = [(RowKind.PRODUCT, 1, d, s, s, 1), (RowKind.PRODUCT, 1, d, s, d, 1)] if weighted else []
    stores = 4 * h * d + 3 * s * d + weighted * d * d
    return _rows(
        [
            (RowKind.PRODUCT, 1, d, s, h, 1),  # output: weight gradient
            (RowKind.PRODUCT, 1, s, h, d, 1),  # context: input gradient
            (RowKind.PRODUCT, 1, s, s, d, 1),  # value
            (RowKind.PRODUCT, 1, s, d, s, 1),  # scores, towards the key
            (RowKind.PRODUCT, 1, d, s, s, 1),  # key
            (RowKind.PRODUCT, 1, d, s, d, 1),  # scores, towards the query
            (RowKind.PRODUCT, 1, s, d, d, 1),  # query
            *mixing,
            (RowKind.PRODUCT, 1, d, d, s, 1),  # projections: input gradients of query, key and value
            (RowKind.PRODUCT, 1, s, s, d, 1),
            (RowKind.PRODUCT, 1, s, d, s, 1),
            (RowKind.PRODUCT, 1, h, s, d, 2),  # projections: weight gradients of query, key and value
            (RowKind.PRODUCT, 1, h, s, s, 1),
            (RowKind.STORE_WEIGHT, 1, stores, 0, 0, 1),
        ]
    )


def _convolution(s: int, h: int, kernel: int) -> tuple[Rows, Rows]:
    forward = [
        (RowKind.CONVOLUTION, 0, s, h, kernel, 1),
        (RowKind.LOAD, 0, kernel * h, 0, 0, 1),
        (RowKind.STORE_ACTIVATION, 0, s * h, 0, 0, 1),
    ]
    backward = [(RowKind.CONVOLUTION, 1, s, h, s, 1), (RowKind.STORE_WEIGHT, 1, kernel * h, 0, 0, 1)]
    return _rows(forward), _rows(backward)


def _linear_transform(s: int, h: int) -> Rows:
    return _rows(
        [
            (RowKind.PRODUCT, 0, s, s, h, 1),
            (RowKind.LOAD, 0, s * s, 0, 0, 1),
            (RowKind.STORE_ACTIVATION, 0, s * h, 0, 0, 1),
        ]
    )


@lru_cache(maxsize=4096)
def _flat(hidden: int, widths: tuple[int, ...], projected: int, s: int, training: bool) -> Rows:
    """Normalisations, feed-forward blocks and the projection to the next layer's width: one after the other."""
    sizes = (hidden, *widths, hidden)
    blocks = list(itertools.pairwise(sizes))
    if projected:
        blocks.append((hidden, projected))
    rows = [(RowKind.LAYER_NORM, 0, s, hidden, 0, 2), (RowKind.NON_LINEARITY, 0, s, hidden, 0, len(blocks))]
    for given, made in blocks:
        rows += [
            (RowKind.PRODUCT, 0, s, given, made, 1),
            (RowKind.LOAD, 0, given * made, 0, 0, 1),
            (RowKind.STORE_ACTIVATION, 0, s * made, 0, 0, 1),
        ]
    if training:
        rows += [(RowKind.LAYER_NORM, 1, s, hidden, 0, 2), (RowKind.NON_LINEARITY, 1, s, hidden, 0, len(sizes) - 1)]
        if projected:
            # The published code uses the tile count of the last normalisation met: in reverse, that of the next layer.
            rows.append((RowKind.NON_LINEARITY, 1, s, projected, 0, 1))
        for given, made in blocks:
            rows += [(RowKind.PRODUCT, 1, given, s, made, 1), (RowKind.STORE_WEIGHT, 1, given * made, 0, 0, 1)]
    return _rows(rows)


def _rows(rows: Sequence[tuple[int, ...]]) -> Rows:
    made = np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS))
    made.flags.writeable = False
    return made
