"""Reading configurations of Hugging Face decoders (`config.json`): Llama, Mistral, Qwen2, GPT-2 and Gemma.

What changes neither sizes nor costs passes: dropout, rotary frequencies, the longest sequence of rotary positions,
kinds of numbers. What changes them and cannot be expressed is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.domains.transformer.decoder.options import (
    HEAD_KIND,
    LARGEST_VOCABULARY,
    MOST_POSITIONS,
    canonical,
    decoder_violations,
)
from explorer.domains.transformer.model import DECODER, MOST_HEADS, MOST_LAYERS, MOST_WIDTH
from explorer.toolkit.reading import is_integer, listed, refused
from graphdb.errors import InputError

_ACTIVATIONS = {
    **dict.fromkeys(("silu", "swish"), "silu"),
    "gelu": "gelu",
    **dict.fromkeys(("gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_accurate"), "gelu_tanh"),
    "relu": "relu",
}
"""Hugging Face's name of a non-linearity -> its name here."""

Configuration = Mapping[str, Any]


def decoder_choices(configuration: Configuration) -> dict[str, Any]:
    """The dictionary of a decoder's configuration, whose `model_type` is one of `DECODERS`.

    Raises:
        InputError: the model cannot be expressed, or a size is missing or out of range.
    """
    for name, what in (("add_cross_attention", "cross-attention"), ("is_encoder_decoder", "an encoder beside it")):
        _must_be_off(configuration, name, what)
    choices = DECODERS[configuration["model_type"]](configuration)
    violations = decoder_violations(choices)
    if violations:
        raise InputError(violations[0])
    return canonical(choices)


def _gpt2(configuration: Configuration) -> dict[str, Any]:
    hidden = _size(configuration, "n_embd", MOST_WIDTH)
    heads = _size(configuration, "n_head", MOST_HEADS)
    if configuration.get("scale_attn_weights", True) is not True:
        raise InputError("scale_attn_weights is false; allowed: true, as a decoder's scores are scaled.")
    inner = configuration.get("n_inner")
    width = 4 * hidden if inner is None else _size(configuration, "n_inner", MOST_WIDTH)
    options = {
        "vocabulary": _size(configuration, "vocab_size", LARGEST_VOCABULARY),
        "tied_embeddings": _switch(configuration, "tie_word_embeddings", True),
        "learnt_positions": _size(configuration, "n_positions", MOST_POSITIONS),
        "norm": "layer",
        "norm_bias": True,
        "query_key_value_bias": True,
        "output_bias": True,
        "gated": False,
        "activation": _activation(configuration, "activation_function"),
        "feed_forward_bias": True,
    }
    depth = _size(configuration, "n_layer", MOST_LAYERS)
    return _choices(depth, hidden, (heads, _split(hidden, "n_embd", heads, "n_head")), width, options)


def _llama(configuration: Configuration) -> dict[str, Any]:
    bias = _switch(configuration, "attention_bias", False)
    return _rotary(
        configuration,
        query_key_value_bias=bias,
        output_bias=bias,
        feed_forward_bias=_switch(configuration, "mlp_bias", False),
    )


def _mistral(configuration: Configuration) -> dict[str, Any]:
    _check_window(configuration)
    return _rotary(configuration)


def _qwen2(configuration: Configuration) -> dict[str, Any]:
    if _switch(configuration, "use_sliding_window", False):
        _check_window(configuration)
    return _rotary(configuration, query_key_value_bias=True)


def _gemma(configuration: Configuration) -> dict[str, Any]:
    _must_be_off(configuration, "use_bidirectional_attention", "attention to later tokens")
    bias = _switch(configuration, "attention_bias", False)
    named = "hidden_activation" if configuration.get("hidden_activation") is not None else "hidden_act"
    return _rotary(
        configuration,
        tied=True,
        activation=_activation(configuration, named),
        scaled_embeddings=True,
        query_key_value_bias=bias,
        output_bias=bias,
    )


DECODERS: Mapping[str, Callable[[Configuration], dict[str, Any]]] = {
    "llama": _llama,
    "mistral": _mistral,
    "qwen2": _qwen2,
    "gpt2": _gpt2,
    "gemma": _gemma,
}
"""`model_type` -> reader of its configuration."""


