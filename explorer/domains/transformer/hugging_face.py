"""Reading configurations of Hugging Face (`config.json`) that a model dictionary can express.

Decoders are read exactly (see `decoder.configuration`). Of encoders, depth, widths and heads are kept; everything else
is not: FlexiBERT's encoders have relative positions, GELU, one token type and their own vocabulary, whatever the
configuration says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from explorer.contracts.domain import Reader
from explorer.contracts.space import Choices
from explorer.domains.transformer.decoder.configuration import DECODERS, decoder_choices
from explorer.domains.transformer.model import MOST_HEADS, MOST_LAYERS, MOST_WIDTH, choices_of, layer, model_violations
from explorer.toolkit.reading import is_integer, listed, refused
from graphdb.errors import InputError


@dataclass(frozen=True)
class _Names:
    """The names that a family uses for its sizes."""

    layers: str = "num_hidden_layers"
    hidden: str = "hidden_size"
    heads: str = "num_attention_heads"
    feed_forward: str = "intermediate_size"


_BERT = _Names()
_SIZES = {_BERT.layers, _BERT.hidden, _BERT.heads, _BERT.feed_forward}
FAMILIES: Mapping[str, _Names] = {
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "camembert", "electra", "data2vec-text", "ernie"), _BERT),
    "distilbert": _Names("n_layers", "dim", "n_heads", "hidden_dim"),
}
"""`model_type` -> the names of its sizes: encoders of self-attention with one feed-forward of two products a layer."""

OWN = "flexibert"
"""`model_type` of the models that this product trains and saves."""

_REASONS = {
    "albert": "its layers share their weights",
    "convbert": "its layers mix self-attention and convolution in halves of a separate width",
    "deberta": "its attention has products of content with position",
    "deberta-v2": "its attention has products of content with position",
    "modernbert": "its feed-forwards are gated",
    "longformer": "its attention is local",
    "big_bird": "its attention is sparse",
    "funnel": "it pools the sequence",
    "mobilebert": "its layers have bottlenecks",
    "squeezebert": "its products are grouped",
    "t5": "it has a decoder",
    "bart": "it has a decoder",
    "mixtral": "its feed-forwards are a mixture of experts",
    "qwen3": "it normalises queries and keys",
    "gemma2": "some of its heads attend to a window, and it has further normalisations",
    "gemma3_text": "some of its heads attend to a window, and it has further normalisations",
}


def is_configuration(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value claims to be a configuration of Hugging Face, or of BERT's first publication.

    That one, `bert_config.json`, has the names of BERT's sizes and no `model_type`.
    """
    return isinstance(value, dict) and ("model_type" in value or value.keys() >= _SIZES)


def from_configuration(configuration: Mapping[str, Any]) -> Choices:
    """The model dictionary of a configuration.

    Args:
        configuration: contents of `config.json`.

    Raises:
        InputError: a model dictionary cannot express such a model, or a size is missing or out of range.
    """
    family = configuration.get("model_type", "bert" if configuration.keys() >= _SIZES else None)
    if isinstance(family, str) and family in DECODERS:
        if configuration.get("pruned_heads"):
            raise InputError("pruned_heads is given; allowed: none in a decoder.")
        return decoder_choices(configuration)
    if not isinstance(family, str) or family not in FAMILIES:
        reason = _REASONS.get(family) if isinstance(family, str) else None
        why = f", which a model dictionary cannot express, as {reason}" if reason else ""
        raise InputError(f"model_type is {str(family)!r:.60}{why}; allowed: {listed(sorted([*FAMILIES, *DECODERS]))}.")
    _check_architecture(configuration)
    names = FAMILIES[family]
    depth = _size(configuration, names.layers, MOST_LAYERS)
    hidden = _size(configuration, names.hidden, MOST_WIDTH)
    heads = _size(configuration, names.heads, MOST_HEADS)
    feed_forward = _size(configuration, names.feed_forward, MOST_WIDTH)
    if hidden % heads:
        raise InputError(f"{names.hidden} is {hidden}; allowed: a multiple of {names.heads}, {heads}.")
    embedding = configuration.get("embedding_size", hidden)
    if embedding != hidden:
        raise InputError(
            f"embedding_size is {embedding!r:.60}; allowed: {hidden}, the hidden width, as a model dictionary has "
            "embeddings of the width of its first layer."
        )
    pruned = _pruned_heads(configuration, depth, heads)
    whole = layer(hidden, ["sa_sdp"] * heads, [feed_forward])
    choices = choices_of([replace(whole, heads=whole.heads[pruned.get(j, 0) :]) for j in range(depth)])
    violations = model_violations(choices)
    if violations:
        raise InputError(violations[0])
    return choices


def _check_architecture(configuration: Mapping[str, Any]) -> None:
    for name, why in (("is_decoder", "a decoder"), ("add_cross_attention", "cross-attention")):
        if configuration.get(name):
            raise InputError(f"{name} is true; allowed: false, as a model dictionary cannot express {why}.")


def _pruned_heads(configuration: Mapping[str, Any], depth: int, heads: int) -> dict[int, int]:
    """Number of a layer -> number of its heads that were removed; the others keep their width."""
    given = configuration.get("pruned_heads") or {}
    if not isinstance(given, Mapping):
        raise InputError(refused("pruned_heads", given, "an object of layers with lists of heads"))
    counts: dict[int, int] = {}
    for name, removed in given.items():
        number = int(name) if str(name).isdecimal() and len(str(name)) <= len(str(MOST_LAYERS)) else -1
        if not 0 <= number < depth or number in counts:
            raise InputError(refused("A layer of pruned_heads", name, f"each of 0 to {depth - 1} once"))
        if not isinstance(removed, list) or not all(is_integer(head) and 0 <= head < heads for head in removed):
            raise InputError(refused(f"pruned_heads of layer {number}", removed, f"a list of heads 0 to {heads - 1}"))
        counts[number] = len(set(removed))
        if counts[number] == heads:
            raise InputError(f"pruned_heads removes all {heads} heads of layer {number}; allowed: all but one.")
    return counts


def _size(configuration: Mapping[str, Any], name: str, most: int) -> int:
    if name not in configuration:
        raise InputError(f"The key {name} is missing from the configuration.")
    value = configuration[name]
    if not is_integer(value) or not 1 <= value <= most:
        raise InputError(refused(name, value, f"an integer from 1 to {most}"))
    return value


def is_own_configuration(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is the `config.json` of a model of this product."""
    return isinstance(value, dict) and value.get("model_type") == OWN


def is_own_description(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is the `model.json` of a model that this product trained."""
    return isinstance(value, dict) and {"model", "vocabulary", "maximum_positions"} <= value.keys()


def _part(name: str) -> Callable[[Mapping[str, Any]], Choices]:
    def read(value: Mapping[str, Any]) -> Choices:
        if value.get("pruned_heads"):
            raise InputError("pruned_heads is given; allowed: none, as a model with fewer heads is another design.")
        violations = [f"The key {name} is missing."] if name not in value else model_violations(value[name])
        if violations:
            raise InputError(violations[0])
        choices: Choices = value[name]
        return choices

    return read


READERS = (
    Reader("the configuration of a model of this product", is_own_configuration, _part("design")),
    Reader("the description of a trained model", is_own_description, _part("model")),
    Reader("a configuration of Hugging Face", is_configuration, from_configuration),
)
