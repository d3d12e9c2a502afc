"""The model dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`): its layers and its checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from explorer.toolkit.reading import is_integer, key_violations, listed, refused
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.space import Choices

HEAD_KINDS = ("sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9", "c_13")
"""Head types in the order of the published `design_space.yaml` of FlexiBERT 2.0, which is also the canonical order."""

MOST_LAYERS, MOST_HEADS, MOST_STACKS, MOST_WIDTH = 128, 256, 16, 1 << 16
"""Limits of a model of any size, which bound the work that one file can cause."""

DECODER = "decoder"
"""Name of the key that distinguishes the dictionary of a decoder from that of an encoder."""

_NO_DECODER = "The model is a decoder; allowed: an encoder, whose dictionary has no key decoder."
_HEAD = re.compile(r"(" + "|".join(HEAD_KINDS) + r")_([1-9][0-9]{0,5})")
_RANK = {kind: rank for rank, kind in enumerate(HEAD_KINDS)}


@dataclass(frozen=True, slots=True)
class Layer:
    """One encoder layer.

    Attributes:
        hidden: width of the layer.
        heads: type of each head, in the order of the model dictionary.
        head_dimension: width of every head.
        feed_forward: width of each product of the feed-forward stack.
    """

    hidden: int
    heads: tuple[str, ...]
    head_dimension: int
    feed_forward: tuple[int, ...]


def layer(hidden: int, heads: Sequence[str], feed_forward: Sequence[int]) -> Layer:
    """A layer that splits its hidden width evenly, `floor(hidden / number of heads)` for each head.

    Args:
        hidden: width of the layer.
        heads: type of each head, in any order.
        feed_forward: width of each product of the feed-forward stack.
    """
    ordered = _in_order(heads)
    return Layer(hidden, ordered, hidden // len(ordered), tuple(feed_forward))


def is_decoder(choices: object) -> bool:
    """Whether a JSON value claims to be the dictionary of a decoder."""
    return isinstance(choices, Mapping) and DECODER in choices


def layers_of(choices: Choices) -> tuple[Layer, ...]:
    """The layers of an encoder's legal model dictionary, with heads in its order.

    Raises:
        InputError: it is the dictionary of a decoder.
    """
    if is_decoder(choices):
        raise InputError(_NO_DECODER)
    return tuple(map(_layer_of, choices["o"], choices["h"], choices["f"]))


def sorted_layers_of(choices: Choices) -> tuple[Layer, ...]:
    """The same layers with heads in the order of the types, as the published spaces have them.

    A layer of those spaces has a multiset of heads, which has no order of its own.

    Raises:
        InputError: it is the dictionary of a decoder.
    """
    return tuple(replace(one, heads=_in_order(one.heads)) for one in layers_of(choices))


def choices_of(layers: Sequence[Layer]) -> Choices:
    """The model dictionary of `layers`."""
    return {
        "l": len(layers),
        "o": [[f"{kind}_{layer.head_dimension}" for kind in layer.heads] for layer in layers],
        "h": [layer.hidden for layer in layers],
        "f": [list(layer.feed_forward) for layer in layers],
    }


def head_of(label: object) -> tuple[str, int] | None:
    """Type and width of a head label such as `sa_sdp_64` or `c_13_42`; None for anything else."""
    match = _HEAD.fullmatch(label) if isinstance(label, str) else None
    return (match[1], int(match[2])) if match else None


def model_violations(choices: object) -> list[str]:
    """The reasons why a JSON value is not a model dictionary: types, lengths, head labels, unequal head widths."""
    if is_decoder(choices):
        return [_NO_DECODER]
    violations = key_violations(choices, ("l", "o", "h", "f"))
    if violations or not isinstance(choices, dict):
        return violations
    depth = choices["l"]
    if not is_integer(depth) or not 1 <= depth <= MOST_LAYERS:
        return [refused("l, the number of layers,", depth, f"an integer from 1 to {MOST_LAYERS}")]
    for name in ("o", "h", "f"):
        value = choices[name]
        if not isinstance(value, list):
            violations.append(refused(name, value, f"a list with one entry for each of the {depth} layers"))
        elif len(value) != depth:
            violations.append(f"{name} has {len(value)} entries; allowed: {depth}, one for each layer.")
    if violations:
        return violations
    for index in range(depth):
        violations += _head_violations(f"o[{index}]", choices["o"][index])
        violations += _width_violations(f"h[{index}]", choices["h"][index])
        violations += _stack_violations(f"f[{index}]", choices["f"][index])
    return violations


def _head_violations(place: str, heads: Any) -> list[str]:
    if not isinstance(heads, list) or not 1 <= len(heads) <= MOST_HEADS:
        return [refused(place, heads, f"a list of 1 to {MOST_HEADS} heads")]
    read = [head_of(label) for label in heads]
    known = f"<type>_<width> with the type one of {listed(HEAD_KINDS)}"
    violations = [
        refused(f"{place}[{i}]", label, known)
        for i, (label, head) in enumerate(zip(heads, read, strict=True))
        if head is None or head[1] > MOST_WIDTH
    ]
    widths = sorted({head[1] for head in read if head is not None})
    if not violations and len(widths) > 1:
        violations.append(f"{place} has heads of the widths {listed(widths)}; allowed: one width in a layer.")
    return violations


def _stack_violations(place: str, widths: Any) -> list[str]:
    if not isinstance(widths, list) or not 1 <= len(widths) <= MOST_STACKS:
        return [refused(place, widths, f"a list of 1 to {MOST_STACKS} widths")]
    return [sentence for i, width in enumerate(widths) for sentence in _width_violations(f"{place}[{i}]", width)]


def _width_violations(place: str, width: Any) -> list[str]:
    if is_integer(width) and 1 <= width <= MOST_WIDTH:
        return []
    return [refused(place, width, f"an integer from 1 to {MOST_WIDTH}")]


def _layer_of(labels: Sequence[str], hidden: int, feed_forward: Sequence[int]) -> Layer:
    split = [label.rsplit("_", 1) for label in labels]
    return Layer(hidden, tuple(kind for kind, _ in split), int(split[0][1]), tuple(feed_forward))


def _in_order(heads: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(heads, key=_RANK.__getitem__))
