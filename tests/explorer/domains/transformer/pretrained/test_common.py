"""What transformers checks of every model of its own, checked for FlexiBERT's three classes.

Covered, by the names of the library's common tests: save_load, can_use_safetensors, load_save_without_tied_weights,
tied_weights_keys, correct_missing_keys, can_init_all_missing_weights, load_with_mismatched_shapes, determinism,
forward_signature, hidden_states_output, attention_outputs, retain_grad_hidden_states_attentions, batching_equivalence,
left_padding_compatibility, training, training_gradient_checkpointing, resize_tokens_embeddings,
resize_embeddings_untied, model_get_set_embeddings, model_outputs_equivalence, inputs_embeds,
inputs_embeds_matches_input_ids, problem_types, torch_dtype, and the automatic classes.

Not applicable: generation, caches and cross-attention (these are encoders); head pruning (the library dropped it; a
model with fewer heads is another design); resize_position_embeddings (optional in the library, and the tables of
relative positions are part of the design); feed_forward_chunking (removed); the tests of sdpa and flash attention
(mixed heads have attention of their own, so the library refuses these implementations); offloading, parallel devices
and quantisation (they need accelerators). Equality under padding is checked without transforms over positions (`l_dft`,
`l_dct`), which span the padded length, as published.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from explorer.domains.transformer.pretrained.configuration import FlexiBertConfig
from explorer.domains.transformer.pretrained.models import (
    FlexiBertForMaskedLM,
    FlexiBertForSequenceClassification,
    FlexiBertModel,
)
from explorer.domains.transformer.pretrained.onnx import load_model
from graphdb.errors import InputError

DESIGN = {
    "l": 2,
    "o": [["sa_sdp_16", "l_dft_16"], ["sa_wma_16", "l_dct_16", "c_5_16"]],
    "h": [32, 48],
    "f": [[24], [40, 16]],
}
LOCAL = {"l": 2, "o": [["sa_sdp_16", "c_5_16"], ["sa_wma_16"]], "h": [32, 16], "f": [[24], [24]]}
KINDS = [FlexiBertModel, FlexiBertForMaskedLM, FlexiBertForSequenceClassification]
every_class = pytest.mark.parametrize("kind", KINDS)


def made(kind: Any, **others: Any) -> Any:
    torch.manual_seed(3)
    values = {"design": DESIGN, "vocab_size": 20, "max_position_embeddings": 12, "num_labels": 3}
    return kind(FlexiBertConfig(**{**values, **others})).eval()


def tokens(length: int = 7) -> torch.Tensor:
    return torch.randint(0, 19, (2, length), generator=torch.Generator().manual_seed(1))


def labels_of(kind: Any) -> dict[str, torch.Tensor]:
    return {
        FlexiBertModel: {},
        FlexiBertForMaskedLM: {"labels": tokens()},
        FlexiBertForSequenceClassification: {"labels": torch.tensor([0, 2])},
    }[kind]


def base_of(model: Any) -> Any:
    return getattr(model, "encoder", model)


@every_class
def test_hidden_states_are_those_of_every_layer(kind: Any) -> None:
    model = made(kind)
    states = model(tokens(), output_hidden_states=True).hidden_states
    assert [tuple(state.shape) for state in states] == [(2, 7, 32), (2, 7, 48), (2, 7, 48)]
    assert torch.equal(states[-1], base_of(model)(tokens()).last_hidden_state)
    assert model(tokens()).hidden_states is None
    model.config.output_hidden_states = True
    assert len(model(tokens()).hidden_states) == 3
    assert model(tokens(), output_hidden_states=False).hidden_states is None


@every_class
def test_attentions_are_the_probabilities_of_every_head(kind: Any) -> None:
    model = made(kind)
    mask = torch.ones_like(tokens())
    mask[0, 5:] = 0
    output = model(tokens(), mask, output_attentions=True)
    assert [tuple(part.shape) for part in output.attentions] == [(2, 2, 7, 7), (2, 3, 7, 7)]
    for part in output.attentions:
        assert torch.allclose(part.sum(dim=-1), torch.ones(()))
        assert not part[0, ..., 5:].any()
    assert model(tokens()).attentions is None
    both = model(tokens(), output_attentions=True, output_hidden_states=True, return_dict=False)
    assert [len(part) for part in both[-2:]] == [3, 2]


@every_class
def test_gradients_reach_hidden_states_and_attentions(kind: Any) -> None:
    output = made(kind)(tokens(), output_attentions=True, output_hidden_states=True)
    kept = [output.hidden_states[0], output.attentions[0]]
    for part in kept:
        part.retain_grad()
    output[0].pow(2).sum().backward()
    assert all(part.grad is not None and part.grad.any() for part in kept)


@every_class
def test_embeddings_stand_for_tokens(kind: Any) -> None:
    model = made(kind)
    embeddings = model.get_input_embeddings()(tokens())
    assert torch.equal(model(inputs_embeds=embeddings)[0], model(tokens())[0])
    for given in ({}, {"input_ids": tokens(), "inputs_embeds": embeddings}):
        with pytest.raises(InputError, match="Either input_ids or inputs_embeds is needed, but not both"):
            model(**given)
    with pytest.raises(InputError, match=r"inputs_embeds has the shape \(2, 7, 5\); allowed: \(B, S, 32\)"):
        model(inputs_embeds=embeddings[..., :5])


@every_class
def test_a_tuple_holds_what_the_dictionary_holds(kind: Any) -> None:
    model = made(kind)
    asked = {"output_attentions": True, "output_hidden_states": True, **labels_of(kind)}
    pairs = zip(model(tokens(), **asked).to_tuple(), model(tokens(), **asked, return_dict=False), strict=True)
    for one, other in pairs:
        together = zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]
        assert all(torch.equal(left, right) for left, right in together)
    model.config.return_dict = False
    assert isinstance(model(tokens()), tuple)
    assert list(inspect.signature(kind.forward).parameters)[:2] == ["self", "input_ids"]


@every_class
@pytest.mark.parametrize("size", [27, 13])
def test_resized_word_embeddings_last(kind: Any, size: int, tmp_path: Path) -> None:
    model = made(kind)
    before = model.get_input_embeddings().weight.detach().clone()
    small = tokens() % 13
    wanted = base_of(model)(small).last_hidden_state.detach()
    assert model.resize_token_embeddings(size) is model.get_input_embeddings()
    assert model.config.vocab_size == model.get_input_embeddings().num_embeddings == size
    assert torch.equal(model.get_input_embeddings().weight[: min(20, size)], before[:size])
    assert torch.equal(base_of(model)(small).last_hidden_state, wanted)
    if kind is FlexiBertForMaskedLM:
        assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
        assert model(small).logits.shape == (2, 7, size)
        model(small, labels=small).loss.backward()
        assert model.head.bias.grad.shape == (size,)
    model.save_pretrained(tmp_path)
    for again in (kind.from_pretrained(tmp_path), load_model(tmp_path)):
        assert again.config.vocab_size == size
        assert torch.equal(again(small)[0], model(small)[0])


def test_untied_word_embeddings_are_resized_and_saved_apart(tmp_path: Path) -> None:
    model = made(FlexiBertForMaskedLM, tie_word_embeddings=False)
    assert model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    model.resize_token_embeddings(24)
    assert model.get_output_embeddings().weight.shape == (24, 32)
    assert model(tokens()).logits.shape == (2, 7, 24)
    model.save_pretrained(tmp_path)
    for again in (FlexiBertForMaskedLM.from_pretrained(tmp_path), load_model(tmp_path)):
        assert torch.equal(again(tokens()).logits, model(tokens()).logits)


@every_class
def test_embeddings_can_be_replaced(kind: Any) -> None:
    model = made(kind)
    other = torch.nn.Embedding(20, 32)
    model.set_input_embeddings(other)
    assert model.get_input_embeddings() is other
    assert base_of(model).words is other
    assert (model.get_output_embeddings() is None) == (kind is not FlexiBertForMaskedLM)
    if kind is FlexiBertForMaskedLM:
        model.tie_weights()
        assert model.get_output_embeddings().weight is other.weight
        product = torch.nn.Linear(32, 20)
        model.set_output_embeddings(product)
        assert model.get_output_embeddings() is product


@every_class
def test_checkpointed_gradients_are_the_same(kind: Any) -> None:
    def gradients(checkpointing: bool) -> list[torch.Tensor]:
        model = made(kind, hidden_dropout_prob=0.2).train()
        if checkpointing:
            model.activation_checkpointing_enable()
        assert model.is_activation_checkpointing == checkpointing
        transformers.set_seed(5)
        model(tokens(), **labels_of(kind))[0].pow(2).sum().backward()
        return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]

    for plain, checkpointed in zip(gradients(False), gradients(True), strict=True):
        assert torch.allclose(plain, checkpointed, atol=1e-7)


@every_class
def test_rows_of_a_batch_and_padding_do_not_matter(kind: Any) -> None:
    model = made(kind)
    batch = model(tokens())[0]
    assert torch.allclose(batch[1:], model(tokens()[1:])[0], atol=1e-6)
    model = made(kind, design=LOCAL)
    short = tokens(5)
    mask = torch.cat([torch.ones(2, 5), torch.zeros(2, 3)], dim=1)
    right = model(torch.cat([short, torch.full((2, 3), 19)], dim=1), mask)[0]
    whole = model(short)[0]
    assert torch.allclose(right[:, :5] if right.dim() == 3 else right, whole, atol=1e-6)
    if whole.dim() == 3:
        left = model(torch.cat([torch.full((2, 3), 19), short], dim=1), mask.flip(1))[0]
        assert torch.allclose(left[:, 3:], whole, atol=1e-6)


@every_class
def test_masks_of_pairs_are_like_those_of_positions(kind: Any) -> None:
    model = made(kind)
    mask = torch.ones_like(tokens())
    mask[0, 5:] = 0
    pairs = mask[:, None].expand(2, 7, 7)
    assert torch.equal(model(tokens(), pairs)[0], model(tokens(), mask)[0])
    assert torch.equal(model(tokens(), pairs[:, None])[0], model(tokens(), mask)[0])
    with pytest.raises(InputError, match=r"four dimensions is of the type torch\.float32; allowed: booleans"):
        model(tokens(), pairs[:, None].float())
    with pytest.raises(InputError, match=r"mask has the shape \(2, 6\); allowed"):
        model(tokens(), mask[:, :6])
    before = torch.ones(7, 7).tril().expand(2, 7, 7)
    earlier, later = (
        made(FlexiBertModel, design=LOCAL | {"o": [["sa_sdp_16"] * 2, ["sa_wma_16"]]})(ids, before).last_hidden_state
        for ids in (tokens(), torch.cat([tokens()[:, :6], tokens()[:, :1]], dim=1))
    )
    assert torch.allclose(earlier[:, :6], later[:, :6], atol=1e-6)


@every_class
def test_files_are_the_same_every_time_and_hold_nothing_twice(kind: Any, tmp_path: Path) -> None:
    model = made(kind)
    for name in ("one", "two"):
        model.save_pretrained(tmp_path / name)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    again, about = kind.from_pretrained(tmp_path / "one", output_loading_info=True)
    assert not any(about.values())
    assert torch.equal(again(tokens())[0], model(tokens())[0])
    parameters = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    assert (tmp_path / "one" / "model.safetensors").stat().st_size < 4 * parameters + 20_000


@every_class
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_smaller_types_are_read_and_run(kind: Any, dtype: torch.dtype, tmp_path: Path) -> None:
    made(kind).save_pretrained(tmp_path)
    model = kind.from_pretrained(tmp_path, dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    output = model(tokens(), **labels_of(kind))
    assert all(torch.isfinite(value).all() for value in output.values())


@every_class
def test_all_weights_that_a_file_lacks_are_drawn(kind: Any) -> None:
    model = kind.from_pretrained(None, config=made(kind).config, state_dict={})
    for name, parameter in model.named_parameters():
        drawn = 0.05 if name.endswith("heads.0.weight") else 0.02  # `sa_wma` is uniform up to 0.1
        if parameter.numel() > 100 and parameter.dim() > 1:
            assert 0.5 * drawn < parameter.std() < 1.5 * drawn, name
        assert torch.isfinite(parameter).all()


def test_weights_of_another_shape_are_refused_or_drawn(tmp_path: Path) -> None:
    made(FlexiBertForSequenceClassification).save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match="mismatch"):
        transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path, num_labels=7)
    read = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path, num_labels=7, ignore_mismatched_sizes=True
    )
    assert read(tokens()).logits.shape == (2, 7)


@pytest.mark.parametrize(
    ("problem", "count", "labels"),
    [
        ("single_label_classification", 3, torch.tensor([0, 2])),
        ("multi_label_classification", 3, torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])),
        ("regression", 1, torch.tensor([0.5, 2.0])),
        ("regression", 3, torch.tensor([[0.5, 1.0, 2.0], [1.0, 0.0, 0.0]])),
    ],
)
def test_the_problem_decides_the_loss(problem: str, count: int, labels: torch.Tensor) -> None:
    model = made(FlexiBertForSequenceClassification, num_labels=count, problem_type=problem)
    output = model(tokens(), labels=labels)
    wanted = {
        "single_label_classification": torch.nn.functional.cross_entropy,
        "multi_label_classification": torch.nn.functional.binary_cross_entropy_with_logits,
        "regression": torch.nn.functional.mse_loss,
    }[problem](output.logits.reshape(labels.shape) if count == 1 else output.logits, labels)
    assert output.loss.item() == pytest.approx(wanted.item())
    output.loss.backward()
    if (problem, count) != ("regression", 3):
        undecided = made(FlexiBertForSequenceClassification, num_labels=count)
        assert undecided(tokens(), labels=labels).loss.item() == pytest.approx(wanted.item())
        assert undecided.config.problem_type == problem


def test_automatic_classes_know_the_models(tmp_path: Path) -> None:
    made(FlexiBertForMaskedLM).save_pretrained(tmp_path)
    assert isinstance(transformers.AutoConfig.from_pretrained(tmp_path), FlexiBertConfig)
    for auto, kind in (
        (transformers.AutoModel, FlexiBertModel),
        (transformers.AutoModelForTextEncoding, FlexiBertModel),
        (transformers.AutoModelForMaskedLM, FlexiBertForMaskedLM),
        (transformers.AutoModelForPreTraining, FlexiBertForMaskedLM),
        (transformers.AutoModelForSequenceClassification, FlexiBertForSequenceClassification),
    ):
        assert type(auto.from_pretrained(tmp_path)) is kind
        assert type(auto.from_config(FlexiBertConfig(design=DESIGN))) is kind
