"""Configurations as transformers itself makes them: said exactly, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import (
    AlbertConfig,
    BertConfig,
    BertModel,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    RobertaConfig,
    T5Config,
)

from explorer import registry
from explorer.domains.transformer.hugging_face import from_configuration
from explorer.domains.transformer.parameters import parameter_count
from explorer.services import references
from graphdb.errors import InputError


def as_json(configuration: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(configuration.to_json_string(use_diff=False))
    return read


@pytest.mark.parametrize(
    ("configuration", "preset"),
    [
        (BertConfig(), "bert-base"),
        (RobertaConfig(), "bert-base"),
        (BertConfig(num_hidden_layers=2, hidden_size=128, num_attention_heads=2, intermediate_size=512), "bert-tiny"),
        (DistilBertConfig(n_layers=4, dim=256, n_heads=4, hidden_dim=1024), "bert-mini"),
        (
            ElectraConfig(embedding_size=256, num_attention_heads=4, intermediate_size=1024, num_hidden_layers=4),
            "bert-mini",
        ),
    ],
)
def test_families_that_the_dictionary_can_say(configuration: Any, preset: str) -> None:
    choices = from_configuration(as_json(configuration))
    assert registry.space("flexibert2").build(choices) == registry.preset(preset)


def test_the_encoder_has_as_many_weights_but_for_positions_and_token_types() -> None:
    configuration = BertConfig(
        num_hidden_layers=2, hidden_size=64, num_attention_heads=2, intermediate_size=96, vocab_size=50
    )
    model = BertModel(configuration)
    theirs = sum(parameter.numel() for parameter in model.parameters())
    positions = configuration.max_position_embeddings
    relative = 2 * (2 * positions - 1) * 32  # two layers, heads of 32
    ours = parameter_count(from_configuration(as_json(configuration)), 50, positions, configuration.type_vocab_size)
    assert ours - relative == theirs


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    [
        (as_json(T5Config()), "'t5', which a model dictionary cannot express, as it has a decoder; allowed: .*bert"),
        (as_json(AlbertConfig()), "its layers share their weights"),
        (as_json(ElectraConfig()), "embedding_size is 128; allowed: 256"),
        (as_json(BertConfig(is_decoder=True)), "is_decoder is true; allowed: false"),
        (as_json(BertConfig()) | {"add_cross_attention": True}, "cannot express cross-attention"),
        (
            as_json(BertConfig()) | {"hidden_size": 100},
            "hidden_size is 100; allowed: a multiple of num_attention_heads, 12",
        ),
        (as_json(BertConfig()) | {"hidden_size": "768"}, "hidden_size is '768'; allowed: an integer from 1"),
        (as_json(BertConfig()) | {"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        (as_json(BertConfig()) | {"intermediate_size": True}, "intermediate_size is True"),
        (as_json(BertConfig()) | {"pruned_heads": {"0": list(range(12))}}, "removes all 12 heads of layer 0"),
        (as_json(BertConfig()) | {"pruned_heads": {"12": [0]}}, "'12'; allowed: each of 0 to 11"),
        (as_json(BertConfig()) | {"pruned_heads": {"1": [12]}}, "layer 1 is .*; allowed: a list of heads 0 to 11"),
        (as_json(BertConfig()) | {"pruned_heads": [1]}, "pruned_heads is"),
        (as_json(GPT2Config()) | {"pruned_heads": {"0": [0]}}, "pruned_heads is given"),
        ({"model_type": "bert"}, "num_hidden_layers is missing"),
        ({"model_type": None}, "model_type is 'None'; allowed"),
        ({"model_type": ["bert"]}, "model_type is"),
        ({"model_type": "x" * 1000}, "allowed: bert"),
    ],
)
def test_what_the_dictionary_cannot_say(configuration: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as raised:
        from_configuration(configuration)
    assert len(str(raised.value)) < 400


def test_a_file_is_imported_as_it_was_downloaded(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    BertConfig(num_hidden_layers=2, hidden_size=128, num_attention_heads=2, intermediate_size=512).save_pretrained(
        tmp_path
    )
    assert references.read_architecture(file) == registry.preset("bert-tiny")
    odd = BertConfig(num_hidden_layers=1, hidden_size=48, num_attention_heads=4, intermediate_size=100)
    odd.save_pretrained(tmp_path)
    assert references.read_architecture(file).space == "transformer_free"
    T5Config().save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"config\.json: model_type is 't5'"):
        references.read_architecture(file)


def test_the_configuration_of_the_first_bert_names_no_family() -> None:
    sizes = {"num_hidden_layers": 2, "hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 512}
    others = {"hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2, "vocab_size": 30522}
    choices = from_configuration(sizes | others)
    assert registry.space("flexibert2").build(choices) == registry.preset("bert-tiny")


def test_heads_that_were_pruned_are_gone_and_the_others_keep_their_width() -> None:
    configuration = as_json(
        BertConfig(num_hidden_layers=2, hidden_size=64, num_attention_heads=4, intermediate_size=96)
    )
    whole = from_configuration(configuration)
    pruned = from_configuration(configuration | {"pruned_heads": {"0": [0, 2], "1": [3]}})
    assert pruned["o"] == [["sa_sdp_16"] * 2, ["sa_sdp_16"] * 3]
    one_head = 3 * (64 * 16 + 16) + 16 * 64  # its rows of query, key and value, and its columns of the output
    assert parameter_count(whole) - parameter_count(pruned) == 3 * one_head
