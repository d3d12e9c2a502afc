"""The key `decoder` of a model dictionary: what a decoder has besides the layers `l`, `o`, `h` and `f`.

A decoder is a language model that reads from left to right. Its layers normalise before attention and feed-forward, its
heads are `sa_sdp_<width>`, all layers have one hidden width, and a normalisation and a head over the vocabulary follow
the last one. The defaults are those of Llama.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from explorer.contracts.options import checked
from explorer.domains.transformer.model import DECODER, MOST_HEADS, model_violations
from explorer.toolkit.reading import is_integer, refused, shown
from graphdb.errors import InputError

HEAD_KIND = "sa_sdp"
LARGEST_VOCABULARY, MOST_POSITIONS = 1 << 24, 1 << 24


class Norm(StrEnum):
    """Kind of normalisation."""

    RMS = "rms"
    LAYER = "layer"


class Activation(StrEnum):
    """Non-linearity of the feed-forwards."""

    SILU = "silu"
    GELU = "gelu"
    GELU_TANH = "gelu_tanh"
    RELU = "relu"


def _checked_counts(value: object) -> object:
    """A number of heads, one for each layer, or None; a union of types would be refused in the words of pydantic."""
    counts = value if isinstance(value, list) else [value]
    if value is None or all(is_integer(count) and 1 <= count <= MOST_HEADS for count in counts):
        return value
    allowed = f"an integer from 1 to {MOST_HEADS}, or a list of one for each layer"
    raise ValueError(refused(f"key_value_heads of {DECODER}", value, allowed))


class DecoderOptions(BaseModel):
    """The object under the key `decoder`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    vocabulary: int = Field(ge=1, le=LARGEST_VOCABULARY, description="Number of tokens.")
    tied_embeddings: bool = Field(
        default=False, description="Whether the head over the vocabulary shares the embeddings' weights."
    )
    scaled_embeddings: bool = Field(
        default=False, description="Whether embeddings are multiplied by the root of the hidden width, as in Gemma."
    )
    learnt_positions: int = Field(
        default=0, ge=0, le=MOST_POSITIONS, description="Number of learnt positions; 0 for rotary positions."
    )
    norm: Norm = Field(default=Norm.RMS, description="Kind of normalisation.")
    norm_bias: bool = Field(default=False, description="Whether normalisations have a bias.")
    key_value_heads: Annotated[int | list[int] | None, BeforeValidator(_checked_counts)] = Field(
        default=None,
        description="Number of heads of keys and values, of all layers or of each; by default one for each head.",
    )
    query_key_value_bias: bool = Field(default=False, description="Whether queries, keys and values have a bias.")
    output_bias: bool = Field(default=False, description="Whether the output of attention has a bias.")
    gated: bool = Field(default=True, description="Whether each hidden product of a feed-forward has a gate.")
    activation: Activation = Field(default=Activation.SILU, description="Non-linearity of the feed-forwards.")
    feed_forward_bias: bool = Field(default=False, description="Whether feed-forward products have biases.")


def decoder_violations(choices: Mapping[str, Any]) -> list[str]:
    """The reasons why a dictionary with the key `decoder` is not a decoder, one sentence each."""
    violations = model_violations({name: value for name, value in choices.items() if name != DECODER})
    if violations:
        return violations
    given = choices[DECODER]
    if not isinstance(given, Mapping):
        return [refused(DECODER, given, f"an object with some of the keys {', '.join(DecoderOptions.model_fields)}")]
    try:
        options = checked(DecoderOptions, given, DECODER)
    except InputError as error:
        return [str(error)]
    return [*_layer_violations(choices, options), *_option_violations(choices, options)]


def canonical(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The one form of a decoder without violations: every option is present, and equal numbers are given once."""
    options = checked(DecoderOptions, choices[DECODER], DECODER)
    counts = _counts(choices, options)
    filled = options.model_dump(mode="json")
    filled["key_value_heads"] = counts[0] if len(set(counts)) == 1 else counts
    return {name: choices[name] for name in "lohf"} | {DECODER: filled}


def _counts(choices: Mapping[str, Any], options: DecoderOptions) -> list[int]:
    """The number of key-value heads of each layer."""
    given = options.key_value_heads
    if isinstance(given, list):
        return list(given)
    return [len(heads) if given is None else given for heads in choices["o"]]


def _layer_violations(choices: Mapping[str, Any], options: DecoderOptions) -> list[str]:
    violations = []
    if len(set(choices["h"])) > 1:
        violations.append(
            f"h is {shown(choices['h'])}; allowed in a decoder: one width, as its layers add to one stream."
        )
    for index, heads in enumerate(choices["o"]):
        other = next((label for label in heads if not label.startswith(f"{HEAD_KIND}_")), None)
        if other is not None:
            violations.append(refused(f"o[{index}]", other, f"{HEAD_KIND}_<width> in a decoder"))
        elif not options.learnt_positions and int(heads[0].rsplit("_", 1)[1]) % 2:
            violations.append(refused(f"o[{index}]", heads[0], "an even width with rotary positions"))
    return violations


def _option_violations(choices: Mapping[str, Any], options: DecoderOptions) -> list[str]:
    violations = []
    if options.norm is Norm.RMS and options.norm_bias:
        violations.append("norm_bias of decoder is true with the norm rms; allowed: false, or the norm layer.")
    counts = _counts(choices, options)
    if len(counts) != choices["l"]:
        return [
            *violations,
            f"key_value_heads of decoder has {len(counts)} entries; allowed: {choices['l']}, one for each layer.",
        ]
    for index, (heads, count) in enumerate(zip(choices["o"], counts, strict=True)):
        if len(heads) % count:
            violations.append(
                f"Layer {index} of the decoder has {len(heads)} heads and {count} key-value heads; allowed: a divisor "
                "of the heads."
            )
    return violations
