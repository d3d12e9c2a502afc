"""The model dictionary of FlexiBERT 1 (`l`, `o`, `h`, `n`, `f`, `p`), read into that of FlexiBERT 2.0 and written back.

The key `p` tells the two apart. Sources: the model card of FlexiBERT-Mini, and `design_space/` of txf_design-space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import (
    HEAD_KINDS,
    MOST_HEADS,
    MOST_LAYERS,
    MOST_WIDTH,
    choices_of,
    layer,
    layers_of,
)
from explorer.toolkit.reading import among, is_integer, key_violations, listed, refused
from graphdb.errors import InputError

PARAMETERS: dict[str, tuple[str | int, ...]] = {
    "sa": ("sdp", "wma"),
    "l": ("dft", "dct"),
    "c": tuple(int(kind.removeprefix("c_")) for kind in HEAD_KINDS if kind.startswith("c_")),
}
"""Type of operation -> its parameters; a convolution's is its kernel."""

_LISTS = ("o", "h", "n", "f", "p")


def is_standard(choices: object) -> bool:
    """Whether a JSON value claims to be a dictionary of FlexiBERT 1."""
    return isinstance(choices, dict) and "p" in choices


def standard_violations(choices: Choices) -> list[str]:
    """What keeps a dictionary from saying a model of FlexiBERT 1, but for its feed-forward widths.

    Those are left to whoever checks the form of FlexiBERT 2.0.
    """
    found = key_violations(choices, ("l", *_LISTS))
    if found:
        return found
    depth = choices["l"]
    if not is_integer(depth) or not 1 <= depth <= MOST_LAYERS:
        return [refused("l, the number of layers,", depth, f"an integer from 1 to {MOST_LAYERS}")]
    for name in _LISTS:
        if not isinstance(choices[name], list):
            found.append(refused(name, choices[name], f"a list with one entry for each of the {depth} layers"))
        elif len(choices[name]) != depth:
            found.append(f"{name} has {len(choices[name])} entries; allowed: {depth}, one for each layer.")
    if found:
        return found
    return [sentence for j in range(depth) for sentence in _layer_violations(j, *(choices[name][j] for name in _LISTS))]


def from_standard(choices: Choices) -> Choices:
    """The dictionary of FlexiBERT 2.0 of the same model.

    Args:
        choices: without violations of this form.
    """
    heads = zip(choices["o"], choices["p"], choices["n"], strict=True)
    kinds = [[f"{operation}_{parameter}"] * count for operation, parameter, count in heads]
    return choices_of([layer(*row) for row in zip(choices["h"], kinds, choices["f"], strict=True)])


def to_standard(choices: Choices) -> Choices:
    """The dictionary of FlexiBERT 1 of the same model.

    Args:
        choices: a legal dictionary of FlexiBERT 2.0.

    Raises:
        InputError: a layer has heads of several types, or their width is not the hidden width split by their number.
    """
    layers = layers_of(choices)
    for j, found in enumerate(layers):
        if len(set(found.heads)) > 1:
            raise InputError(f"o[{j}] has heads of several types; FlexiBERT 1 allows one type in a layer.")
        if found.head_dimension != found.hidden // len(found.heads):
            raise InputError(
                f"o[{j}] has heads of the width {found.head_dimension}; FlexiBERT 1 allows "
                f"{found.hidden // len(found.heads)}, the hidden width split by the number of heads."
            )
    kinds = [found.heads[0].split("_") for found in layers]
    return {
        "l": len(layers),
        "o": [operation for operation, _ in kinds],
        "h": [found.hidden for found in layers],
        "n": [len(found.heads) for found in layers],
        "f": [list(found.feed_forward) for found in layers],
        "p": [int(parameter) if operation == "c" else parameter for operation, parameter in kinds],
    }


def _layer_violations(
    j: int, operation: Any, hidden: Any, count: Any, feed_forward: Any, parameter: Any
) -> Sequence[str]:
    found = []
    if not is_integer(hidden) or not 1 <= hidden <= MOST_WIDTH:
        found.append(refused(f"h[{j}]", hidden, f"an integer from 1 to {MOST_WIDTH}"))
    if not is_integer(count) or not 1 <= count <= MOST_HEADS:
        found.append(refused(f"n[{j}]", count, f"an integer from 1 to {MOST_HEADS}"))
    elif not found and hidden < count:
        found.append(f"h[{j}] is {hidden} for {count} heads; allowed: at least 1 for each head.")
    if not isinstance(feed_forward, list):
        found.append(refused(f"f[{j}]", feed_forward, "a list of widths"))
    if not isinstance(operation, str) or operation not in PARAMETERS:
        return [*found, refused(f"o[{j}]", operation, listed(PARAMETERS))]
    if not among(parameter, PARAMETERS[operation]):
        found.append(refused(f"p[{j}]", parameter, f"{listed(PARAMETERS[operation])} for the operation {operation}"))
    return found
