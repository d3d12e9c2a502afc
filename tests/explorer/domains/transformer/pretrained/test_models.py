"""FlexiBERT models as transformers knows models: the same numbers, through files and back, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import registry
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.parameters import parameter_count
from explorer.domains.transformer.pretrained.configuration import FlexiBertConfig
from explorer.domains.transformer.pretrained.models import (
    FlexiBertForMaskedLM,
    FlexiBertForSequenceClassification,
    FlexiBertModel,
)
from explorer.domains.transformer.training.saved import load_encoder, read_description
from graphdb.errors import InputError

EVERY_HEAD = {
    "l": 2,
    "o": [["sa_sdp_32", "l_dft_32"], ["sa_wma_32", "l_dct_32", "c_5_32", "c_13_32"]],
    "h": [64, 128],
    "f": [[32], [48, 16]],
}
AUTO = {
    FlexiBertModel: transformers.AutoModel,
    FlexiBertForMaskedLM: transformers.AutoModelForMaskedLM,
    FlexiBertForSequenceClassification: transformers.AutoModelForSequenceClassification,
}


def config(**others: Any) -> FlexiBertConfig:
    return FlexiBertConfig(**{"design": EVERY_HEAD, "vocab_size": 40, "max_position_embeddings": 24, **others})


def tokens(length: int = 9) -> torch.Tensor:
    return torch.randint(0, 40, (3, length), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", AUTO)
def test_what_was_saved_is_loaded_to_the_bit(kind: Any, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = kind(config(num_labels=3)).eval()
    model.save_pretrained(tmp_path)
    loaded = AUTO[kind].from_pretrained(tmp_path)
    assert type(loaded) is kind
    state = loaded.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    mask = torch.ones_like(tokens())
    mask[0, 5:] = 0
    given_back, wanted = loaded(tokens(), mask), model(tokens(), mask)
    assert given_back.keys() == wanted.keys()
    assert all(torch.equal(given_back[name], wanted[name]) for name in wanted)
    assert isinstance(model(tokens(), return_dict=False), tuple)


@given(st.sampled_from(["flexibert", "flexibert_small"]), st.integers(0, 2**31))
@settings(max_examples=4, deadline=None)
def test_any_model_is_our_own_module_in_other_clothes(space: str, seed: int) -> None:
    design = registry.space(space).sample(np.random.default_rng(seed))
    made = FlexiBertModel(FlexiBertConfig(design=design, vocab_size=30, max_position_embeddings=16)).eval()
    ours = HeterogeneousEncoder(design, vocabulary=30, maximum_positions=16, generator=torch.Generator()).eval()
    ours.load_state_dict(made.state_dict())
    ids = torch.arange(12).reshape(2, 6)
    assert torch.equal(made(ids).last_hidden_state, ours(ids))
    assert torch.equal(made(ids).pooler_output, ours.pool(ours(ids)))
    assert made.num_parameters() == parameter_count(design, 30, 16)


def test_a_head_that_a_file_lacks_is_drawn_and_the_encoder_is_read(tmp_path: Path) -> None:
    model = FlexiBertForMaskedLM(config())
    model.save_pretrained(tmp_path)
    classifier = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path, num_labels=4)
    assert classifier.classifier.weight.shape == (4, 128)
    assert 0.01 < classifier.classifier.weight.std() < 0.03
    assert not classifier.classifier.bias.any()
    assert torch.equal(classifier.encoder.words.weight, model.encoder.words.weight)


def test_training_draws_from_the_seed_that_transformers_sets() -> None:
    def losses() -> list[float]:
        transformers.set_seed(7)
        model = FlexiBertForSequenceClassification(config(num_labels=2)).train()
        optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
        values = []
        for _ in range(12):
            loss = model(tokens(), labels=torch.tensor([0, 1, 0])).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            values.append(loss.item())
        return values

    first = losses()
    assert first == losses()
    assert first[-1] < 0.7 * first[0]


def test_losses_are_those_of_transformers() -> None:
    language = FlexiBertForMaskedLM(config()).eval()
    labels = tokens().masked_fill(torch.arange(9) % 2 == 0, -100)
    output = language(tokens(), labels=labels)
    wanted = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), labels.flatten())
    assert output.loss.item() == pytest.approx(wanted.item())
    score = FlexiBertForSequenceClassification(config(num_labels=1)).eval()
    scored = score(tokens(), labels=torch.tensor([1.0, 2.0, 3.0]))
    assert scored.loss.item() == pytest.approx(
        ((scored.logits[:, 0] - torch.tensor([1.0, 2.0, 3.0])) ** 2).mean().item()
    )


def test_a_saved_model_is_one_to_train_further(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    torch.manual_seed(2)
    model = FlexiBertForSequenceClassification(config(id2label={0: "no", 1: "yes"}, label2id={"no": 0, "yes": 1}))
    model.save_pretrained(tmp_path)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    vocabulary = {token: i for i, token in enumerate([*special.values(), "a", "b"])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=raw, **special).save_pretrained(tmp_path / "tokenizer")
    description = read_description(tmp_path)
    assert description.labels == ("no", "yes")
    assert description.model == EVERY_HEAD
    encoder, _ = load_encoder(tmp_path, torch.Generator())
    state = model.encoder.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"design": {**EVERY_HEAD, "l": 3}}, "is illegal: "),
        ({"design": 3}, "is illegal: "),
        ({"vocab_size": 0}, "vocab_size is 0; allowed: a whole number from 1"),
        ({"max_position_embeddings": "many"}, "max_position_embeddings is 'many'"),
        ({"hidden_dropout_prob": 1.0}, "hidden_dropout_prob is 1.0; allowed: 0 to below 1"),
    ],
)
def test_an_illegal_configuration_is_refused_in_one_sentence(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        config(**changed)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_follows_its_design_whatever_a_file_says(tmp_path: Path) -> None:
    config().save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "hidden_size": 5, "num_hidden_layers": 9}))
    read = transformers.AutoConfig.from_pretrained(tmp_path)
    assert (read.hidden_size, read.num_hidden_layers) == (128, 2)


def test_files_of_another_model_are_refused(tmp_path: Path) -> None:
    FlexiBertModel(config()).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    text = json.loads(file.read_text())
    file.write_text(json.dumps({**text, "model_type": "bert"}))
    with pytest.raises(InputError, match=r"config\.json: model_type is 'bert'"):
        read_description(tmp_path)
    file.write_text(json.dumps({**text, "design": {**EVERY_HEAD, "f": [[32], [48, 17]]}}))
    with pytest.raises(InputError, match=r"the weight .* has the shape"):
        load_encoder(tmp_path, torch.Generator())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="is corrupt"):
        load_encoder(tmp_path, torch.Generator())
