"""Programs of decoders: their multiplications are those that PyTorch counts, their weights those of the model."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from explorer import registry
from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.program import Kind, Operation, Program, TensorRole, flat
from explorer.domains.accelerator.acceltran.settings.run import run_settings
from explorer.domains.transformer.hugging_face import from_configuration
from explorer.domains.transformer.parameters import parameter_count
from graphdb.errors import InputError
from tests.explorer.domains.transformer.decoder.toys import NAMES, module_of, toys

BATCH, LENGTH = 2, 12


def program_of(choices: dict[str, Any], phase: str = "prompt", **settings: Any) -> Program:
    given = run_settings({"phase": phase, "sequence_length": LENGTH, **settings})
    return build_program(registry.space("transformer_free").build(choices).choices, BATCH, given)


def products(program: Program) -> list[Operation]:
    return [operation for operation in flat(program.compute) if operation.kind is Kind.PRODUCT]


def multiplications(program: Program) -> int:
    return sum(one.batch * one.x * one.y * one.z for one in products(program))


def counted(module: Any, **inputs: Any) -> int:
    """PyTorch's count, without the product that makes rotary angles, which programs read from a table."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        module(**inputs)
    angles = sum(
        sum(counts.values()) for name, counts in counter.get_flop_counts().items() if name.endswith("rotary_emb")
    )
    return (counter.get_total_flops() - angles) // 2


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_has_the_multiplications_that_pytorch_counts(name: str) -> None:
    configuration = toys(True)[name]
    tokens = torch.arange(BATCH * LENGTH).reshape(BATCH, LENGTH)
    # As in generation, only the last token's logits are computed.
    theirs = counted(module_of(configuration), input_ids=tokens, logits_to_keep=1, use_cache=False)
    assert multiplications(program_of(from_configuration(configuration.to_dict()))) == theirs


@pytest.mark.parametrize("name", NAMES)
def test_a_generated_token_has_the_multiplications_that_pytorch_counts(name: str) -> None:
    configuration = toys(True)[name]
    module, tokens = module_of(configuration), torch.arange(BATCH * LENGTH).reshape(BATCH, LENGTH)
    with torch.no_grad():
        cache = module(input_ids=tokens, use_cache=True).past_key_values
    theirs = counted(module, input_ids=tokens[:, :1], past_key_values=cache, use_cache=True)
    assert multiplications(program_of(from_configuration(configuration.to_dict()), "token")) == theirs


def test_a_causal_mask_leaves_out_the_upper_triangle() -> None:
    choices = from_configuration(toys(True)["llama"].to_dict())
    masked = [one for one in products(program_of(choices)) if one.density < 1]
    assert len(masked) == 2 * 2 * 4, "scores and contexts of the heads of two layers"
    entries = LENGTH * (LENGTH + 1) // 2
    computed = [one.batch * one.x * one.y * one.z * one.density for one in masked]
    assert computed == pytest.approx([BATCH * entries * 8] * len(masked))
    assert all(one.density == 1 for one in products(program_of(choices, "token")))


@pytest.mark.parametrize("phase", ["prompt", "token"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_weights_and_embeddings_are_the_parameters_of_the_model(name: str, tied: bool, phase: str) -> None:
    choices = from_configuration(toys(tied)[name].to_dict())
    footprint = dict(program_of(choices, phase).footprint_elements)
    assert footprint["weights"] + footprint["embeddings"] == parameter_count(choices)


def moved(program: Program, action: str) -> int:
    """Elements of keys and values that pass main memory."""
    return sum(
        transfer.elements
        for transfer in flat(program.memory)
        if transfer.action == action and transfer.role in (TensorRole.KEY, TensorRole.VALUE)
    )


def test_the_cache_passes_main_memory() -> None:
    choices = from_configuration(toys(True)["llama"].to_dict())
    each = 2 * 2 * 2 * 8 * BATCH  # layers, keys and values, key-value heads of width 8
    prompt, token = program_of(choices), program_of(choices, "token")
    assert (moved(prompt, "load"), moved(prompt, "write_back")) == (0, each * LENGTH)
    assert (moved(token, "load"), moved(token, "write_back")) == (each * LENGTH, each)
    unshared = from_configuration(toys(True)["llama, all heads alike"].to_dict())
    assert moved(program_of(unshared, "token"), "load") == 2 * each * LENGTH


def test_names_are_unique_and_needs_are_met() -> None:
    for name in NAMES:
        for phase in ("prompt", "token"):
            program = program_of(from_configuration(toys(False)[name].to_dict()), phase)
            names = [operation.name for operation in flat(program.compute)]
            tensors = [transfer.tensor for transfer in flat(program.memory) if transfer.action != "write_back"]
            assert len(set(names)) == len(names) and len(set(tensors)) == len(tensors)
            assert {need for operation in flat(program.compute) for need in operation.needs} <= set(tensors)
            assert {one.made_by for one in flat(program.memory) if one.made_by} <= set(names)


def test_the_first_layer_alone() -> None:
    choices = from_configuration(toys(True)["llama"].to_dict())
    whole, first = program_of(choices), program_of(choices, first_layer_only=True)
    head = BATCH * 32 * 50
    assert multiplications(whole) - head == 2 * multiplications(first)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mode": "reference"}, "a decoder, which the published simulator does not know"),
        ({"task": "training"}, "The task training of acceltran is given for a decoder; allowed: inference"),
        ({"causal": True}, "causal of acceltran has no effect on a decoder"),
        ({"vocabulary": 50}, "vocabulary of acceltran has no effect on a decoder, which has its own of 50 tokens"),
        ({"correct": "-residual"}, "The correction residual of acceltran is off for a decoder"),
        ({"sequence_length": 25}, "sequence_length of acceltran is 25 for a decoder of 24 positions .*: up to 24"),
        ({"sequence_length": 24, "phase": "token"}, "is 24 for a decoder of 24 positions in phase token; .*up to 23"),
    ],
)
def test_what_decoders_do_not_know_is_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        program_of(from_configuration(toys(True)["gpt2"].to_dict()), **settings)


def test_corrections_of_costs_can_be_off() -> None:
    choices = from_configuration(toys(True)["gpt2"].to_dict())
    assert program_of(choices, correct="-bandwidth,-refetch") == program_of(choices)


def test_an_encoder_has_no_phases() -> None:
    with pytest.raises(InputError, match="phase of acceltran has no effect on an encoder; allowed: prompt"):
        build_program(registry.preset("bert-tiny").choices, BATCH, run_settings({"phase": "token"}))
