"""Toy-sized configurations of the families that are read, as transformers itself makes them."""

from __future__ import annotations

from typing import Any

import transformers

_SIZES: dict[str, Any] = {
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 40,
    "vocab_size": 50,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}


def toys(tied: bool) -> dict[str, Any]:
    """Name -> configuration of every family, with tied or untied embeddings."""
    return {
        "llama": transformers.LlamaConfig(**_SIZES, tie_word_embeddings=tied),
        "llama, all heads alike": transformers.LlamaConfig(
            **_SIZES | {"num_key_value_heads": None}, tie_word_embeddings=tied
        ),
        "llama, biased": transformers.LlamaConfig(
            **_SIZES, tie_word_embeddings=tied, attention_bias=True, mlp_bias=True, head_dim=6
        ),
        "mistral": transformers.MistralConfig(**_SIZES, tie_word_embeddings=tied, sliding_window=None),
        "qwen2": transformers.Qwen2Config(**_SIZES, tie_word_embeddings=tied),
        "gemma": transformers.GemmaConfig(**_SIZES | {"num_key_value_heads": 1}, tie_word_embeddings=tied, head_dim=12),
        "gpt2": transformers.GPT2Config(
            n_embd=32,
            n_head=4,
            n_layer=2,
            n_positions=24,
            vocab_size=50,
            bos_token_id=None,
            eos_token_id=None,
            tie_word_embeddings=tied,
        ),
        "gpt2, narrow": transformers.GPT2Config(
            n_embd=32,
            n_head=2,
            n_layer=1,
            n_inner=24,
            n_positions=24,
            vocab_size=50,
            bos_token_id=None,
            eos_token_id=None,
            tie_word_embeddings=tied,
            activation_function="relu",
        ),
    }


NAMES = tuple(toys(True))
"""Names of the toys."""


def module_of(configuration: Any) -> Any:
    """Hugging Face's module of a configuration, with plain products in its attention."""
    return transformers.AutoModelForCausalLM.from_config(configuration, attn_implementation="eager").eval()
