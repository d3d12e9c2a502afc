"""Conversion of FlexiBERT 1 model dictionaries (`l`, `o`, `h`, `n`, `f`, `p`) to those of FlexiBERT 2.0.

The key `p` distinguishes the two. Sources: the model card of FlexiBERT-Mini, and `design_space/` of txf_design-space.
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
)
from explorer.toolkit.reading import among, is_integer, key_violations, listed, refused

PARAMETERS: dict[str, tuple[str | int, ...]] = {
    "sa": ("sdp", "wma"),
    "l": ("dft", "dct"),
    "c": tuple(int(kind.removeprefix("c_")) for kind in HEAD_KINDS if kind.startswith("c_")),
}
"""Type of operation -> its possible parameters; for a convolution, its kernel."""

_LISTS = ("o", "h", "n", "f", "p")


def is_standard(choices: object) -> bool:
    """Whether a JSON value claims to be a FlexiBERT 1 dictionary."""
    return isinstance(choices, dict) and "p" in choices


def standard_violations(choices: Choices) -> list[str]:
    """The reasons why a dictionary is not a FlexiBERT 1 model, except for its feed-forward widths.

    The check of the FlexiBERT 2.0 form covers the widths.
    """
    violations = key_violations(choices, ("l", *_LISTS))
    if violations:
        return violations
    depth = choices["l"]
    if not is_integer(depth) or not 1 <= depth <= MOST_LAYERS:
        return [refused("l, the number of layers,", depth, f"an integer from 1 to {MOST_LAYERS}")]
    for name in _LISTS:
        if not isinstance(choices[name], list):
            violations.append(refused(name, choices[name], f"a list with one entry for each of the {depth} layers"))
        elif len(choices[name]) != depth:
            violations.append(f"{name} has {len(choices[name])} entries; allowed: {depth}, one for each layer.")
    if violations:
        return violations
    return [sentence for j in range(depth) for sentence in _layer_violations(j, *(choices[name][j] for name in _LISTS))]


def from_standard(choices: Choices) -> Choices:
    """The FlexiBERT 2.0 dictionary of the same model.

    Args:
        choices: FlexiBERT 1 dictionary without violations.
    """
    heads = zip(choices["o"], choices["p"], choices["n"], strict=True)
    kinds = [[f"{operation}_{parameter}"] * count for operation, parameter, count in heads]
    return choices_of([layer(*row) for row in zip(choices["h"], kinds, choices["f"], strict=True)])


def _layer_violations(
    j: int, operation: Any, hidden: Any, count: Any, feed_forward: Any, parameter: Any
) -> Sequence[str]:
    violations = []
    if not is_integer(hidden) or not 1 <= hidden <= MOST_WIDTH:
        violations.append(refused(f"h[{j}]", hidden, f"an integer from 1 to {MOST_WIDTH}"))
    if not is_integer(count) or not 1 <= count <= MOST_HEADS:
        violations.append(refused(f"n[{j}]", count, f"an integer from 1 to {MOST_HEADS}"))
    elif not violations and hidden < count:
        violations.append(f"h[{j}] is {hidden} for {count} heads; allowed: at least 1 for each head.")
    if not isinstance(feed_forward, list):
        violations.append(refused(f"f[{j}]", feed_forward, "a list of widths"))
    if not isinstance(operation, str) or operation not in PARAMETERS:
        return [*violations, refused(f"o[{j}]", operation, listed(PARAMETERS))]
    if not among(parameter, PARAMETERS[operation]):
        violations.append(
            refused(f"p[{j}]", parameter, f"{listed(PARAMETERS[operation])} for the operation {operation}")
        )
    return violations
