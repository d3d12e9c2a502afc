"""A FlexiBERT 2.0 model dictionary, checked and read into the layers that programs and estimates are built from.

Heads stand in the order of the dictionary, in which the published simulators take them, as in the reading of the
Transformer domain (`transformer.model.layers_of`); unlike there, each keeps its own width.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from explorer.domains.transformer.model import HEAD_KINDS, MOST_WIDTH, head_of, is_decoder
from graphdb.errors import InputError

_LISTS = (list, tuple)


class Head(NamedTuple):
    """One head of a layer.

    Attributes:
        label: label in the model dictionary.
        family: `sa` self-attention, `c` convolution, `l` linear transform.
        weighted: whether keys are multiplied by a weight matrix before the scores are computed (`wma`).
        kernel: length of a convolution's kernel, 0 for other heads.
        width: number of elements of a query, key or value; convolutions and transforms ignore it.
    """

    label: str
    family: str
    weighted: bool
    kernel: int
    width: int


class EncoderLayer(NamedTuple):
    """One encoder layer.

    Attributes:
        labels: labels of its heads, in the order of the model dictionary.
        hidden: width of the layer.
        widths: widths of its feed-forward blocks' hidden outputs.
        projected: width of the next layer where it differs, otherwise 0.
    """

    labels: tuple[str, ...]
    hidden: int
    widths: tuple[int, ...]
    projected: int

    @property
    def heads(self) -> tuple[Head, ...]:
        """Heads of the layer, in the order of the model dictionary.

        Raises:
            InputError: a label does not name a head.
        """
        return _heads(self.labels)

    @property
    def output(self) -> int:
        """Width of the layer's output."""
        return self.projected or self.hidden


def encoder_layers(model: Mapping[str, Any]) -> tuple[EncoderLayer, ...]:
    """The layers of a model dictionary with `l`, `o`, `h` and `f`; the labels of heads are not parsed yet.

    Raises:
        InputError: the dictionary is malformed, or that of a decoder.
    """
    if is_decoder(model):
        raise InputError("The model is a decoder, which the published simulator does not know; allowed: an encoder.")
    try:
        depth, heads, hidden, widths = (model[name] for name in "lohf")
        sizes = [len(part) for part in (heads, hidden, widths)]
        if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1 or sizes != [depth] * 3:
            raise InputError(
                f"The model has l = {depth!r:.40}, and o, h and f of {sizes[0]}, {sizes[1]} and {sizes[2]} entries; "
                "allowed: l of at least 1 and as many entries."
            )
        layers = tuple(map(_layer, heads, hidden, widths, [*hidden[1:], hidden[-1]]))
        hash(layers)  # a label that is a list or an object is refused here
    except (KeyError, TypeError):
        raise InputError("The model is not a model dictionary; allowed: an object with l, o, h and f.") from None
    return layers


def _layer(labels: Any, hidden: int, widths: Any, following: int) -> EncoderLayer:
    lists = isinstance(labels, _LISTS) and isinstance(widths, _LISTS)
    if not (lists and labels and widths):
        good = isinstance(labels, _LISTS) and labels
        what, part = ("feed-forward widths (f)", widths) if good else ("heads (o)", labels)
        raise InputError(f"The {what} of a layer of the model are {part!r:.60}; allowed: a list of at least one.")
    _check_widths(hidden, following, *widths)
    return EncoderLayer(tuple(labels), hidden, tuple(widths), 0 if following == hidden else following)


@lru_cache(maxsize=4096, typed=True)  # typed, so that True does not pass for 1
def _check_widths(*sizes: object) -> None:
    for size in sizes:
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MOST_WIDTH:
            raise InputError(f"A width of the model is {size!r:.40}; allowed: an integer from 1 to {MOST_WIDTH}.")


@lru_cache(maxsize=4096)
def _heads(labels: tuple[str, ...]) -> tuple[Head, ...]:
    return tuple(map(head_named, labels))


@lru_cache(maxsize=4096)
def head_named(label: str) -> Head:
    """The head of a label such as `sa_sdp_64`.

    Raises:
        InputError: it is not the label of a head.
    """
    read = head_of(label)
    if read is None:
        raise InputError(
            f"The model has the head {label!r:.60}; allowed: <type>_<width>, type one of {', '.join(HEAD_KINDS)}."
        )
    kind, width = read
    _check_widths(width)
    family, _, parameter = kind.partition("_")
    return Head(label, family, parameter == "wma", int(parameter) if family == "c" else 0, width)
