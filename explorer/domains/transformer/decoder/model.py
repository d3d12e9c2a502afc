"""`Decoder`: a legal decoder's dictionary as layers and properties, from which graph, size and programs are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.domains.transformer.decoder.options import Activation, Norm, canonical
from explorer.domains.transformer.model import DECODER


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """One decoder layer.

    Attributes:
        heads: number of heads.
        head_dimension: width of every head.
        key_value_heads: number of heads of keys and values, each shared by `group` heads.
        feed_forward: widths of the hidden products of the feed-forward stack.
    """

    heads: int
    head_dimension: int
    key_value_heads: int
    feed_forward: tuple[int, ...]

    @property
    def group(self) -> int:
        """Number of heads that share keys and values."""
        return self.heads // self.key_value_heads


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder; the attributes besides `layers` and `hidden` are those of `DecoderOptions`."""

    layers: tuple[DecoderLayer, ...]
    hidden: int
    vocabulary: int
    tied_embeddings: bool
    scaled_embeddings: bool
    learnt_positions: int
    norm: Norm
    norm_bias: bool
    query_key_value_bias: bool
    output_bias: bool
    gated: bool
    activation: Activation
    feed_forward_bias: bool

    @property
    def rotary(self) -> bool:
        """Whether queries and keys are rotated by their positions."""
        return not self.learnt_positions

    @property
    def norm_elements(self) -> int:
        """Number of weights of one normalisation."""
        return self.hidden * (2 if self.norm_bias else 1)


def decoder_of(choices: Mapping[str, Any]) -> Decoder:
    """The decoder of a legal dictionary with the key `decoder`."""
    full = canonical(choices)
    options = dict(full[DECODER])
    counts = options.pop("key_value_heads")
    per_layer = counts if isinstance(counts, list) else [counts] * full["l"]
    layers = tuple(
        DecoderLayer(len(heads), int(heads[0].rsplit("_", 1)[1]), count, tuple(widths))
        for heads, count, widths in zip(full["o"], per_layer, full["f"], strict=True)
    )
    norm, activation = Norm(options.pop("norm")), Activation(options.pop("activation"))
    return Decoder(layers, full["h"][0], norm=norm, activation=activation, **options)
