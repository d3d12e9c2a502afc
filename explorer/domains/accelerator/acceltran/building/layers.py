"""A model dictionary of FlexiBERT 2.0, checked, as the layers that programs and estimates are built from.

Heads keep the order of the dictionary, in which the published simulators take them, and each its own width; the
Transformer domain's own reading (`transformer.model.layers_of`) puts them in canonical order and knows one width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from explorer.domains.transformer.model import HEAD_KINDS, MOST_WIDTH, head_of
from graphdb.errors import InputError


class Head(NamedTuple):
    """One head of a layer.

    Attributes:
        label: as in the model dictionary.
        family: `sa` self-attention, `c` convolution, `l` linear transform.
        weighted: whether keys are multiplied by a matrix of their own before the scores (`wma`).
        kernel: length of a convolution's kernel, otherwise 0.
        width: elements of a query, key or value; convolutions and transforms ignore it.
    """

    label: str
    family: str
    weighted: bool
    kernel: int
    width: int


class EncoderLayer(NamedTuple):
    """One encoder layer.

    Attributes:
        heads: in the order of the model dictionary.
        hidden: its width.
        widths: of its feed-forward blocks' hidden outputs.
        projected: width of the next layer where that is another one, otherwise 0.
    """

    heads: tuple[Head, ...]
    hidden: int
    widths: tuple[int, ...]
    projected: int

    @property
    def output(self) -> int:
        """Width of what it makes."""
        return self.projected or self.hidden


def encoder_layers(model: Mapping[str, Any]) -> tuple[EncoderLayer, ...]:
    """The layers of a model dictionary with `l`, `o`, `h` and `f`.

    Raises:
        InputError: the dictionary is malformed.
    """
    try:
        depth, heads, hidden, widths = (model[name] for name in "lohf")
        sizes = [len(part) for part in (heads, hidden, widths)]
        if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1 or sizes != [depth] * 3:
            raise InputError(
                f"The model has l = {depth!r:.40}, and o, h and f of {sizes[0]}, {sizes[1]} and {sizes[2]} entries; "
                "allowed: l of at least 1 and as many entries."
            )
        given = list(zip(heads, hidden, widths, [*hidden[1:], hidden[-1]], strict=True))
    except (KeyError, TypeError):
        raise InputError("The model is no model dictionary; allowed: an object with l, o, h and f.") from None
    return tuple(_layer(o, h, f, following) for o, h, f, following in given)


def _layer(heads: object, hidden: object, widths: object, following: object) -> EncoderLayer:
    width, next_width = _width(hidden), _width(following)
    return EncoderLayer(
        tuple(_head(label) for label in _listed("heads (o)", heads)),
        width,
        tuple(_width(size) for size in _listed("feed-forward widths (f)", widths)),
        0 if next_width == width else next_width,
    )


def _listed(what: str, part: object) -> Sequence[object]:
    if not isinstance(part, list | tuple) or not part:
        raise InputError(f"The {what} of a layer of the model are {part!r:.60}; allowed: a list of at least one.")
    return part


def _width(size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MOST_WIDTH:
        raise InputError(f"A width of the model is {size!r:.40}; allowed: an integer from 1 to {MOST_WIDTH}.")
    return size


def _head(label: object) -> Head:
    if not isinstance(label, str):
        raise _unknown_head(label)
    return _parsed(label)


@lru_cache(maxsize=4096)
def _parsed(label: str) -> Head:
    read = head_of(label)
    if read is None:
        raise _unknown_head(label)
    kind, width = read
    family, _, parameter = kind.partition("_")
    return Head(label, family, parameter == "wma", int(parameter) if family == "c" else 0, _width(width))


def _unknown_head(label: object) -> InputError:
    return InputError(
        f"The model has the head {label!r:.60}; allowed: <type>_<width>, type one of {', '.join(HEAD_KINDS)}."
    )
