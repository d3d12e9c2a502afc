"""Well-known models by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.domains.transformer.decoder.presets import DECODERS
from explorer.domains.transformer.model import Layer, choices_of, layer
from graphdb.errors import InputError

if TYPE_CHECKING:
    from graphdb.architecture import Architecture


def _bert(depth: int, hidden: int, heads: int) -> list[Layer]:
    return [layer(hidden, ["sa_sdp"] * heads, [4 * hidden])] * depth


# BERT-Nano is the one of AccelTran; the BERT models have their published sizes, FlexiBERT-Mini those of its model card.
PRESETS = {
    "bert-nano": [layer(32, ["sa_sdp"] * 2, [64])],
    "bert-tiny": _bert(2, 128, 2),
    "bert-mini": _bert(4, 256, 4),
    "bert-small": _bert(4, 512, 8),
    "bert-medium": _bert(8, 512, 8),
    "bert-base": _bert(12, 768, 12),
    "flexibert-mini": [
        *[layer(256, ["sa_sdp"] * 2, [512] * 3)] * 2,
        *[layer(128, ["l_dct"] * 4, [1024])] * 2,
    ],
}
"""Name of an encoder -> layers."""


def preset(name: str) -> Architecture:
    """A well-known model, in the FlexiBERT 2.0 space if it is legal there, so that searches can find it.

    Raises:
        InputError: there is no preset with that name.
    """
    from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
    from explorer.domains.transformer.spaces.free import FreeTransformerSpace

    if name in DECODERS:
        return FreeTransformerSpace().build(DECODERS[name])
    if name not in PRESETS:
        allowed = ", ".join([*PRESETS, *DECODERS])
        raise InputError(f"There is no preset {name[:100]!r} of a Transformer; allowed: {allowed}.")
    choices = choices_of(PRESETS[name])
    published = FlexiBert2Space()
    return (FreeTransformerSpace() if published.violations(choices) else published).build(choices)