def _rotary(configuration: Configuration, *, tied: bool = False, **options: Any) -> dict[str, Any]:
    """The dictionary of a decoder with rotary positions.

    Args:
        configuration: contents of `config.json`.
        tied: whether the family ties its embeddings unless the configuration says otherwise.
        options: options of the decoder in which the family differs from Llama.
    """
    _check_rotation(configuration)
    _check_layer_types(configuration)
    depth = _size(configuration, "num_hidden_layers", MOST_LAYERS)
    hidden = _size(configuration, "hidden_size", MOST_WIDTH)
    heads = _size(configuration, "num_attention_heads", MOST_HEADS)
    if configuration.get("head_dim") is None:
        width = _split(hidden, "hidden_size", heads, "num_attention_heads")
    else:
        width = _size(configuration, "head_dim", MOST_WIDTH)
    shared = "num_key_value_heads"
    # Llama's first configurations have no such key; null is one for each head in all families.
    alike = configuration.get(shared) is None and (shared in configuration or configuration["model_type"] == "llama")
    full = {
        "vocabulary": _size(configuration, "vocab_size", LARGEST_VOCABULARY),
        "tied_embeddings": _switch(configuration, "tie_word_embeddings", tied),
        "key_value_heads": heads if alike else _size(configuration, shared, MOST_HEADS),
        **options,
    }
    full.setdefault("activation", None)
    full["activation"] = full["activation"] or _activation(configuration, "hidden_act")
    return _choices(depth, hidden, (heads, width), _size(configuration, "intermediate_size", MOST_WIDTH), full)


def _choices(
    depth: int, hidden: int, heads: tuple[int, int], feed_forward: int, options: dict[str, Any]
) -> dict[str, Any]:
    count, width = heads
    return {
        "l": depth,
        "o": [[f"{HEAD_KIND}_{width}"] * count for _ in range(depth)],
        "h": [hidden] * depth,
        "f": [[feed_forward] for _ in range(depth)],
        DECODER: options,
    }


def _check_window(configuration: Configuration) -> None:
    """Refuse a window of attention, unless it is as long as the longest sequence."""
    window, longest = configuration.get("sliding_window"), configuration.get("max_position_embeddings")
    if window is None or (is_integer(window) and is_integer(longest) and window >= longest):
        return
    raise InputError(
        refused("sliding_window", window, "null, or at least max_position_embeddings, as a head attends to all tokens")
    )


def _check_layer_types(configuration: Configuration) -> None:
    kinds = configuration.get("layer_types")
    other = next((kind for kind in kinds if kind != "full_attention"), None) if isinstance(kinds, list) else None
    if other is not None:
        raise InputError(refused("layer_types", other, "full_attention in every layer"))


def _check_rotation(configuration: Configuration) -> None:
    """Refuse a rotation of a part of the heads; scaled frequencies change neither sizes nor costs."""
    about = configuration.get("rope_parameters")
    places = [configuration, about if isinstance(about, Mapping) else {}]
    for place in places:
        share = place.get("partial_rotary_factor", 1.0)
        if share is not None and share != 1.0:
            raise InputError(refused("partial_rotary_factor", share, "1.0, as whole heads are rotated"))


def _must_be_off(configuration: Configuration, name: str, what: str) -> None:
    if configuration.get(name):
        raise InputError(f"{name} is true; allowed: false, as a decoder here cannot express {what}.")


def _activation(configuration: Configuration, name: str) -> str:
    given = configuration.get(name)
    if not isinstance(given, str) or given not in _ACTIVATIONS:
        raise InputError(refused(name, given, listed(_ACTIVATIONS)))
    return _ACTIVATIONS[given]


def _switch(configuration: Configuration, name: str, default: bool) -> bool:
    value = configuration.get(name, default)
    if not isinstance(value, bool):
        raise InputError(refused(name, value, "true or false"))
    return value


def _split(hidden: int, named: str, heads: int, heads_named: str) -> int:
    if hidden % heads:
        raise InputError(f"{named} is {hidden}; allowed: a multiple of {heads_named}, {heads}.")
    return hidden // heads


def _size(configuration: Configuration, name: str, most: int) -> int:
    if name not in configuration:
        raise InputError(f"The key {name} is missing from the configuration.")
    value = configuration[name]
    if not is_integer(value) or not 1 <= value <= most:
        raise InputError(refused(name, value, f"an integer from 1 to {most}"))
    return value
