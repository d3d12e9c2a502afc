"""A model dictionary as the operations that AccelTran executes and the tensors that it moves.

Shapes leave out the batch: every tensor, weights included, has it as a further axis. Everything is kept as rows of
integers, so that the operations of thousands of models can be put together and costed at once.

Source: AccelTran's published `dict2ops.py` and `ops.py`, whose order of operations this follows, faults included: a
non-linearity has the shape of its layer's normalisation, feed-forward blocks have no input gradient in training, and
the value's weight gradient is stored in another shape than it is computed in.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphdb.errors import InputError

Rows = npt.NDArray[np.int64]
HEAD_KINDS = ("sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9", "c_13")
LARGEST = 1 << 16
COLUMNS = ("kind", "backward", "x", "y", "z", "count")


class Kind(IntEnum):
    """What a row stands for, and what its sizes x, y, z are."""

    PRODUCT = 0  # (x, y) times (y, z)
    CONVOLUTION = 1  # over (x, y), kernel of length z
    SOFTMAX = 2  # over (x, y)
    LAYER_NORM = 3  # over (x, y)
    NON_LINEARITY = 4  # over (x, y)
    LOAD = 5  # x elements, from main memory into the weight buffer
    STORE_ACTIVATION = 6  # x elements, into the activation buffer
    STORE_WEIGHT = 7  # x elements, into the weight buffer


class Section(NamedTuple):
    """Operations that belong together; in heads their order is the order of execution.

    Attributes:
        rows: (n, 6) integers, columns as in `COLUMNS`.
        repeats: how often all of them occur in the model.
    """

    rows: Rows
    repeats: int


class LayerOperations(NamedTuple):
    """Distinct layer of a model.

    Attributes:
        repeats: how many layers of the model are like it.
        heads: its distinct heads, forward; one section each.
        order: position in `heads` of each head, in the order of the model dictionary.
        ends_in_attention: whether the last head has a softmax.
        backward: its distinct heads, backward; one section each, none in inference.
        flat: everything else, one after the other.
    """

    repeats: int
    heads: tuple[Section, ...]
    order: tuple[int, ...]
    ends_in_attention: bool
    backward: tuple[Section, ...]
    flat: Rows


class ModelOperations(NamedTuple):
    """All operations of a model.

    Attributes:
        layers: distinct layers.
        embedding: elements of the embeddings, loaded once and kept in the weight buffer.
    """

    layers: tuple[LayerOperations, ...]
    embedding: int


class _Layer(NamedTuple):
    heads: tuple[str, ...]
    hidden: int
    widths: tuple[int, ...]
    next_hidden: int


def model_operations(
    model: Mapping[str, Any], sequence_length: int, vocabulary: int, training: bool
) -> ModelOperations:
    """Operations of a model dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`).

    Raises:
        InputError: the dictionary is malformed.
    """
    layers = _layers_of(model)
    return ModelOperations(
        tuple(_layer_operations(layer, repeats, sequence_length, training) for layer, repeats in layers.items()),
        (vocabulary + sequence_length) * model["h"][0],
    )


def _layers_of(model: Mapping[str, Any]) -> Counter[_Layer]:
    """Distinct layers and how often they occur."""
    try:
        depth, heads, hidden, widths = (model[name] for name in "lohf")
        if not depth == len(heads) == len(hidden) == len(widths) or depth < 1:
            raise InputError(
                f"The model has l = {depth!r:.40}, and o, h and f of {len(heads)}, {len(hidden)} and {len(widths)} "
                "entries; allowed: l of at least 1 and as many entries."
            )
        following = [*hidden[1:], hidden[-1]]
        layers = zip(heads, hidden, widths, following, strict=True)
        return Counter(_Layer(tuple(o), h, tuple(f), n) for o, h, f, n in layers)
    except (KeyError, TypeError):
        raise InputError("The model is no model dictionary; allowed: an object with l, o, h and f.") from None


def _layer_operations(layer: _Layer, repeats: int, length: int, training: bool) -> LayerOperations:
    if not layer.heads or not layer.widths:
        raise InputError("A layer of the model has no head or no feed-forward width; allowed: at least one of each.")
    counts = Counter(layer.heads)
    position = {label: index for index, label in enumerate(counts)}
    pairs = [(_head(label, layer.hidden, length), count) for label, count in counts.items()]
    return LayerOperations(
        repeats,
        tuple(Section(forward, count) for (forward, _), count in pairs),
        tuple(position[label] for label in layer.heads),
        layer.heads[-1].startswith("sa_"),
        tuple(Section(backward, count) for (_, backward), count in pairs if len(backward)) if training else (),
        _flat(layer.hidden, layer.widths, layer.next_hidden, length, training),
    )


_HEAD = re.compile(r"(" + "|".join(HEAD_KINDS) + r")_([1-9][0-9]{0,5})", re.ASCII)


@lru_cache(maxsize=4096)
def _head(label: str, hidden: int, length: int) -> tuple[Rows, Rows]:
    """Forward and backward operations of one head."""
    match = _HEAD.fullmatch(label) if isinstance(label, str) else None
    if match is None:
        raise InputError(
            f"The model has the head {label!r:.60}; allowed: <type>_<width>, type one of {', '.join(HEAD_KINDS)}."
        )
    family, _, parameter = match[1].partition("_")
    size = _checked(int(match[2]))
    if family == "sa":
        weighted = parameter == "wma"
        return (
            _attention_forward(length, _checked(hidden), size, weighted),
            _attention_backward(length, hidden, size, weighted),
        )
    if family == "c":
        return _convolution(length, _checked(hidden), int(parameter))
    return _linear_transform(length, _checked(hidden)), _rows([])


def _attention_forward(s: int, h: int, d: int, weighted: bool) -> Rows:
    mixing = [(Kind.PRODUCT, 0, d, d, s, 1)] if weighted else []
    loads, keys = 4 * h * d + weighted * d * d, 3 + weighted
    return _rows(
        [
            (Kind.PRODUCT, 0, s, h, d, 3),  # query, key, value
            *mixing,
            (Kind.PRODUCT, 0, s, d, s, 1),  # scores
            (Kind.SOFTMAX, 0, s, s, 0, 1),
            (Kind.PRODUCT, 0, s, s, d, 1),  # context
            (Kind.PRODUCT, 0, s, d, h, 1),  # output
            (Kind.LOAD, 0, loads, 0, 0, 1),
            (Kind.STORE_ACTIVATION, 0, (keys + 1) * s * d + 2 * s * s + s * h, 0, 0, 1),
        ]
    )


def _attention_backward(s: int, h: int, d: int, weighted: bool) -> Rows:
    mixing = [(Kind.PRODUCT, 1, d, s, s, 1), (Kind.PRODUCT, 1, d, s, d, 1)] if weighted else []
    stores = 4 * h * d + 3 * s * d + weighted * d * d
    return _rows(
        [
            (Kind.PRODUCT, 1, d, s, h, 1),  # output: weight gradient
            (Kind.PRODUCT, 1, s, h, d, 1),  # context: input gradient
            (Kind.PRODUCT, 1, s, s, d, 1),  # value
            (Kind.PRODUCT, 1, s, d, s, 1),  # scores, towards the key
            (Kind.PRODUCT, 1, d, s, s, 1),  # key
            (Kind.PRODUCT, 1, d, s, d, 1),  # scores, towards the query
            (Kind.PRODUCT, 1, s, d, d, 1),  # query
            *mixing,
            (Kind.PRODUCT, 1, d, d, s, 1),  # projections: input gradients of query, key and value
            (Kind.PRODUCT, 1, s, s, d, 1),
            (Kind.PRODUCT, 1, s, d, s, 1),
            (Kind.PRODUCT, 1, h, s, d, 2),  # projections: weight gradients of query, key and value
            (Kind.PRODUCT, 1, h, s, s, 1),
            (Kind.STORE_WEIGHT, 1, stores, 0, 0, 1),
        ]
    )


def _convolution(s: int, h: int, kernel: int) -> tuple[Rows, Rows]:
    forward = [
        (Kind.CONVOLUTION, 0, s, h, kernel, 1),
        (Kind.LOAD, 0, kernel * h, 0, 0, 1),
        (Kind.STORE_ACTIVATION, 0, s * h, 0, 0, 1),
    ]
    backward = [(Kind.CONVOLUTION, 1, s, h, s, 1), (Kind.STORE_WEIGHT, 1, kernel * h, 0, 0, 1)]
    return _rows(forward), _rows(backward)


def _linear_transform(s: int, h: int) -> Rows:
    return _rows(
        [(Kind.PRODUCT, 0, s, s, h, 1), (Kind.LOAD, 0, s * s, 0, 0, 1), (Kind.STORE_ACTIVATION, 0, s * h, 0, 0, 1)]
    )


@lru_cache(maxsize=4096)
def _flat(hidden: int, widths: tuple[int, ...], next_hidden: int, s: int, training: bool) -> Rows:
    """Normalisations, feed-forward blocks and the projection to the next layer's width: one after the other."""
    sizes = [_checked(size) for size in (hidden, *widths, hidden)]
    blocks = list(itertools.pairwise(sizes))
    projected = _checked(next_hidden) != hidden
    if projected:
        blocks.append((hidden, next_hidden))
    rows = [(Kind.LAYER_NORM, 0, s, hidden, 0, 2), (Kind.NON_LINEARITY, 0, s, hidden, 0, len(blocks))]
    for given, made in blocks:
        rows += [
            (Kind.PRODUCT, 0, s, given, made, 1),
            (Kind.LOAD, 0, given * made, 0, 0, 1),
            (Kind.STORE_ACTIVATION, 0, s * made, 0, 0, 1),
        ]
    if training:
        rows += [(Kind.LAYER_NORM, 1, s, hidden, 0, 2), (Kind.NON_LINEARITY, 1, s, hidden, 0, len(sizes) - 1)]
        if projected:
            # The published code takes the tile count of the last normalisation met, in reverse that of the next layer.
            rows.append((Kind.NON_LINEARITY, 1, s, next_hidden, 0, 1))
        for given, made in blocks:
            rows += [(Kind.PRODUCT, 1, given, s, made, 1), (Kind.STORE_WEIGHT, 1, given * made, 0, 0, 1)]
    return _rows(rows)


def _rows(rows: Sequence[tuple[int, ...]]) -> Rows:
    made = np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS))
    made.flags.writeable = False
    return made


def _checked(size: int) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= LARGEST:
        raise InputError(f"A width of the model is {size!r:.40}; allowed: an integer from 1 to {LARGEST}.")
    return size
