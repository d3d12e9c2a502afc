"""Configurations of decoders: said exactly, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transformers

from explorer import registry
from explorer.domains.transformer.hugging_face import from_configuration
from explorer.services import references
from graphdb.errors import InputError
from tests.explorer.domains.transformer.decoder.toys import NAMES, toys


def configuration(name: str, **changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = toys(False)[name].to_dict() | changed
    return {key: value for key, value in given.items() if value != "absent"}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_is_legal_and_in_its_one_form(name: str) -> None:
    choices = from_configuration(configuration(name))
    space = registry.space("transformer_free")
    assert not space.violations(choices)
    assert space.normalise(choices) == choices


def test_the_properties_of_the_families() -> None:
    llama = from_configuration(configuration("llama"))
    assert llama["o"] == [["sa_sdp_8"] * 4] * 2
    assert llama["decoder"] == {
        "vocabulary": 50,
        "tied_embeddings": False,
        "scaled_embeddings": False,
        "learnt_positions": 0,
        "norm": "rms",
        "norm_bias": False,
        "key_value_heads": 2,
        "query_key_value_bias": False,
        "output_bias": False,
        "gated": True,
        "activation": "silu",
        "feed_forward_bias": False,
    }
    gemma = from_configuration(configuration("gemma"))
    assert gemma["o"] == [["sa_sdp_12"] * 4] * 2, "the width of a head does not follow from the model's"
    assert gemma["decoder"]["scaled_embeddings"] and gemma["decoder"]["activation"] == "gelu_tanh"
    qwen2 = from_configuration(configuration("qwen2"))
    assert qwen2["decoder"]["query_key_value_bias"] and not qwen2["decoder"]["output_bias"]
    gpt2 = from_configuration(configuration("gpt2"))
    assert gpt2["decoder"]["learnt_positions"] == 24 and gpt2["f"] == [[128]] * 2


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("llama", {"max_position_embeddings": 99, "attention_dropout": 0.5, "rms_norm_eps": 1e-3}),
        ("llama", {"rope_parameters": {"rope_type": "llama3", "factor": 8.0, "rope_theta": 5e5}}),
        ("llama", {"rope_scaling": {"type": "linear", "factor": 2.0}, "head_dim": "absent"}),
        ("mistral", {"sliding_window": 4096, "max_position_embeddings": 4096}),
        ("qwen2", {"sliding_window": 16, "layer_types": "absent"}),
        ("gemma", {"hidden_act": "gelu", "hidden_activation": "gelu_pytorch_tanh"}),
        ("gpt2", {"resid_pdrop": 0.5, "tie_word_embeddings": False}),
    ],
)
def test_what_changes_neither_sizes_nor_costs_passes(name: str, changed: dict[str, Any]) -> None:
    assert from_configuration(configuration(name, **changed)) == from_configuration(configuration(name))


def test_keys_that_old_files_lack_have_the_familys_value() -> None:
    alike = configuration("llama", num_key_value_heads="absent", tie_word_embeddings="absent")
    assert from_configuration(alike)["decoder"]["key_value_heads"] == 4
    assert not from_configuration(alike)["decoder"]["tied_embeddings"]
    for name in ("gemma", "gpt2"):
        assert from_configuration(configuration(name, tie_word_embeddings="absent"))["decoder"]["tied_embeddings"]


@pytest.mark.parametrize(
    ("name", "changed", "sentence"),
    [
        ("mistral", {"sliding_window": 16}, "sliding_window is 16; allowed: null, or at least max_position_embeddings"),
        ("mistral", {"num_key_value_heads": "absent"}, "The key num_key_value_heads is missing"),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 16}, "sliding_window is 16"),
        ("qwen2", {"layer_types": ["full_attention", "sliding_attention"]}, "layer_types is 'sliding_attention'"),
        ("llama", {"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor is 0.5; allowed: 1.0"),
        ("llama", {"hidden_act": "relu2"}, "hidden_act is 'relu2'; allowed: silu"),
        ("llama", {"num_key_value_heads": 3}, "4 heads and 3 key-value heads; allowed: a divisor"),
        ("llama", {"head_dim": 5}, r"o\[0\] is 'sa_sdp_5'; allowed: an even width"),
        ("llama", {"head_dim": None, "hidden_size": 30}, "hidden_size is 30; allowed: a multiple"),
        ("llama", {"vocab_size": "absent"}, "The key vocab_size is missing"),
        ("llama", {"vocab_size": 0}, "vocab_size is 0; allowed: an integer from 1"),
        ("llama", {"attention_bias": 1}, "attention_bias is 1; allowed: true or false"),
        ("llama", {"model_type": "mixtral"}, "its feed-forwards are a mixture of experts; allowed: .*llama, mistral"),
        ("llama", {"model_type": "qwen3"}, "it normalises queries and keys"),
        ("gemma", {"use_bidirectional_attention": True}, "cannot express attention to later tokens"),
        ("gpt2", {"add_cross_attention": True}, "cannot express cross-attention"),
        ("gpt2", {"scale_attn_weights": False}, "scale_attn_weights is false; allowed: true"),
        ("gpt2", {"n_inner": -1}, "n_inner is -1"),
    ],
)
def test_what_cannot_be_said_is_refused(name: str, changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        from_configuration(configuration(name, **changed))


def test_a_file_is_imported_as_it_was_downloaded(tmp_path: Path) -> None:
    transformers.GPT2Config().save_pretrained(tmp_path)
    assert references.read_architecture(tmp_path / "config.json") == registry.preset("gpt2")
